"""A call of a caller at a stream of its own: commands are executed as Redis would, time is a number. No Redis."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.caller import Call, Turn
from redisipc.protocol.commands import Command
from redisipc.protocol.entry import build
from redisipc.protocol.events import Outgoing

ID, ME, NAME = b"9f86d081884c7d659a2fe", b"a1b2c3", b"caller:a1b2c3"


class Desk:
    """A call at a stream of its own. Time is a number; commands are executed as Redis would."""

    def __init__(self, timeout: float = 5.0, highest: bytes = b"-", early_end: bool = True) -> None:
        self.now = 100.0
        self.call = Call(
            b"s", ME, Outgoing(ID, b"1", "stock", self.now, self.now + timeout), highest, early_end=early_end
        )
        self.entries: list[list[Any]] = []
        self.groups = [b"stock"]
        self.exists = True
        self.sent: list[Command] = []
        self.stored = 0
        self.refusals: dict[str, Any] = {}

    def turn(self) -> Turn:
        turn = self.call.turn(self.now)
        assert turn is not None, self.call.outcome
        if turn.at > self.now:
            self.now = turn.at
            turn = self.call.turn(self.now) or turn
        assert turn.limit >= self.now
        assert turn.limit <= self.call.outgoing.deadline + 1.0
        return turn

    def add(self, *fields: bytes) -> bytes:
        entry_id = b"%d-0" % (1000 + self.stored)
        self.stored += 1
        self.entries.append([entry_id, list(fields)])
        return entry_id

    def respond(self, status: bytes = b"fulfilled", content: bytes = b"7", **other: bytes) -> bytes:
        given = {"id": ID, "instance_id": ME, "source_group": b"stock", "destination_group": NAME} | other
        fields = build(
            given["id"],
            given["instance_id"],
            status,
            content,
            given["source_group"],
            given["destination_group"],
        )
        return self.add(*fields)

    def after(self, id: bytes, count: int) -> list[list[Any]]:
        first = 0 if id == b"-" else int(id.strip(b"(").partition(b"-")[0]) + 1
        return [row for row in self.entries if int(row[0].partition(b"-")[0]) >= first][:count]

    def execute(self, command: Command) -> Any:
        self.sent.append(command)
        name = str(command[0])
        if name in self.refusals:
            return self.refusals[name]
        if name == "XADD":
            assert command[1:4] == (b"s", "NOMKSTREAM", "*")
            return self.add(*command[4:]) if self.exists else None  # type: ignore[arg-type]
        if name == "XREAD":
            _, _, count, _, block, _, _, id = command
            assert isinstance(block, int)
            assert 1 <= block <= 5000
            rows = self.after(id, int(count))  # type: ignore[arg-type]
            if not rows:
                self.now += block / 1000
            return [[b"s", rows]] if rows else None
        if name == "XRANGE":
            return self.after(command[2], int(command[5]))  # type: ignore[arg-type]
        if name == "XDEL":
            self.entries = [row for row in self.entries if row[0] not in command[2:]]
            return 1
        assert command == ("XINFO", "GROUPS", b"s")
        return [[b"name", group] for group in self.groups]

    def step(self) -> None:
        """One turn, executed and answered."""
        turn = self.turn()
        self.call.replied([self.execute(command) for command in turn.commands], self.now)

    def lose(self, executed: bool, sent: bool = True) -> None:
        """One turn whose replies do not come."""
        turn = self.turn()
        for command in turn.commands if executed else []:
            self.execute(command)
        self.call.lost(sent, "cut", self.now)

    def run(self) -> Desk:
        for _ in range(1000):
            if self.call.turn(self.now) is None:
                return self
            self.step()
        raise AssertionError("it does not end")

    @property
    def outcome(self) -> tuple[str, bytes | None]:
        assert self.call.outcome is not None
        return self.call.outcome.status, self.call.outcome.content

    def count(self, name: str) -> int:
        return sum(command[0] == name for command in self.sent)
