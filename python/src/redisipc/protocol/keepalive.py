"""Claims everything in progress again every 3 seconds, which also shows what is gone (RIPC-GROUP-9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import commands
from .busy import Busy
from .commands import Failure, Step
from .endpoint_state import EndpointState
from .events import Incoming
from .ownership import GIVEN_UP, TAKEN_OVER, Verdict, verify
from .redis_errors import NO_WRITES, class_of
from .responder import Responder
from .settings import NEVER

_CHUNK = 500
_LOOKED_AT = 64 << 10
"""Bytes of content up to which a body is read only to see whether it is there (Redis 6.2)."""


class KeepAlive:
    """Claims the requests of ``core.inflight`` again, and tells the responder which are gone.

    ``others``: the IDs of responses that are kept as well, while they wait for their instance (RIPC-ROUTE-16).
    """

    def __init__(self, shared: EndpointState, responder: Responder, others: Callable[[], list[bytes]]) -> None:
        self.shared = shared
        self.responder = responder
        self.busy: Busy = Busy(shared, responder)
        self.next: float | None = None
        self._others = others
        self._turn = 0
        shared.outbox.make_keep_alive = self._step

    def due(self) -> float:
        if self.next is None and (self.shared.inflight or self.responder.started or self._others()):
            # A request came in since then: its idle time began when it was read.
            self.next = self.shared.now + self.shared.settings.keep_alive
            for incoming in self.shared.inflight.values():
                self.next = min(self.next, incoming.kept_at + self.shared.settings.keep_alive)
        return NEVER if self.next is None else self.next

    def restart(self, now: float) -> None:
        """Everything was claimed just now."""
        self.next = None

    def tick(self, now: float) -> None:
        if now < self.due():
            return
        self.next = None
        self.busy.look(now)
        if self.shared.connected:
            self.shared.outbox.keep_due = True
            self.next = now + self.shared.settings.keep_alive

    def _step(self, now: float) -> Step | None:
        """Made when it is sent: a request not claimed for long may be another member's by now (RIPC-GROUP-11)."""
        shared = self.shared
        others = self._others()
        self.next = now + shared.settings.keep_alive if shared.inflight or others else None
        fresh: list[Incoming] = []
        late: list[Incoming] = []
        for incoming in shared.inflight.values():
            # This includes answers that wait to be written: while Redis is out of memory, they may wait for long.
            if incoming.state not in ("unsure", "checking") and not incoming.stranded:
                (late if self._is_late(incoming, now) else fresh).append(incoming)
        if late:
            shared.carry_out(verify(shared, late, anew=True), self._verified, self._broken)
        return self._claim(fresh, others) if fresh or others else None

    def _is_late(self, incoming: Incoming, now: float) -> bool:
        return now - incoming.kept_at >= self.shared.settings.late_after

    def _claim(self, held: list[Incoming], others: list[bytes]) -> Step:
        shared = self.shared
        names = shared.names
        ids = [incoming.entry_id for incoming in held] + others
        chunks = [ids[i : i + _CHUNK] for i in range(0, len(ids), _CHUNK)]
        lines = [commands.keep(names.stream, names.group, names.dispatcher, chunk) for chunk in chunks]
        looked_at: list[Incoming] = []
        if not shared.deletes_pending_bodies:
            looked_at = self._to_look_at(held)
            lines += [commands.one(names.stream, incoming.entry_id) for incoming in looked_at]

        def done(answers: list[Any], now: float) -> None:
            kept: set[bytes] = set()
            for reply in answers[: len(chunks)]:
                if isinstance(reply, Failure):
                    shared.fail(reply)
                    self._broken(now)
                    return
                kept.update(reply)
            for incoming, body in zip(looked_at, answers[len(chunks) :], strict=True):
                if body == []:
                    kept.discard(incoming.entry_id)
            missing: list[Incoming] = []
            for incoming in held:
                if incoming.entry_id in kept:
                    incoming.kept_at = max(incoming.kept_at, shared.sent_at)
                elif shared.inflight.get(incoming.entry_id) is incoming and incoming.state != "unsure":
                    missing.append(incoming)
            if missing:
                self._missing(missing)

        return Step(lines, done)

    def _to_look_at(self, held: list[Incoming]) -> list[Incoming]:
        """Only small bodies, a few at a time, in turn."""
        chosen: list[Incoming] = []
        room = self.shared.sizes.budget / 4
        self._turn = self._turn % len(held) if held else 0
        for incoming in held[self._turn :] + held[: self._turn]:
            room -= len(incoming.content)
            if room < 0:
                break
            self._turn += 1
            if len(incoming.content) <= _LOOKED_AT:
                chosen.append(incoming)
        return chosen

    def _missing(self, missing: list[Incoming]) -> None:
        """The reply does not say why (RIPC-GROUP-32)."""
        self.shared.carry_out(verify(self.shared, missing, anew=True), self._verified, self._broken)

    def _broken(self, now: float) -> None:
        """Claim again as soon as Redis takes writes: siblings wait the same time after a refusal (RIPC-RECOV-17)."""
        failure = self.shared.failure
        if failure is not None and class_of(failure) is NO_WRITES:
            self.shared.outbox.keep_due = True

    def _verified(self, verdict: Verdict, now: float) -> None:
        for incoming in verdict.lost:
            self.responder.lost(incoming, TAKEN_OVER)
        for incoming in verdict.gone:
            self.shared.outbox.clean(incoming.entry_id, None, now)
            self.responder.lost(incoming, GIVEN_UP)
