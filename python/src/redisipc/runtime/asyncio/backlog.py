"""Callbacks of one kind that have not ended. Their number is bounded, however many come and however slow they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

MOST_CALLS = 1000
"""Callbacks of one kind that wait or run at once; more are counted and dropped."""


class Counted(Protocol):
    """A callback, as its backlog sees it. ``on_end`` is called with it when nothing of it is left to run."""

    on_end: Callable[[Any], None]

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
        self._running: set[Counted] = set()
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._running)

    def add(self, job: Counted) -> None:
        """Run it, unless too many run already."""
        if len(self._running) >= MOST_CALLS:
            self._dropped += 1
            return
        self._running.add(job)
        job.on_end = self._running.discard
        self._jobs.append(job)

    def look_after(self) -> None:
        """Called from time to time: log what was dropped. Forget callbacks whose end a signal handler's exception has hidden."""
        for job in [job for job in self._running if job.over]:
            self._running.discard(job)
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._say(f"{dropped} {self._text}")
