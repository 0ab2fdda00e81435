"""All handlers busy, and none ends: requesters give up, and nobody would hear of it."""

from __future__ import annotations

from .endpoint_state import EndpointState
from .responder import Responder
from .settings import NEVER

_AGAIN = 60.0
"""Seconds between two reports."""


class Busy:
    """Looks whenever requests in progress are claimed again, every 3 s; tells it once in a minute at most."""

    def __init__(self, core: EndpointState, responder: Responder) -> None:
        self.core = core
        self.responder = responder
        self._told_at = -NEVER

    def look(self, now: float) -> None:
        """Report it, where it is so."""
        if now - self._told_at >= _AGAIN and (reason := self.reason(now)):
            self._told_at = now
            self.core.problem("busy", reason)

    def reason(self, now: float) -> str:
        """Why nothing starts; empty while handlers end. Changes nothing."""
        settings = self.core.settings
        if self.responder.running < settings.concurrency:
            return ""
        came = [incoming.received_at for incoming in list(self.core.inflight.values()) if incoming.state == "running"]
        if not came or now - max(came) <= settings.timeout:
            return ""
        waiting = len(self.responder.queue)
        return (
            f"all {settings.concurrency} handlers are busy with requests that came {now - max(came):.0f} s ago or earlier; "
            f"{waiting} wait: make handlers quicker, raise concurrency, or start more instances"
        )
