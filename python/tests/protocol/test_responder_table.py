"""Each row of the responder's states (SPEC.md, section 9), driven: what is written to Redis after the event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from redisipc.protocol.commands import Command, Failure
from redisipc.protocol.entry import build
from redisipc.protocol.events import Incoming

from ..support_core import Hand
from ..support_tables import machine

ROWS = {row["id"]: row for row in machine("responder")["transitions"]}
NO_MEMORY = Failure("OOM", "OOM command not allowed when used memory > 'maxmemory'.")
NO_CLASS = Failure("ERR", "ERR Protocol error")
SIBLING = [[b"name", b"consumer_51b110_0", b"pending", 0, b"idle", 10]]
ENTRY = b"1700000100000-9"
SHOWN = ("XADD", "XACK", "XDEL", "XCLAIM", "XRANGE", "XPENDING")
"""Of the rest an endpoint sends polls and its registration at these moments."""


class Given:
    """A request in an instance that runs one at a time, and one before it where it is to wait."""

    def __init__(self, queue: int) -> None:
        self.hand = Hand(concurrency=1, max_queue=queue).up()
        self.request: Incoming | None = None
        self.hand.special["XPENDING"] = self.pending
        self.hand.special["XRANGE"] = self.body
        self.there = True

    def pending(self, command: Command) -> Any:
        """Whose it is: this instance's."""
        mine = ENTRY in command
        return [[ENTRY, b"dispatcher_%b_0" % self.hand.instance, 100, 1]] if mine and self.there else []

    def body(self, command: Command) -> Any:
        return [[ENTRY, self.fields]] if ENTRY in command and self.there else []

    @property
    def fields(self) -> list[bytes]:
        return list(build(b"q" * 21, b"peer01", b"pending", b"1", b"peer", b"web"))

    def give(self) -> None:
        self.hand.read([ENTRY, self.fields])
        self.request = self.hand.endpoint.shared.inflight.get(ENTRY)

    def first(self) -> None:
        self.hand.read(self.hand.request(b"f" * 21))

    def free(self) -> None:
        """The handler of the one before it ends without an answer."""
        first = next(start.incoming for start in self.hand.started() if start.incoming.entry_id != ENTRY)
        self.hand.endpoint.handler_done(first, self.hand.now)
        self.hand.endpoint.forget(first, self.hand.now)
        self.hand.drain()

    def answer(self) -> None:
        assert self.request is not None
        self.hand.endpoint.answer(self.request, "fulfilled", b"7", self.hand.now)
        self.hand.endpoint.handler_done(self.request, self.hand.now)

    def step(self) -> None:
        """Batch by batch, until the state of the request is another one."""
        assert self.request is not None
        state = self.request.state
        for _ in range(100):
            if self.request.state != state:
                return
            self.hand.now += 0.02
            self.hand.endpoint.tick(self.hand.now)
            self.hand.write()
        raise AssertionError(f"{state} does not end")

    def after(self) -> list[str]:
        """The commands about the request until 0.1 s later, those of the batch under way included."""
        if self.hand.under_way is not None:
            self.hand.finish()
        self.hand.pass_time(0.1)
        return [
            f"{command[0]} IDLE" if "IDLE" in command and command[0] == "XCLAIM" else str(command[0])
            for command in [*self.hand.begun, *self.hand.sent]
            if command[0] in SHOWN and (ENTRY in command or command[0] == "XADD")
        ]


def queued(given: Given) -> None:
    given.first()
    given.give()


def checking(given: Given) -> None:
    queued(given)
    given.hand.now += 1.5
    given.free()
    given.hand.begin()


def running(given: Given) -> None:
    given.give()


def answering(given: Given) -> None:
    running(given)
    given.answer()
    given.hand.begin()


def unsure(given: Given) -> None:
    answering(given)
    given.hand.lose()


def waited(given: Given) -> None:
    given.hand.now += 1.5
    given.free()


def sibling_comes(given: Given) -> None:
    given.hand.special.update({"XINFO CONSUMERS": SIBLING, "LRANGE": [b"consumer_51b110_0"]})
    given.hand.pass_time(11)


def deleted(given: Given) -> None:
    given.there = False
    given.hand.special["XCLAIM"] = []
    given.hand.pass_time(4)


def found_gone(given: Given) -> None:
    given.there = False
    given.hand.finish()


def refused_with_its_rejection(given: Given) -> None:
    """It is written three times, and so is its rejection. After each refusal the endpoint connects again."""
    given.hand.special["XADD"] = NO_CLASS
    given.hand.finish()
    given.hand.pass_time(4.0)


def closes(given: Given) -> None:
    given.hand.endpoint.close(given.hand.now, 5.0)
    given.hand.finish()


def never_answered(given: Given) -> None:
    assert given.request is not None
    given.hand.endpoint.forget(given.request, given.hand.now)


def recovers_and_finds_nothing(given: Given) -> None:
    given.there = False
    given.step()


FROM: dict[str, Callable[[Given], None]] = {
    "queued": queued, "checking": checking, "running": running, "answering": answering, "unsure": unsure
}  # fmt: skip
ANSWER = ["XADD", "XACK", "XDEL"]
LOOK = ["XPENDING", "XRANGE"]
DO: dict[str, tuple[Callable[[Given], None], list[str]]] = {
    "queued-start": (Given.free, []),
    "queued-check": (waited, LOOK),
    "queued-give-back": (sibling_comes, ["XCLAIM", "XCLAIM", "XCLAIM IDLE"]),
    "queued-overload": (Given.step, ANSWER),
    "queued-gone": (deleted, ["XCLAIM", *LOOK, "XACK"]),
    "checking-exists": (lambda given: given.hand.finish(), []),
    "checking-gone": (found_gone, ["XACK"]),
    "checking-not-known": (lambda given: given.hand.lose(), [*LOOK, "XCLAIM", *LOOK]),
    "checking-give-back": (closes, ["XCLAIM IDLE"]),
    "running-answer": (Given.answer, ANSWER),
    "running-gone": (never_answered, ["XACK", "XDEL"]),
    "answering-answered": (lambda given: given.hand.finish(), []),
    "answering-not-answered": (lambda given: given.hand.finish(XADD=NO_MEMORY), []),
    "answering-unknown": (lambda given: given.hand.lose(), [*LOOK, "XCLAIM", *ANSWER]),
    "answering-gone": (refused_with_its_rejection, [*([*LOOK, "XCLAIM", *ANSWER] * 5), "XACK", "XDEL"]),
    "unsure-still-pending": (Given.step, [*LOOK, "XCLAIM", *ANSWER]),
    "unsure-gone": (recovers_and_finds_nothing, [*LOOK, "XACK"]),
}
"""The event, and the commands about the request that follow. An owner claims what waits every 3 s."""


@pytest.mark.parametrize("id", ROWS)
def test_the_core_goes_as_the_row_says(id: str) -> None:
    row = ROWS[id]
    given = Given(0 if id == "queued-overload" else 100)
    FROM[row["from"]](given)
    assert given.request is not None
    assert given.request.state == row["from"]
    given.hand.begun.clear()
    given.hand.sent.clear()
    act, commands = DO[id]
    act(given)
    assert given.request.state == row["to"]
    assert given.after() == commands
