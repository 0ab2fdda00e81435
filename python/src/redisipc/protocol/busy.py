"""Reports that all handlers are busy and none ends: requesters give up, and the operator must learn it."""

from __future__ import annotations

from .endpoint_state import EndpointState
from .responder import Responder
from .settings import NEVER

_REPORT_EVERY = 60.0
"""Seconds between two reports."""


class Busy:
    """Checks whenever requests in progress are claimed again, every 3 s. Reports once a minute at most."""

    def __init__(self, shared: EndpointState, responder: Responder) -> None:
        self.shared = shared
        self.responder = responder
        self._told_at = -NEVER

    def look(self, now: float) -> None:
        """Report it if it is so."""
        if now - self._told_at >= _REPORT_EVERY and (reason := self.reason(now)):
            self._told_at = now
            self.shared.problem("busy", reason)

    def reason(self, now: float) -> str:
        """Why nothing starts; empty while handlers end. Changes nothing."""
        settings, responder = self.shared.settings, self.responder
        if responder.running < settings.concurrency:
            return ""
        # Their requesters may have given up meanwhile: then Redis has nothing of these requests any more.
        since = list(responder.started.values())
        if not since or now - max(since) <= settings.timeout:
            return ""
        return (
            f"all {settings.concurrency} handlers are busy, each for {now - max(since):.0f} s or longer; "
            f"{len(responder.queue)} wait: make handlers quicker, raise concurrency, or start more instances"
        )
