"""Reports about one loss of the connection: why no attempt succeeds, once for each reason."""

from __future__ import annotations

import re

from .settings import NEVER

_REPORT_AFTER = 5.0
"""Seconds away after which the endpoint reports why no attempt succeeds; then it reports every ``_REPORT_EVERY`` s."""
_REPORT_EVERY = 60.0
_REASONS = 4
"""So many different reasons are reported at once in one loss. Further ones wait for the next report."""
_FIGURES = re.compile(r"\d+")


class Away:
    """``since``: when the connection was lost, in monotonic seconds."""

    __slots__ = ("_tell_at", "_told", "since")

    def __init__(self) -> None:
        self.since: float = 0.0
        self._tell_at = NEVER
        self._told: set[str] = set()

    def began(self, now: float) -> None:
        """The connection is lost. The report of that names the reason of the loss, and not why no attempt succeeds."""
        self.since, self._tell_at = now, now + _REPORT_AFTER
        self._told = set()

    def is_due(self, reason: str, now: float) -> bool:
        """Whether to report this failed attempt: a minute has passed, or its reason is a new one."""
        if now < self.since + _REPORT_AFTER:
            return False
        kind = _FIGURES.sub("", reason)
        if now < self._tell_at and (kind in self._told or len(self._told) >= _REASONS):
            return False
        self.told(reason, now)
        return True

    def told(self, reason: str, now: float) -> None:
        """It has been reported."""
        if len(self._told) < _REASONS:
            self._told.add(_FIGURES.sub("", reason))
        self._tell_at = now + _REPORT_EVERY
