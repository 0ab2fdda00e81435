"""How long other instances wait for a plain request by default, as their announcements say (RIPC-VERS-8).

An announcement is read when somebody first asks for it. Until its reply is there, nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .announced import read
from .commands import Command
from .endpoint_state import EndpointState, Procedure
from .events import Incoming
from .names import Names

TRUSTED = 60.0
"""Seconds after which an announcement is read again."""
AGAIN = 1.0
"""Seconds after which it is asked for again if no reply came."""
MOST_KEPT = 1000
"""The most instances whose timeouts are kept. The oldest is dropped first."""
LONGEST_KEY = 4096
"""Bytes of an announcement's key. A sender with a longer name has none that is read."""


class Timeouts:
    """``look`` may be called from any thread, ``ask`` by the driver alone."""

    def __init__(self, shared: EndpointState) -> None:
        self._shared = shared
        # By announcement key: seconds or None, and until when this is valid.
        self._known: dict[bytes, tuple[float | None, float]] = {}

    def look(self, incoming: Incoming, now: float) -> tuple[float | None, bool]:
        """The sender's default timeout in seconds (None: unknown), and whether to ask for it."""
        if len(incoming.source_group) + len(incoming.instance_id) > LONGEST_KEY:
            return None, False
        found, until = self._known.get(self._key(incoming), (None, -1.0))
        return found, now >= until

    def ask(self, incoming: Incoming, now: float) -> None:
        """Read the sender's announcement, beside all other work."""
        key = self._key(incoming)
        before, until = self._known.get(key, (None, -1.0))
        if now < until:
            return
        self._know(key, before, now + AGAIN)
        self._shared.called(now)
        self._shared.carry_out(_announced(key), lambda found, at: self._know(key, found, at + TRUSTED))

    def _key(self, incoming: Incoming) -> bytes:
        names = Names(self._shared.names.stream, incoming.source_group, b"")
        return names.announcement_of(incoming.instance_id)

    def _know(self, key: bytes, found: float | None, until: float) -> None:
        known = self._known
        known.pop(key, None)
        if len(known) >= MOST_KEPT:
            oldest: Iterator[bytes] = iter(known)
            known.pop(next(oldest))
        known[key] = found, until


def _announced(key: bytes) -> Procedure[float | None]:
    line: Command = ("GET", key)
    (reply,) = yield [line]
    limit: Any = read(reply).get("timeout_ms")
    # A boolean is an int in Python, and no number here.
    return limit / 1000 if type(limit) is int and 1 <= limit < 2**53 else None
