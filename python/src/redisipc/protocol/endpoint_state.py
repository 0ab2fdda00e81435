"""Shared by the parts of the core: names, settings, the outbox, the events, the clocks and the endpoint's state."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from .breakers import Breakers
from .commands import Command, Failure, Step
from .counts import Counts
from .events import NEW, Event, Incoming, Problem
from .names import Names
from .outbox import Outbox
from .pauses import Pauses
from .redis_errors import GROUP_LOST, NO_MEMORY, NO_WRITES, OUTAGE, PERMANENT, UNKNOWN, class_of
from .replies import comes_after, id_parts, seconds
from .settings import Settings
from .sizes import Sizes
from .states import advance

T = TypeVar("T")
Procedure = Generator[list[Command], list[Any], T]
"""A generator: it yields commands, gets their replies, and returns its findings."""
GAP = 1.0
"""After so many seconds without a call, the loop may have stood still."""
_CLOCK_REPLY = 0.5
"""A reply to TIME or XADD shows Redis' clock only if it took at most so many seconds."""
_GRAVITY = (PERMANENT, NO_MEMORY, NO_WRITES, GROUP_LOST, UNKNOWN, OUTAGE)
"""Of several errors in one batch, the one that is last in this list counts."""


class EndpointState:
    """Shared by the parts of one endpoint; ``Endpoint`` makes it and the parts."""

    def __init__(self, settings: Settings, source: random.Random, names: Names) -> None:
        self.settings = settings
        self.random = source
        self.names = names
        self.pauses: Pauses = Pauses()
        self.counts: Counts = Counts()
        self.sizes: Sizes = Sizes()
        self.outbox: Outbox = Outbox(names, settings, self.pauses, self.sizes)
        self.queue: list[Event] = []
        self.state = NEW
        self.connected: bool = False
        """Whether ordinary work may be written: joined, or recovered, and not lost since."""
        self.reachable: bool = False
        """Whether Redis answers, even if it takes no writes: a last look works."""
        self.inflight: dict[bytes, Incoming] = {}
        self.breakers: Breakers = Breakers(self.inflight, self._breaks)
        self.server_offset: float = 0.0
        self._clock_told_at = float("-inf")
        self.server_version: tuple[int, int] = (0, 0)
        self.last_read: bytes = b"$"
        self.highest: bytes = b"0-0"
        """The highest entry ID that is known: entries that are written from now on come after it (RIPC-TIME-14)."""
        self.now: float = 0.0
        self.sent_at: float = 0.0
        """When the batch was sent whose replies are being handled. Redis executed it later."""
        self._gap = (float("-inf"), float("-inf"))
        self.called_at: float = 0.0
        """When the runtime called last."""
        self.rests: bool = False
        """Whether nothing is due but the next read, as the last call of the runtime found."""
        self.up_since: float = 0.0
        self.failure: Failure | None = None
        self.listening = False
        self.answers_refused = False
        self.singly: bool = False
        """Whether Redis refuses MULTI itself (RIPC-RESP-26)."""
        self.trouble = ""
        self._refusal = ""

    def problem(self, kind: str, message: str, entry_id: bytes | None = None) -> None:
        self.queue.append(Problem(kind, message, entry_id))

    def _breaks(self, entry_id: bytes, times: int) -> None:
        message = (
            f"the body of entry {entry_id.decode()} broke the connection {times} times when read; "
            "look for a limit on the size of replies, at Redis or on the way to it"
        )
        self.problem("unreadable", message, entry_id)

    # what is written

    def step(self, step: Step) -> None:
        self.outbox.add_step(step)

    def carry_out(
        self,
        procedure: Procedure[T],
        ended: Callable[[T, float], None] | None = None,
        broken: Callable[[float], None] | None = None,
    ) -> None:
        """Write what a procedure yields, beside everything else. ``broken``: the connection was lost before its end."""

        def go_on(answers: list[Any] | None, now: float) -> None:
            try:
                lines = next(procedure) if answers is None else procedure.send(answers)
            except StopIteration as stop:
                if ended is not None:
                    ended(stop.value, now)
            except ProcedureFailed as failed:
                self.fail(failed.failure)
                if broken is not None:
                    broken(now)
            else:
                self.step(Step(lines, go_on, lost))

        def lost(_sent: bool, now: float) -> None:
            procedure.close()
            if broken is not None:
                broken(now)

        go_on(None, self.now)

    # the connection

    def came_up(self, now: float) -> None:
        """Joined or recovered: ordinary work may be written, and no error is pending."""
        self.connected = self.reachable = True
        self.up_since = now
        self.failure = None

    def cut_off(self) -> None:
        """Nothing can be written until it has recovered, if ever."""
        self.connected = self.reachable = False

    def multi_refused(self) -> None:
        """From now on its commands are sent one by one (RIPC-RESP-26)."""
        self.singly = True

    def take_failure(self) -> Failure | None:
        """The error that is still to be handled, if any. It is handled once."""
        failure, self.failure = self.failure, None
        return failure

    # time

    def called(self, now: float) -> None:
        """Note each call of the runtime: after a long time without a call, the process may have stood still."""
        if now - self.called_at > GAP:
            self._gap = (self.called_at, now)
        self.called_at = self.now = now
        self.rests = False

    def heard_since(self, taken_at: float, before: float) -> float:
        """The earliest moment at which the reply to a blocking read can have come. ``before``: the call before this one."""
        begin, end = self._gap
        return max(taken_at, begin if taken_at < end else before)

    def server_clock(self, now: float) -> float:
        """Redis' wall clock in seconds, as last seen."""
        return now + self.server_offset

    def saw_id(self, entry_id: bytes, now: float) -> None:
        """Redis made this entry ID just now: it is the highest one, and shows Redis' clock."""
        self.highest = entry_id
        self._saw_clock(int(entry_id.partition(b"-")[0]) / 1000, now)

    def reads_from(self, entry_id: bytes) -> None:
        """The group's position when it joins: entries after this one are read."""
        self.last_read = self.highest = entry_id

    def reads_anew(self) -> None:
        """The stream is another one: nothing of it has been read."""
        self.last_read = b"0"

    def saw_read(self, entry_id: bytes) -> None:
        """The last entry of a read of new ones."""
        self.last_read = entry_id
        if comes_after(entry_id, self.highest):
            self.highest = entry_id

    def saw_time(self, reply: Any, now: float) -> None:
        """The reply to TIME."""
        self._saw_clock(seconds(reply), now)

    def _saw_clock(self, wall: float, now: float) -> None:
        # A reply that took long, or lay unread, shows the clock inexactly: keep the older value.
        if now - self.sent_at < _CLOCK_REPLY or now - self._clock_told_at > 30.0:
            self.server_offset = wall - (self.sent_at + now) / 2
            self._clock_told_at = now

    def saw_last_id(self, entry_id: bytes) -> bool:
        """The last ID of the stream, from XINFO STREAM. True: it is lower than one that is known, so the stream is another."""
        if id_parts(entry_id) >= id_parts(self.highest):
            return False
        self.highest = entry_id
        return True

    # requests that were received

    def gone(self, incoming: Incoming, event: str = "gone") -> None:
        """A request is no longer ours: it was deleted or taken over, or another event led to that state."""
        advance(incoming, event)
        if self.inflight.get(incoming.entry_id) is incoming:
            del self.inflight[incoming.entry_id]

    # what Redis refuses

    def fail(self, failure: Failure) -> None:
        """An error reply that concerns the whole endpoint; ``Endpoint`` looks at it after each batch."""
        if self.failure is None or _gravity(failure) > _gravity(self.failure):
            self.failure = failure

    def writes_refused(self, failure: Failure, now: float) -> None:
        """For now, Redis refuses some writes or all of them. This is reported once, until Redis takes a write again."""
        pause = self.pauses.writes if class_of(failure) is NO_WRITES else self.pauses.memory
        pause.refused(now)
        if self._refusal != failure.kind:
            self._refusal = failure.kind
            lacks = "takes no writes" if class_of(failure) is NO_WRITES else "has no memory left"
            self.problem("refused", f"Redis {lacks}, trying again: {failure.message}")

    def taken(self) -> None:
        """Redis took a write that needs memory."""
        if self._refusal:
            self._refusal = ""
            self.pauses.memory.over()
            self.pauses.writes.over()

    @property
    def deletes_pending_bodies(self) -> bool:
        """Redis 7 and Valkey drop a deleted entry from the reply of XCLAIM ... JUSTID; 6.2, or one unknown, needs a look."""
        return self.server_version >= (7, 0)


class ProcedureFailed(Exception):
    """Redis answered with an error after which a procedure cannot continue."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _gravity(failure: Failure) -> int:
    return _GRAVITY.index(class_of(failure))
