"""The state machine of a response that was read for another instance: the core goes from state to state as SPEC.md says.

The core keeps no state of that name. So each row is shown by what is written to Redis, before the event and after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from redisipc.protocol.commands import Batch, Command, Failure

from ..support_core import Hand
from ..support_tables import machine

SIBLING = b"51b110"
CONSUMER = b"consumer_51b110_0"
ROWS = {row["id"]: row for row in machine("relay")["transitions"]}
GIVE_BACK = 630_720_000_000
"""Milliseconds of idle time that mark a response as given back: 20 years (RIPC-GROUP-24)."""


class Relay:
    """One response for a sibling, and the endpoint that read it."""

    def __init__(self) -> None:
        self.hand = Hand().up()
        self.row = self.hand.response(b"x", instance=SIBLING)
        self.second = Batch([], 0)

    def registered(self, listed: bool = True) -> Relay:
        self.hand.special["LRANGE"] = [CONSUMER] if listed else []
        return self

    def seen(self) -> Relay:
        """The endpoint learns of the sibling before it reads."""
        self.registered()
        self.hand.special["XINFO CONSUMERS"] = [
            [b"name", CONSUMER, b"pending", 0, b"idle", 1], [b"name", b"dispatcher_51b110_0", b"pending", 0, b"idle", 1]
        ]  # fmt: skip
        self.hand.pass_time(21)
        return self

    def read(self) -> Relay:
        self.hand.read(self.row)
        return self

    def batch(self) -> Batch:
        """The commands that are written next, without a reply."""
        batch = self.hand.begin()
        return batch

    def answer(self, batch: Batch) -> Relay:
        self.hand.endpoint.batch_done(batch, self.hand.answers(batch), self.hand.now)
        return self

    def lose(self, batch: Batch, sent: bool = True) -> Relay:
        self.hand.endpoint.batch_lost(batch, sent, "connection reset", self.hand.now)
        return self

    def refuse(self, batch: Batch) -> Relay:
        self.hand.endpoint.batch_done(batch, [Failure("ERR", "ERR no")] * len(batch.commands), self.hand.now)
        return self

    def until_asked_again(self) -> Relay:
        """The time at which LRANGE is sent for the second time, before it is."""
        self.answer(self.batch())
        self.second = self._next()
        while not any(asks(command) for command in self.second.commands):
            self.answer(self.second)
            self.second = self._next()
        return self

    def _next(self) -> Batch:
        while True:
            batch = self.hand.endpoint.next_batch(self.hand.now)
            if batch is not None:
                return batch
            due = self.hand.endpoint.deadline()
            assert due is not None
            assert due < 113, "it was not asked a second time"
            self.hand.now = max(due, self.hand.now)
            self.hand.endpoint.tick(self.hand.now)

    def about(self, seconds: float) -> list[str]:
        """The commands that name the entry, and LRANGE, from now on for so many seconds."""
        commands = self.hand.pass_time(seconds)
        return [
            str(command[0])
            for command in commands
            if (self.row[0] in command or asks(command)) and command != self.kept_alive()
        ]

    def kept_alive(self) -> Command:
        """A response in its grace is kept alive like a request in progress."""
        return ("XCLAIM", b"s", b"web", b"dispatcher_%b_0" % self.hand.instance, 0, self.row[0], "JUSTID")


def own_list(hand: Hand, row: list[Any]) -> Callable[[Command], list[Any]]:
    """XPENDING of its own dispatcher: the entry, until it is given back or settled."""

    def listed(command: Command) -> list[Any]:
        left = any(row[0] in sent and (sent[0] == "XACK" or GIVE_BACK in sent) for sent in hand.sent)
        mine = command[-1] == b"dispatcher_%b_0" % hand.instance
        return [[row[0], command[-1], 5, 1]] if mine and not left else []

    return listed


def asks(command: Command) -> bool:
    return command[:2] == ("LRANGE", b"s:web:51b110:consumers")


def claim(batch: Batch, entry_id: bytes) -> bool:
    return ("XCLAIM", b"s", b"web", CONSUMER, 0, entry_id, "JUSTID") in batch.commands


def test_read_known() -> None:
    relay = Relay().seen().read()
    batch = relay.batch()
    assert claim(batch, relay.row[0])
    assert not any(asks(command) for command in batch.commands)


def test_read_ask() -> None:
    relay = Relay().registered().read()
    batch = relay.batch()
    assert any(asks(command) for command in batch.commands)
    assert not claim(batch, relay.row[0])


def test_asked_registered() -> None:
    relay = Relay().registered().read()
    assert claim(relay.answer(relay.batch()).batch(), relay.row[0])


def test_asked_unregistered() -> None:
    relay = Relay().read()
    relay.answer(relay.batch())
    assert relay.about(11.9) == []


def test_asked_unknown() -> None:
    for relay, end in [(Relay().read(), Relay.refuse), (Relay().read(), Relay.lose)]:
        end(relay, relay.batch())
        # Not settled before the grace is over, and asked about once more.
        assert not {"XACK", "XDEL", "XCLAIM"} & {*relay.about(11.9)}
        assert relay.about(1.0)[0] == "LRANGE"


def test_waiting_known() -> None:
    relay = Relay().read()
    relay.answer(relay.batch())
    relay.hand.special["XINFO CONSUMERS"] = [[b"name", CONSUMER, b"pending", 0, b"idle", 1]]
    relay.registered()
    commands = relay.hand.pass_time(9)
    assert ("XCLAIM", b"s", b"web", CONSUMER, 0, relay.row[0], "JUSTID") in commands
    assert [name for name in relay.about(10) if name != "LRANGE"] == []


def test_waiting_grace_over() -> None:
    relay = Relay().read().until_asked_again()
    assert relay.hand.now - 100 == pytest.approx(12.0, abs=0.2)


def test_waiting_leave_to_siblings() -> None:
    relay = Relay().seen()
    relay.registered(False).read()
    other = relay.hand.response(b"x", instance=b"999999")
    relay.hand.read(other)
    relay.hand.pass_time(1)
    relay.hand.special["XPENDING"] = own_list(relay.hand, other)
    relay.hand.endpoint.close(relay.hand.now, 5.0)
    commands = relay.hand.pass_time(1)
    assert [command[0] for command in commands if other[0] in command] == ["XCLAIM"]
    assert any(other[0] in command and GIVE_BACK in command for command in commands)


def test_waiting_leave_alone() -> None:
    relay = Relay().read()
    relay.hand.pass_time(1)
    relay.hand.special["XPENDING"] = own_list(relay.hand, relay.row)
    relay.hand.special["XRANGE"] = [relay.row]
    relay.hand.endpoint.close(relay.hand.now, 5.0)
    assert [name for name in relay.about(1) if name not in ("LRANGE", "XRANGE")] == ["XACK", "XDEL"]


def test_asked_again_registered() -> None:
    relay = Relay().read().until_asked_again().registered()
    assert claim(relay.answer(relay.second).batch(), relay.row[0])


def test_asked_again_unregistered() -> None:
    relay = Relay().read().until_asked_again()
    relay.answer(relay.second)
    assert relay.about(0.5) == ["XACK", "XDEL"]
    assert relay.about(60) == []


def test_asked_again_unknown() -> None:
    relay = Relay().read().until_asked_again()
    relay.lose(relay.second)
    seen = relay.about(0.9)
    assert "XACK" not in seen
    assert "LRANGE" in seen or "LRANGE" in relay.about(5.0)


def test_handing_over_claimed() -> None:
    relay = Relay().seen().read()
    relay.answer(relay.batch())
    assert [name for name in relay.about(8) if name != "LRANGE"] == []


def test_handing_over_not_sent() -> None:
    relay = Relay().seen().read()
    relay.lose(relay.batch(), sent=False)
    assert relay.about(5).count("XCLAIM") == 1


def test_handing_over_unknown() -> None:
    kept = Relay().seen().read()
    kept.lose(kept.batch())
    kept.hand.special["XPENDING"] = lambda command: (
        [[kept.row[0], command[-1], 5, 1]] if str(command[-1]).find("dispatcher") >= 0 else []
    )
    kept.hand.special["XRANGE"] = lambda command: [kept.row] if kept.row[0] in command else []
    assert kept.about(5).count("XCLAIM") == 1
    taken = Relay().seen().read()
    taken.lose(taken.batch())
    assert "XCLAIM" not in taken.about(5)


def test_every_row_of_the_table_has_its_test() -> None:
    tests = {name.removeprefix("test_").replace("_", "-") for name in globals() if name.startswith("test_")}
    assert ROWS.keys() <= tests
