"""Growing pauses between attempts."""

from __future__ import annotations

import asyncio
import random


class Pauses:
    """From ``first`` seconds up to ``most``, twice as long each time."""

    def __init__(self, first: float, most: float, start: float | None = None) -> None:
        self._first, self._most = first, most
        self._start = first if start is None else start
        self._next = self._start

    def reset(self) -> None:
        self._next = self._start

    async def wait(self, spread: float = 0.0) -> None:
        """``spread``: the random part, from 0 to 1."""
        pause = self._next
        self._next = min(self._most, max(self._first, pause * 2))
        await asyncio.sleep(pause * random.uniform(1.0 - spread, 1.0))


def refused() -> Pauses:
    """While Redis refuses what adds, or all writes (RIPC-RECOV-26)."""
    return Pauses(0.2, 1.0)


def permanent(growing: bool = True) -> Pauses:
    """The refusals that only the user can repair (RIPC-RECOV-27); of a read they do not grow."""
    return Pauses(1.0, 30.0 if growing else 1.0)
