"""Keeping what is in progress: claimed again every 3 seconds, which also tells what is gone (RIPC-GROUP-9)."""

from __future__ import annotations

from typing import Any

from . import commands
from .commands import Failure, Step
from .core import Core
from .events import CLOSING, UP
from .responder import Responder
from .settings import NEVER

_CHUNK = 500


class KeepAlive:
    """Claims the requests of ``core.inflight`` again, and tells the responder which are gone."""

    def __init__(self, core: Core, responder: Responder) -> None:
        self.core = core
        self.responder = responder
        self.next: float | None = None
        self._last = 0.0

    def due(self) -> float:
        if self.next is None and self.core.inflight:
            # Something came in since: its idle time began when it was read.
            self._last = next(iter(self.core.inflight.values())).received_at
            self.next = self._last + self.core.settings.keep_alive
        return NEVER if self.next is None else self.next

    def restart(self, now: float) -> None:
        """All was claimed just now."""
        self._last = now
        self.next = now + self.core.settings.keep_alive if self.core.inflight else None

    def tick(self, now: float) -> None:
        due = self.due()
        if now < due:
            return
        core = self.core
        late = now - self._last > core.settings.suspect_after
        self.restart(now)
        if core.state not in (UP, CLOSING) or core.without("rule6"):
            return
        # Answers that wait to be written too: while Redis is out of memory they may wait for long.
        ids = [i.entry_id for i in core.inflight.values() if i.state != "unsure"]
        for chunk in (ids[i : i + _CHUNK] for i in range(0, len(ids), _CHUNK)):
            if late:
                # RIPC-GROUP-11: after a pause another member may run it by now: look who owns it before claiming.
                self._ownership_step(chunk)
            else:
                self._claim_step(chunk)

    def _ownership_step(self, ids: list[bytes]) -> None:
        """XPENDING of the own consumer: ids that are no longer ours are somebody else's now; the others are kept."""
        names = self.core.names
        lines = [commands.pending_of(names.stream, names.group, names.dispatcher, 1, id, id) for id in ids]

        def done(answers: list[Any], _now: float) -> None:
            mine = []
            for id, reply in zip(ids, answers, strict=True):
                if isinstance(reply, Failure) or id not in self.core.inflight:
                    continue
                if reply:
                    mine.append(id)
                else:
                    self.responder.lost(id, "another member took the request over")
            if mine:
                self._claim_step(mine)

        self.core.step(Step(lines, done))

    def _claim_step(self, ids: list[bytes]) -> None:
        core = self.core
        names = core.names
        lines = [commands.keep(names.stream, names.group, names.dispatcher, ids)]
        look = not core.deletes_pending_bodies
        if look:
            lines += [commands.one(names.stream, id) for id in ids]

        def done(answers: list[Any], now: float) -> None:
            if isinstance(answers[0], Failure):
                return
            alive = set(answers[0])
            if look:
                alive = {id for id, body in zip(ids, answers[1:], strict=True) if body and id in alive}
            for id in ids:
                incoming = core.inflight.get(id)
                if id not in alive and incoming is not None and incoming.state != "unsure":
                    core.outbox.clean(id, None, now)
                    self.responder.lost(id, "its requester gave up")

        core.step(Step(lines, done))
