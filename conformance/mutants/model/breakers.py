"""Bodies that break the connection when they are read (section 13): read last, and again after pauses that grow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from .mutation import mutant
from .resp import Lost

_FIRST, _MOST = 2.0, 60.0
"""Seconds until such a body is read again, at first and at most."""


class Breakers:
    """How often each body broke a connection, and until when it is not read again."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, float]] = {}

    @contextlib.contextmanager
    def reading(self, id: bytes) -> Iterator[None]:
        """Around the read of one body, alone."""
        times = self._known.get(id, (0, 0.0))[0]
        pause = 0.0 if mutant("reads-a-breaker-at-once") else min(_MOST, _FIRST * 2.0**times)
        broken = (times + 1, asyncio.get_running_loop().time() + pause)
        if times:
            # Meanwhile nobody else reads it.
            self._known[id] = broken
        try:
            yield
        except Lost:
            self._known[id] = broken
            raise
        self._known.pop(id, None)

    def wait(self, id: bytes) -> float:
        """Seconds in which this body is not read."""
        return max(0.0, self._known.get(id, (0, 0.0))[1] - asyncio.get_running_loop().time())

    def broke(self, id: bytes) -> int:
        """How often it broke a connection."""
        return 0 if mutant("nothing-behind-a-breaker") else self._known.get(id, (0, 0.0))[0]
