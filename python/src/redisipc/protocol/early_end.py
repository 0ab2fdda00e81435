"""The early end: a request to a group that does not exist is never delivered, so that nobody waits for it (RIPC-REQ-16)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from . import replies
from .commands import Failure, Step
from .core import Core
from .events import UP, Outgoing
from .redis_errors import PERMANENT, class_of
from .settings import NEVER

AFTER = 0.5
"""Seconds after a request was stored, before which nobody asks. Most requests have their answer by then, and cost nothing."""
_KNOWN_FOR = 5.0
"""Seconds that a group is taken to exist after it was seen."""


class EarlyEnd:
    """Asks for the groups of the stream, once for all requests that wait for long."""

    def __init__(self, core: Core, outstanding: dict[bytes, Outgoing], end: Callable[[Outgoing, float], None]) -> None:
        self.core = core
        self._outstanding = outstanding
        self._end = end
        # By id: what is answered meanwhile is not kept alive.
        self._stored: deque[tuple[float, bytes]] = deque()
        self._asking = False
        self._allowed = core.settings.early_end
        self._seen: set[bytes] = set()
        self._seen_at = -NEVER

    def stored(self, outgoing: Outgoing, now: float) -> None:
        """Redis has the request since now, or a moment ago."""
        if self._allowed:
            self._stored.append((now + AFTER, outgoing.id))

    def due(self) -> float:
        """When there is something to ask; monotonic seconds."""
        stored, outstanding = self._stored, self._outstanding
        while stored and stored[0][1] not in outstanding:
            stored.popleft()
        return stored[0][0] if stored and self._may_ask() else NEVER

    def tick(self, now: float) -> None:
        if self.due() > now:
            return
        known = self._seen if now - self._seen_at < _KNOWN_FOR else ()
        doubtful: list[Outgoing] = []
        while self._stored and self._stored[0][0] <= now:
            outgoing = self._outstanding.get(self._stored.popleft()[1])
            if outgoing is not None and outgoing.destination.encode() not in known:
                doubtful.append(outgoing)
        if doubtful:
            self._ask(doubtful)

    def _may_ask(self) -> bool:
        return not self._asking and self.core.state is UP

    def _ask(self, doubtful: list[Outgoing]) -> None:
        core = self.core
        self._asking = True

        def done(answers: list[Any], now: float) -> None:
            self._asking = False
            reply = answers[0]
            if isinstance(reply, Failure):
                # Without the stream, or the right, the timeout tells.
                self._allowed = self._allowed and class_of(reply) is not PERMANENT
                return
            self._seen = {replies.as_bytes(replies.lookup(row, b"name")) for row in reply or ()}
            self._seen_at = now
            for outgoing in doubtful:
                if outgoing.state == "waiting" and outgoing.destination.encode() not in self._seen:
                    self._end(outgoing, now)

        def lost(_sent: bool, _now: float) -> None:
            self._asking = False

        core.step(Step([("XINFO", "GROUPS", core.names.stream)], done, lost))
