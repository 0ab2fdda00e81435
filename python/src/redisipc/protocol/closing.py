"""Leaving: let what runs end, give back what has not started, deregister, delete the own consumers (RIPC-LIFE-15 to 21)."""

from __future__ import annotations

from . import conversations
from .events import CLOSED, CLOSING, UP, Cancelled, Closed, Unblock
from .link import Link
from .parts import Parts
from .settings import NEVER

LEAVE_LIMIT = 2.0
"""Seconds for deregistering, after which an endpoint is closed all the same."""
UNBLOCK_LIMIT = 0.5
"""Seconds to wait for the blocked read to return once it was told to."""


class Closing:
    """The steps of ``Endpoint.close``, each taken as soon as the one before is done or out of time."""

    def __init__(self, parts: Parts, link: Link) -> None:
        self.parts = parts
        self.core = parts.core
        self.link = link
        self.end_of_grace: float | None = None
        self.leaving_until: float | None = None
        self._unblocked_at: float | None = None
        self._read_over = False
        self._left = False

    @property
    def draining(self) -> bool:
        """Whether responses and handlers are still waited for, so that reading goes on."""
        return self.leaving_until is None and bool(self.parts.responder.running or self.parts.requester.outstanding)

    def begin(self, now: float, grace: float) -> None:
        if self.core.state in (CLOSING, CLOSED):
            self.end_of_grace = min(self.end_of_grace or now, now + grace)
            return
        was_up = self.core.state is UP
        self.end_of_grace = now + grace
        self.link.become(CLOSING)
        if not was_up or self.core.without("rule13"):
            self.finish("the endpoint was closed" if was_up else "closed while Redis could not be reached")
        else:
            self.parts.responder.give_back_queued()

    def due(self) -> float:
        if self.leaving_until is None:
            return NEVER if self.end_of_grace is None else self.end_of_grace
        if self._unblocked_at is not None and not self._read_over:
            return min(self.leaving_until, self._unblocked_at + UNBLOCK_LIMIT)
        return self.leaving_until

    def go_on(self, reading: bool, now: float) -> None:
        """Take the next step that can be taken now. ``reading``: a blocked read is under way."""
        if self.core.state is not CLOSING:
            return
        if self.leaving_until is not None and now >= self.leaving_until:
            self.finish("the endpoint was closed")
        elif self._left:
            if self.link.talk is None:
                self.finish("the endpoint was closed")
        elif self._may_leave(now) and self._read_ended(reading, now):
            outbox = self.core.outbox
            self._read_over = True
            # Answers that Redis has no memory for are not waited for any longer.
            if outbox.due(now >= self.core.write_blocked_until) == NEVER:
                self._left = True
                # A read that did not end in order may still be given entries: then its consumer must stay.
                self.link.begin(conversations.leave(self.core, not reading and not self.link.read_lost))
            elif outbox.cleanup_due is not None:
                outbox.cleanup_due = now

    def _may_leave(self, now: float) -> bool:
        if self.leaving_until is not None:
            return True
        over = self.end_of_grace is None or now >= self.end_of_grace
        if not over and (self.draining or self.core.outbox.answers):
            return False
        self.leaving_until = now + LEAVE_LIMIT
        self.parts.requester.close("the endpoint was closed", now)
        for incoming in self.core.inflight.values():
            if incoming.state == "running":
                incoming.cancelled = True
                self.core.queue.append(Cancelled(incoming, "the endpoint is closing"))
        return True

    def _read_ended(self, reading: bool, now: float) -> bool:
        if not reading:
            return True
        if self._unblocked_at is None:
            self._unblocked_at = now
            self.core.queue.append(Unblock())
        return now - self._unblocked_at >= UNBLOCK_LIMIT

    def finish(self, reason: str) -> None:
        if self.core.state is CLOSED:
            return
        self.parts.requester.close(reason, self.core.now)
        self.link.begin_nothing()
        self.link.become(CLOSED)
        self.core.queue.append(Closed())
