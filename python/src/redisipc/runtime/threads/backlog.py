"""Calls of the user's functions that wait for a thread. Their number is bounded, however slow they are."""

from __future__ import annotations

from collections.abc import Callable

from redisipc.runtime.weight import too_heavy

from .handlers import CallbackJob
from .worker_pool import WorkerPool

MOST_CALLS = 1000
"""Calls of one kind that may wait. More are counted and dropped."""
PAUSE = 1.0
"""Seconds between two lines of the log about calls that were dropped."""


class Backlog:
    """Hands calls on to ``pool``, and tells ``say`` how many were dropped, as a call of ``reports``.

    Everything is called on the I/O thread.
    """

    def __init__(self, pool: WorkerPool, reports: WorkerPool, dropped: str, say: Callable[[str], None]) -> None:
        self.look_at: float = float("inf")
        self._pool = pool
        self._reports = reports
        self._text = dropped
        self._say = say
        self._dropped = 0
        self._held = 0

    def add(self, job: CallbackJob, now: float) -> None:
        """Run it, unless too many wait already, or too many bytes with them."""
        weight = job.weight
        if len(self._pool.jobs) < MOST_CALLS and not too_heavy(weight, self._held):
            if weight:
                self._held += weight
                job.on_finish = self._finished
            self._pool.add(job, now)
            return
        self._dropped += 1
        self.look_at = min(self.look_at, now + PAUSE)

    def look(self, now: float) -> None:
        """Report what was dropped, once there is room for the call."""
        if now < self.look_at:
            return
        self.look_at = now + PAUSE
        if len(self._reports.jobs) < MOST_CALLS:
            dropped, self._dropped = self._dropped, 0
            self.look_at = float("inf")
            self._reports.add(CallbackJob(self._say, f"{dropped} {self._text}"), now)

    def _finished(self, weight: int) -> None:
        self._held -= weight
