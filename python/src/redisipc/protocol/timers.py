"""The timers of one endpoint: when work is due that no reply and no call triggers."""

from __future__ import annotations

import enum

from .closing import Closing
from .endpoint_state import EndpointState
from .events import CLOSED, CLOSING, NEW, UP
from .lifecycle import Lifecycle
from .settings import NEVER
from .wiring import Wiring


class Timer(enum.Enum):
    """Each is named by what happens when it expires."""

    SEND = "a send reaches its timeout or the limit of its last look, or the group that it asks is looked up"
    CONNECT = "joining or recovering is tried again, or its own lists are read again after a read was lost"
    WRITE = "something that waits may be written"
    LOOK = "a last look is written while the endpoint recovers, if Redis answers but takes no writes"
    CLOSE = "closing takes its next step"
    REFRESH = "the registration is refreshed, and from time to time the endpoint looks for siblings"
    OWN_LIST = "its own list is looked at for responses that siblings handed over"
    GRACE = "the endpoint asks again about a response whose instance was not registered"
    KEEP_ALIVE = "requests in progress are claimed again"
    RECLAIM = "the endpoint looks at the pending entries of others"
    READ = "a read that Redis refused is tried again, or a group that reads only others' entries reads again"


class Timers:
    """When each timer expires, in monotonic seconds: minus infinity for at once, infinity for never.

    ``table`` says it for each timer. ``next`` is the same on the way that is taken after each call; a test compares the two.
    """

    def __init__(self, shared: EndpointState, wiring: Wiring, lifecycle: Lifecycle, closing: Closing) -> None:
        self._shared = shared
        self._wiring = wiring
        self._lifecycle = lifecycle
        self._closing = closing

    def table(self, writing: bool, reading: bool) -> dict[Timer, float]:
        """All timers. ``writing``: a batch is under way; ``reading``: a blocking read is."""
        shared, wiring = self._shared, self._wiring
        state = shared.state
        lives = state is not NEW and state is not CLOSED
        idle = lives and not writing
        busy = self._lifecycle.busy
        connected = lives and shared.connected
        return {
            Timer.SEND: wiring.requester.due() if lives else NEVER,
            Timer.CONNECT: self._lifecycle.due() if idle else NEVER,
            Timer.WRITE: shared.outbox.due(shared.now) if idle and not busy else NEVER,
            Timer.LOOK: -NEVER if idle and busy and shared.reachable and shared.outbox.looks else NEVER,
            # While a batch is under way the next step waits for it.
            Timer.CLOSE: self._closing.due() if idle and state is CLOSING else NEVER,
            Timer.REFRESH: wiring.registration.due() if connected else NEVER,
            Timer.OWN_LIST: wiring.own_list.due() if connected else NEVER,
            Timer.GRACE: wiring.hand_over.due() if connected else NEVER,
            Timer.KEEP_ALIVE: wiring.keepalive.due() if connected else NEVER,
            Timer.RECLAIM: wiring.reclaimer.next_look if connected and state is UP else NEVER,
            Timer.READ: self._read_from() if connected and not reading else NEVER,
        }

    def next(self, writing: bool, reading: bool) -> float | None:
        """The earliest moment of the table; None for never."""
        shared, wiring = self._shared, self._wiring
        state = shared.state
        if state is NEW or state is CLOSED:
            return None
        lifecycle = self._lifecycle
        # Run after each call: plain comparisons take half the time of min() over calls.
        first = wiring.requester.due()
        if not writing:
            begin = lifecycle.due()
            if begin < first:
                first = begin
            if not lifecycle.busy:
                write = shared.outbox.due(shared.now)
                if write < first:
                    first = write
            elif shared.reachable and shared.outbox.looks:
                first = -NEVER
            if state is CLOSING:
                first = min(first, self._closing.due())
        if shared.connected:
            refresh, poll = wiring.registration.next_refresh, wiring.own_list.next_poll
            if refresh is not None and refresh < first:
                first = refresh
            if poll is not None and poll < first:
                first = poll
            kept = wiring.keepalive.due()
            if kept < first:
                first = kept
            if wiring.hand_over.in_grace:
                first = min(first, wiring.hand_over.due())
            if state is UP:
                look = wiring.reclaimer.next_look
                if look < first:
                    first = look
            if not reading:
                read = self._read_from()
                if read < first:
                    first = read
        return None if first == NEVER else first

    def _read_from(self) -> float:
        """When the next read is sent, if it was refused or waits."""
        pauses = self._shared.pauses
        writes, first = pauses.writes.until, self._wiring.pace.until
        if writes > first:
            first = writes
        refused = pauses.rights.get("read") if pauses.rights else None
        if refused is not None and refused.until > first:
            first = refused.until
        return first if first > self._shared.now else NEVER
