"""The early end: a request to a group that does not exist is never delivered, so its sender need not wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from . import replies
from .commands import Failure, Step
from .diagnosis import missing as missing_group
from .endpoint_state import EndpointState
from .events import UP, Outgoing
from .redis_errors import PERMANENT, class_of
from .settings import NEVER

EARLY_END = 0.5
"""Seconds after a request was stored, before which nobody asks.

Most requests have their answer by then, so they cost no question.
"""
_KNOWN_FOR = 5.0
"""Seconds for which a group that was seen is assumed to exist."""


class EarlyEnd:
    """Asks for the groups of the stream, once for all requests that wait for long."""

    def __init__(
        self, shared: EndpointState, outstanding: dict[bytes, Outgoing], end: Callable[[Outgoing, str, float], None]
    ) -> None:
        self.shared = shared
        self._outstanding = outstanding
        self._end = end
        # When to ask for whom, in order, and whether the group was missing before. By id: the map holds no request that
        # was answered meanwhile.
        self._waiting: deque[tuple[float, bytes, bool]] = deque()
        self._asking = False
        self._allowed = shared.settings.early_end
        self._seen: set[bytes] = set()
        self._seen_at = -NEVER

    def stored(self, outgoing: Outgoing, now: float) -> None:
        """Redis stored the request just now."""
        if self._allowed:
            self._waiting.append((now + EARLY_END, outgoing.id, False))

    def due(self) -> float:
        """When there is something to ask; monotonic seconds."""
        waiting, outstanding = self._waiting, self._outstanding
        while waiting and waiting[0][1] not in outstanding:
            waiting.popleft()
        return waiting[0][0] if waiting and self._may_ask() else NEVER

    def tick(self, now: float) -> None:
        if self.due() > now:
            return
        known = self._seen if now - self._seen_at < _KNOWN_FOR else ()
        doubtful: list[tuple[Outgoing, bool]] = []
        while self._waiting and self._waiting[0][0] <= now:
            _, id, missing = self._waiting.popleft()
            outgoing = self._outstanding.get(id)
            if outgoing is not None and outgoing.destination.encode() not in known:
                doubtful.append((outgoing, missing))
        if doubtful:
            self._ask(doubtful)

    def _may_ask(self) -> bool:
        return not self._asking and self.shared.state is UP

    def _ask(self, doubtful: list[tuple[Outgoing, bool]]) -> None:
        shared = self.shared
        self._asking = True

        def done(answers: list[Any], now: float) -> None:
            self._asking = False
            reply = answers[0]
            if isinstance(reply, Failure):
                # Without the stream, or without the right, only the timeout ends the request.
                self._allowed = self._allowed and class_of(reply) is not PERMANENT
                return
            self._seen = {replies.as_bytes(replies.lookup(row, b"name")) for row in reply or ()}
            self._seen_at = now
            for outgoing, missing in doubtful:
                if outgoing.state != "waiting" or outgoing.destination.encode() in self._seen:
                    continue
                if missing:
                    self._end(outgoing, missing_group(outgoing.destination, self._seen), now)
                else:
                    # Members make a lost group again at once, where they left off. So a second look decides.
                    self._waiting.append((now + EARLY_END, outgoing.id, True))

        def lost(_sent: bool, _now: float) -> None:
            self._asking = False

        shared.step(Step([("XINFO", "GROUPS", shared.names.stream)], done, lost))
