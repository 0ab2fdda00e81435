"""Notices that threads which were ready to run had to wait for a processor."""

from __future__ import annotations

from collections.abc import Callable, Mapping

TICK = 0.05
"""Seconds between two looks of whoever watches whether something is on time."""
LOOKS = 5
"""So many of these looks pass between two comparisons."""
WAITED = 60_000_000
"""Nanoseconds that one must have waited between two comparisons to count."""


class ProcessorWaits:
    """``read``: the nanoseconds for which each thread or process has waited so far, by its id."""

    def __init__(self, read: Callable[[], Mapping[int, int]]) -> None:
        self._read = read
        self._looks = 0
        self._before = read()

    def look(self) -> float | None:
        """To be called at each look. The seconds of the longest wait, where one has come to light that counts."""
        self._looks += 1
        if self._looks % LOOKS:
            return None
        before, self._before = self._before, self._read()
        worst = max((waited - before[id] for id, waited in self._before.items() if id in before), default=0)
        return worst / 1e9 if worst > WAITED else None


def waited(schedstat: str) -> int:
    """The nanoseconds of waiting that a ``schedstat`` file of Linux has."""
    return int(schedstat.split()[1])
