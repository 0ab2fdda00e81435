"""Notices when threads that were ready to run had to wait for a processor."""

from __future__ import annotations

from collections.abc import Callable, Mapping

TICK = 0.05
"""Seconds between two looks of a watcher."""
LOOKS = 5
"""The watcher compares the waiting times at each so many looks."""
WAITED = 60_000_000
"""A wait between two comparisons counts from so many nanoseconds on."""


class ProcessorWaits:
    """``read``: the nanoseconds for which each thread or process has waited so far, by its id."""

    def __init__(self, read: Callable[[], Mapping[int, int]]) -> None:
        self._read = read
        self._looks = 0
        self._before = read()

    def look(self) -> float | None:
        """Is called at each look. Returns the seconds of the longest wait that counts, if there is one."""
        self._looks += 1
        if self._looks % LOOKS:
            return None
        before, self._before = self._before, self._read()
        worst = max((waited - before[id] for id, waited in self._before.items() if id in before), default=0)
        return worst / 1e9 if worst > WAITED else None


def waited(schedstat: str) -> int:
    """The nanoseconds of waiting in a ``schedstat`` file of Linux."""
    return int(schedstat.split()[1])
