"""The clock of a hub, and the calls that are due by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

from .virtual import monotonic

LINGER = 0.2
"""Seconds for which the thread stays although nothing is due."""


class Clock:
    """Seconds that pass by themselves, and may be set forward. ``aged`` moves the wall clock alone, in seconds."""

    def __init__(self) -> None:
        self.aged: float = 0.0
        self.now: Callable[[], float] = monotonic
        """Monotonic seconds."""
        self._epoch = time.time() - monotonic()

    def wall(self) -> int:
        """Milliseconds since 1970, as Redis reports them."""
        return int((monotonic() + self._epoch + self.aged) * 1000)


class Timers:
    """Calls what is due, under the hub's lock, on a thread that exists only while something is due."""

    def __init__(self, clock: Clock, lock: threading.RLock) -> None:
        self._clock = clock
        self._changed = threading.Condition(lock)
        self._due: dict[Hashable, tuple[float, Callable[[], None]]] = {}
        self._thread: threading.Thread | None = None
        self._wakes_at = 0.0

    def at(self, key: Hashable, due: float, call: Callable[[], None]) -> None:
        """Call ``call`` once at ``due``, replacing an earlier call with the same ``key`` . Hold the lock."""
        self._due[key] = due, call
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="redisipc-hub", daemon=True)
            self._thread.start()
        elif due < self._wakes_at:
            self._changed.notify()

    def cancel(self, key: Hashable) -> None:
        """Cancel the call. Hold the lock."""
        if self._due.pop(key, None) is not None and not self._due:
            self._changed.notify()

    def next(self) -> float | None:
        """When the next one is due. Hold the lock."""
        return min((due for due, _ in self._due.values()), default=None)

    def run_due(self) -> bool:
        """Call all that is due, in order. Whether there was any. Hold the lock."""
        now = self._clock.now()
        ready = sorted((due, number) for number, (due, _) in enumerate(self._due.values()) if due <= now)
        keys = list(self._due)
        for _, number in ready:
            entry = self._due.get(keys[number])
            if entry is not None and entry[0] <= now:
                del self._due[keys[number]]
                entry[1]()
        return bool(ready)

    def _run(self) -> None:
        with self._changed:
            lingers = True
            while self._due or lingers:
                lingers = bool(self._due)
                due = self.next()
                left = LINGER if due is None else due - self._clock.now()
                if left > 0:
                    self._wakes_at = self._clock.now() + left
                    self._changed.wait(left)
                else:
                    self.run_due()
            self._thread = None
