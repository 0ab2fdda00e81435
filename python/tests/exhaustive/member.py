"""One endpoint as a component: the real core and what a runtime holds beside it. Each input gives the next state and outputs.

Inputs are plain tuples: ``(START,)``, ``(TICK,)``, ``(DONE, replies)``, ``(LOST, sent)``, ``(READ, replies)``, ``(READ_LOST,)``,
``(ANSWER, run)``, ``(RETURN, run)``, ``(SEND, destination, timeout)``, ``(CANCEL, number)``, ``(CLOSE, grace)``,
``(WAKE,)``.

A run is named by the entry ID and the id of its request.
"""

from __future__ import annotations

import random
from typing import Any

from redisipc.errors import AlreadyAnswered, RedisIPCError
from redisipc.protocol.commands import Batch, Read
from redisipc.protocol.endpoint import Endpoint
from redisipc.protocol.endpoint_state import EndpointState
from redisipc.protocol.events import (
    Cancelled,
    Closed,
    Event,
    Finished,
    Incoming,
    Outgoing,
    Problem,
    Start,
    StateChanged,
    Unblock,
)
from redisipc.protocol.settings import Settings

from . import layout

START, TICK, DONE, LOST, READ, READ_LOST = "start", "tick", "done", "lost", "read", "read lost"
ANSWER, RETURN, SEND, CANCEL, CLOSE, WAKE = "answer", "return", "send", "cancel", "close", "wake"
_CALMING = 50
"""How often an endpoint may ask in a row to be called at once before that counts as spinning."""

Input = tuple[Any, ...]
Output = tuple[Any, ...]
Key = tuple[bytes, bytes]
"""A run: the entry ID and the id of its request. After lost writes two requests may have one entry ID."""

# One for all copies of a member, and none of them changes it.
layout.share(Settings)
# Set again by each call, before anything looks at it.
layout.skip(EndpointState, "now")
# For the user alone.
layout.skip(EndpointState, "counts")


class Spinning(Exception):
    """The endpoint asks again and again to be called at once."""


def instance_id(number: int) -> str:
    """The id of the member with this number: counted, where a real one is drawn."""
    return f"{_instance(number):06x}"


def _instance(number: int) -> int:
    return 0xA0A0A0 + 0x010101 * number


class Draw(random.Random):
    """A source without chance: pauses are as the configuration says, ids are counted.

    ``twin``: the member whose instance id comes first by accident.
    """

    def __init__(self, number: int, share: float, twin: int | None = None) -> None:
        self.number = number
        self.share = share
        self.twin = twin
        self.ids = 0

    def __new__(cls, *_arguments: Any) -> Draw:
        return super().__new__(cls)

    def random(self) -> float:
        return self.share

    def getrandbits(self, k: int, /) -> int:
        if k == 24:
            drawn, self.twin = self.number if self.twin is None else self.twin, None
            return _instance(drawn)
        self.ids += 1
        return (self.number + 1) * 0x1000 + self.ids

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return 0 if stop is None else start


class Member:
    """An endpoint with what its runtime knows of it. Only ``apply`` changes it."""

    __slots__ = ("batch", "closed", "due", "endpoint", "open", "out", "read", "running", "sent")

    def __init__(self, settings: Settings, draw: Draw) -> None:
        self.endpoint = Endpoint(settings, draw)
        self.batch: Batch | None = None
        self.read: Read | None = None
        self.running: dict[Key, Incoming] = {}
        self.sent: list[Outgoing] = []
        self.open: dict[bytes, float] = {}
        self.closed = False
        self.due: float | None = None
        self.out: list[Output] = []

    def apply(self, given: Input, now: float) -> tuple[Output, ...]:
        self.out = []
        getattr(self, "_" + given[0].replace(" ", "_"))(now, *given[1:])
        self._pump(now)
        # A runtime asks for it after each call, and a core may take note of the answer.
        self.due = self.endpoint.deadline()
        out, self.out = tuple(self.out), []
        return out

    # inputs

    def _start(self, now: float) -> None:
        self.endpoint.start(now)

    def _tick(self, now: float) -> None:
        self.endpoint.tick(now)

    def _done(self, now: float, replies: list[Any]) -> None:
        batch, self.batch = self.batch, None
        assert batch is not None
        self.endpoint.batch_done(batch, replies, now)

    def _lost(self, now: float, sent: bool) -> None:
        batch, self.batch = self.batch, None
        assert batch is not None
        self.endpoint.batch_lost(batch, sent, "connection lost", now)

    def _read(self, now: float, replies: list[Any]) -> None:
        read, self.read = self.read, None
        assert read is not None
        self.endpoint.read_done(read, replies[0], now)

    def _read_lost(self, now: float) -> None:
        read, self.read = self.read, None
        assert read is not None
        self.endpoint.read_lost(read, "connection lost", now)

    def _answer(self, now: float, run: Key) -> None:
        incoming = self.running.pop(run)
        try:
            self.endpoint.answer(incoming, "fulfilled", b"done", now)
        except AlreadyAnswered as error:
            # The endpoint answered for it when it closed.
            self.out.append(("refused", str(error)))
        self.endpoint.handler_done(incoming, now)

    def _return(self, now: float, run: Key) -> None:
        """The handler returns, and its answer comes later."""
        self.endpoint.handler_done(self.running[run], now)

    def _send(self, now: float, destination: str, timeout: float) -> None:
        try:
            outgoing = self.endpoint.send(b"1", destination, timeout, now)
        except RedisIPCError as error:
            self.out.append(("refused", str(error)))
            return
        self.sent.append(outgoing)
        self.open[outgoing.id] = outgoing.deadline

    def _cancel(self, now: float, number: int) -> None:
        self.endpoint.cancel(self.sent[number], now)

    def _close(self, now: float, grace: float) -> None:
        self.endpoint.close(now, grace)

    def _wake(self, now: float) -> None:
        """The group's wake-up: somebody joined, or gave something back."""
        self.endpoint.woken(self.endpoint.wakeup_channels()[1], now)

    # what a runtime does after every call

    def _pump(self, now: float) -> None:
        endpoint = self.endpoint
        for _ in range(_CALMING):
            self._drain()
            if self.batch is None:
                self.batch = endpoint.next_batch(now)
            if self.read is None:
                self.read = endpoint.next_read(now)
            if not self._drain():
                return
        raise Spinning("events lead to events without an end")

    def _drain(self) -> bool:
        events = self.endpoint.events()
        for event in events:
            self._event(event)
        return bool(events)

    def _event(self, event: Event) -> None:
        if isinstance(event, Start):
            incoming = event.incoming
            run = (incoming.entry_id, incoming.id)
            if run in self.running:
                self.out.append(("twice", run))
            self.running[run] = incoming
            self.out.append(("start", run, incoming.starts))
        elif isinstance(event, Finished):
            self.open.pop(event.outgoing.id, None)
            self.out.append(("finished", event.outgoing.id, event.outcome.status))
        elif isinstance(event, Cancelled):
            self.out.append(("cancelled", (event.incoming.entry_id, event.incoming.id), event.reason))
        elif isinstance(event, StateChanged):
            self.out.append(("state", event.state.value, event.reason))
        elif isinstance(event, Problem):
            self.out.append(("problem", event.kind, event.message))
        elif isinstance(event, Unblock):
            self.out.append(("unblock",))
        elif isinstance(event, Closed):
            self.closed = True
            self.out.append(("closed",))
