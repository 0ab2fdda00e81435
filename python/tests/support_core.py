"""A core driven by hand: what it wants written is looked at, replies are given, time is a number. No Redis."""

from __future__ import annotations

import random
from typing import Any

from redisipc.protocol.commands import Batch, Command, Failure
from redisipc.protocol.endpoint import Endpoint
from redisipc.protocol.entry import build
from redisipc.protocol.events import Event, Start, State
from redisipc.protocol.settings import Settings

SERVER_TIME = 1_700_000_000
ABORTED = Failure("EXECABORT", "EXECABORT Transaction discarded because of previous errors.")
AT_EXEC = ("WRONGTYPE", "NOGROUP", "BUSYGROUP", "ERR The stream has exhausted")
"""How errors begin that Redis gives when it executes a command. It gives all others when it queues the command."""


class Hand:
    """Drives one ``Endpoint``: joins it, answers its commands with plausible replies unless a test says something else."""

    def __init__(self, version: str = "7.0.15", **options: Any) -> None:
        self.endpoint = Endpoint(Settings("s", "web", **options), random.Random(1))
        self.now = 100.0
        self.version = version
        self.sequence = 0
        self.groups = {b"stock", b"peer", b"peers", b"other"}
        self.special: dict[str, Any] = {}
        self.sent: list[Command] = []
        self.events: list[Event] = []
        self.under_way: Batch | None = None
        """The batch that was begun, and has no replies yet."""
        self.begun: list[Command] = []
        """The commands of all batches that were begun."""

    def up(self) -> Hand:
        self.endpoint.start(self.now)
        self.write_all()
        assert self.endpoint.state is State.UP
        self.endpoint.tick(self.now)
        self.write_all()
        self.sent.clear()
        self.events.clear()
        return self

    @property
    def instance(self) -> bytes:
        return self.endpoint.instance.encode()

    def next_id(self) -> bytes:
        self.sequence += 1
        return b"%d-%d" % (int((SERVER_TIME + self.now) * 1000), self.sequence)

    def reply(self, command: Command) -> Any:
        name = str(command[0])
        key = f"{name} {command[1]!s}" if name in ("XGROUP", "XINFO") else name
        if key in self.special:
            special = self.special[key]
            return special(command) if callable(special) else special
        if name == "XADD":
            return self.next_id()
        if name == "TIME":
            wall = SERVER_TIME + self.now
            return [b"%d" % int(wall), b"%d" % int(wall % 1 * 1e6)]
        if name == "INFO":
            return f"redis_version:{self.version}\r\n".encode()
        if key == "XINFO GROUPS":
            return [[b"name", name, b"last-delivered-id", b"5-0"] for name in (b"web", *self.groups)]
        if key == "XINFO STREAM":
            return [b"last-generated-id", b"9-0"]
        if key in ("XINFO CONSUMERS",) or name in ("XREADGROUP", "XPENDING", "XRANGE", "LRANGE", "XCLAIM"):
            if name == "XCLAIM" and command[-1] == "JUSTID":
                return [part for part in command[5:-1] if isinstance(part, bytes) and b"-" in part]
            if name == "XREADGROUP":
                return None
            return []
        return 1

    def answers(self, batch: Batch) -> list[Any]:
        replies: list[Any] = []
        queued: list[Any] | None = None
        aborted = False
        for command in batch.commands:
            if command[0] == "MULTI":
                queued, aborted = [], False
                replies.append(b"OK")
            elif command[0] == "EXEC":
                replies.append(ABORTED if aborted else queued)
                queued = None
            elif queued is not None:
                reply = self.reply(command)
                queued.append(reply)
                early = isinstance(reply, Failure) and not reply.message.startswith(AT_EXEC)
                aborted = aborted or early
                replies.append(reply if early else b"QUEUED")
            else:
                replies.append(self.reply(command))
        return replies

    def write(self) -> Batch | None:
        """One batch, if there is one, written and answered."""
        batch = self.endpoint.next_batch(self.now)
        if batch is not None:
            self.sent += batch.commands
            self.endpoint.batch_done(batch, self.answers(batch), self.now)
            self.drain()
        return batch

    def begin(self) -> Batch:
        """Write the next batch, and give no replies yet."""
        batch = self.endpoint.next_batch(self.now)
        assert batch is not None
        self.under_way = batch
        self.begun += batch.commands
        return batch

    def finish(self, **special: Any) -> None:
        """Give the replies to the batch under way. ``special``: a command's name, and the reply to it in this batch only."""
        batch, self.under_way = self.under_way, None
        assert batch is not None
        usual = self.special
        self.special = {**usual, **special}
        replies = self.answers(batch)
        self.special = usual
        self.endpoint.batch_done(batch, replies, self.now)
        self.drain()

    def lose(self, reason: str = "connection reset") -> None:
        """Break the connection under the batch under way: nobody knows whether Redis executed it."""
        batch, self.under_way = self.under_way, None
        assert batch is not None
        self.endpoint.batch_lost(batch, True, reason, self.now)
        self.drain()

    def lose_read(self, reason: str = "connection reset") -> None:
        """Break the connection under the next read."""
        read = self.endpoint.next_read(self.now)
        assert read is not None
        self.endpoint.read_lost(read, reason, self.now)
        self.drain()

    def write_all(self) -> list[Command]:
        before = len(self.sent)
        while self.write() is not None:
            pass
        self.drain()
        return self.sent[before:]

    def drain(self) -> list[Event]:
        fresh = self.endpoint.events()
        self.events += fresh
        return fresh

    def pass_time(self, seconds: float) -> list[Command]:
        """Let time pass; tick and write whenever something is due."""
        end = self.now + seconds
        before = len(self.sent)
        while True:
            due = self.endpoint.deadline()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self.endpoint.tick(self.now)
            self.write_all()
            if self.endpoint.deadline() == due:
                self.now += 0.001
        self.now = max(self.now, end)
        self.endpoint.tick(self.now)
        self.write_all()
        return self.sent[before:]

    def read(self, *rows: list[Any]) -> list[Event]:
        """Make the blocked read return these rows."""
        read = self.endpoint.next_read(self.now)
        assert read is not None
        self.endpoint.read_done(read, [[b"s", list(rows)]] if rows else None, self.now)
        return self.drain()

    def request(self, id: bytes = b"r" * 21, to: bytes = b"web", content: bytes = b"1") -> list[Any]:
        return [self.next_id(), list(build(id, b"peer01", b"pending", content, b"peer", to))]

    def response(
        self, id: bytes, status: bytes = b"fulfilled", content: bytes = b"7", instance: bytes = b""
    ) -> list[Any]:
        return [self.next_id(), list(build(id, instance or self.instance, status, content, b"peer", b"web"))]

    def names_sent(self, commands: list[Command] | None = None) -> list[str]:
        return [str(command[0]) for command in (self.sent if commands is None else commands)]

    def started(self) -> list[Start]:
        return [event for event in self.events if isinstance(event, Start)]
