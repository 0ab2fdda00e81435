"""Virtual time: a heap of what happens when. Seconds, as the endpoints' monotonic clock shows them."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Schedule:
    """Actions run in the order of their times, those of one time in the order in which they were planned."""

    __slots__ = ("_count", "_heap", "now")

    def __init__(self, now: float) -> None:
        self.now = now
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    def at(self, time: float, action: Callable[..., None], *arguments: Any) -> None:
        self._count += 1
        heapq.heappush(self._heap, (time, self._count, action, arguments))

    def after(self, delay: float, action: Callable[..., None], *arguments: Any) -> None:
        self._count += 1
        heapq.heappush(self._heap, (self.now + delay, self._count, action, arguments))

    def run(self, end: float) -> None:
        """Let everything happen that is due until ``end``."""
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= end:
            time, _, action, arguments = pop(heap)
            if time > self.now:
                self.now = time
            action(*arguments)
        self.now = max(self.now, end)
