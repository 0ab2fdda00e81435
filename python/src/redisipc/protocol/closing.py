"""Leaving in steps: wait for running handlers, give back the rest, settle, deregister, delete its own consumers.

RIPC-LIFE-15 to 21.
"""

from __future__ import annotations

from .endpoint_state import EndpointState
from .events import CLOSED, CLOSING, Closed, Unblock
from .lifecycle import Lifecycle
from .settings import NEVER
from .wiring import Wiring

LEAVE_LIMIT = 2.0
"""Seconds for deregistering, after which an endpoint is closed anyway."""
UNBLOCK_LIMIT = 0.5
"""Seconds to wait until the unblocked read returns."""


class Closing:
    """The steps of ``Endpoint.close``. Each is taken when the one before is done or has run out of time."""

    def __init__(self, wiring: Wiring, lifecycle: Lifecycle) -> None:
        self.wiring = wiring
        self.shared: EndpointState = wiring.shared
        self.lifecycle = lifecycle
        self.end_of_grace: float | None = None
        self.leaving_until: float | None = None
        self._joins = False
        self._looking_until: float | None = None
        self._unblocked_at: float | None = None
        self._read_over = False
        self._left = False

    @property
    def draining(self) -> bool:
        """Whether the endpoint still waits for responses and handlers, so that it continues to read."""
        return self.leaving_until is None and self._has_work()

    def _has_work(self) -> bool:
        wiring = self.wiring
        return bool(wiring.responder.running or self.shared.inflight or wiring.requester.outstanding)

    def _let_handlers_send(self) -> None:
        """A running handler may need the answer to a request of its own."""
        self.wiring.requester.may_send_while_closing = bool(self.wiring.responder.running or self.shared.inflight)

    def begin(self, now: float, grace: float) -> None:
        if self.shared.state in (CLOSING, CLOSED):
            self.end_of_grace = min(self.end_of_grace or now, now + grace)
            return
        self.end_of_grace = now + grace
        self.lifecycle.become(CLOSING)
        self._let_handlers_send()
        self.wiring.responder.give_back_queued()
        if self.lifecycle.midway(now):
            # Redis executes a batch that is under way, whether or not its replies are read. So let it end, then clean
            # up.
            self._joins = True
        elif not self.shared.connected:
            self.finish("closed while Redis could not be reached")

    def due(self) -> float:
        if self._joins and self.end_of_grace is not None:
            return self.end_of_grace + LEAVE_LIMIT
        if self.leaving_until is None:
            if self._looking_until is not None:
                return self._looking_until
            return NEVER if self.end_of_grace is None else self.end_of_grace
        if self._unblocked_at is not None and not self._read_over:
            return min(self.leaving_until, self._unblocked_at + UNBLOCK_LIMIT)
        return self.leaving_until

    def go_on(self, reading: bool, now: float) -> None:
        """Take the next step that can be taken now. ``reading``: a blocked read is under way."""
        if self.shared.state is not CLOSING or self._waits_to_join(now):
            return
        if self.leaving_until is not None and now >= self.leaving_until:
            self.finish("the endpoint was closed")
        elif self._left:
            if self.lifecycle.procedure is None:
                self.finish("the endpoint was closed")
        elif self._may_leave(now) and self._read_ended(reading, now):
            self._read_over = True
            self._settle_and_leave(reading, now)

    def _waits_to_join(self, now: float) -> bool:
        """Whether it still joins or recovers. If that failed, nothing can be removed."""
        if not self._joins:
            return False
        self._joins = not self.shared.connected
        if self._joins and not (now < self.due() and self.lifecycle.midway(now)):
            self.finish("closed while Redis could not be reached")
        return self._joins

    def _settle_and_leave(self, reading: bool, now: float) -> None:
        shared = self.shared
        outbox = shared.outbox
        if not shared.connected:
            self.finish("the endpoint was closed")
            return
        if outbox.answers_from() > now:
            # Do not wait any longer for writes for which Redis has no memory.
            self.wiring.responder.answers.drop_refused(now)
        if outbox.due(now) == NEVER or now < shared.pauses.writes.until:
            self._left = True
            # A read that did not end properly may still get entries: its consumer must stay.
            self.lifecycle.leave(not reading)
        elif outbox.cleanup_due is not None:
            outbox.cleanup_due = now

    def _may_leave(self, now: float) -> bool:
        if self.leaving_until is not None:
            return True
        over = self.end_of_grace is None or now >= self.end_of_grace
        if not over and (self.draining or self.shared.outbox.answers):
            self._let_handlers_send()
            return False
        if self._looks(now):
            return False
        self.leaving_until = now + LEAVE_LIMIT
        self.lifecycle.leaving = True
        self.wiring.requester.may_send_while_closing = False
        self.wiring.requester.close("the endpoint was closed", now)
        self.wiring.responder.reject_running(now)
        return True

    def _looks(self, now: float) -> bool:
        """Whether a last look for responses is under way: a member may hold them and not hand them over."""
        requester = self.wiring.requester
        if self._looking_until is None:
            self._looking_until = now + self.shared.settings.look_limit
            if self.shared.connected:
                requester.look_for_all()
        return bool(requester.last_look.looking) and now < self._looking_until

    def _read_ended(self, reading: bool, now: float) -> bool:
        if not reading:
            return True
        if self._unblocked_at is None:
            self._unblocked_at = now
            self.shared.queue.append(Unblock())
        return now - self._unblocked_at >= UNBLOCK_LIMIT

    def finish(self, reason: str) -> None:
        if self.shared.state is CLOSED:
            return
        self.wiring.requester.close(reason, self.shared.now)
        self.lifecycle.end_procedure()
        self.shared.cut_off()
        self.lifecycle.become(CLOSED)
        self.shared.queue.append(Closed())
