"""Callbacks of one kind that have not ended. Their number is bounded, however many come and however slow they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from redisipc.runtime.weight import too_heavy

MOST_CALLS = 1000
"""Callbacks of one kind that wait or run at once; more are counted and dropped."""


class Counted(Protocol):
    """A callback, as its backlog sees it. ``on_end`` is called with it when nothing of it is left to run.

    ``weight``: bytes that wait with it.
    """

    on_end: Callable[[Any], None]
    weight: int

    @property
    def over(self) -> bool:
        """Whether it has run, or was cut off."""

    def __call__(self) -> None:
        """Begin."""


class Backlog:
    """Hands callbacks on to ``jobs``; ``say`` logs how many were dropped. Everything is called in the event loop's thread."""

    def __init__(self, jobs: deque[Callable[[], None]], dropped: str, say: Callable[[str], None]) -> None:
        self._jobs = jobs
        self._text = dropped
        self._say = say
        self._running: dict[Counted, int] = {}
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._running)

    def add(self, job: Counted) -> None:
        """Run it, unless too many run already, or too many bytes wait with them."""
        weight = job.weight
        if len(self._running) >= MOST_CALLS or (weight and too_heavy(weight, sum(self._running.values()))):
            self._dropped += 1
            return
        self._running[job] = weight
        job.on_end = self._ended
        self._jobs.append(job)

    def look_after(self) -> None:
        """Called from time to time: log what was dropped. Forget callbacks whose end a signal handler's exception has hidden."""
        for job in [job for job in self._running if job.over]:
            self._ended(job)
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._say(f"{dropped} {self._text}")

    def _ended(self, job: Counted) -> None:
        self._running.pop(job, None)
