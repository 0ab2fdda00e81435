"""Notices when this process stood still, when its threads waited for a processor, and when its endpoint was not connected.

A machine that is busy with something else looks to a requester as a fault would; only what was measured excuses it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from time import monotonic

from .processor import TICK, ProcessorWaits, waited
from .rows import Rows

STALL = 0.15
"""Seconds by which a look must be late to count."""


class Stalls(threading.Thread):
    """Looks every 50 ms. ``connected``: whether the endpoint says that it is; ``since``: from when on it is asked."""

    def __init__(self, rows: Rows, connected: Callable[[], bool | None]) -> None:
        super().__init__(daemon=True, name="stalls")
        self._rows = rows
        self._connected = connected
        self._down: float | None = None

    def run(self) -> None:
        last, waits = monotonic(), ProcessorWaits(self._waits)
        while True:
            time.sleep(TICK)
            now = monotonic()
            if now - last > TICK + STALL:
                self._rows("still", round(last + TICK, 4), "process")
            self._look(now)
            longest = waits.look()
            if longest is not None:
                self._rows("still", round(now - longest, 4), "processor")
            last = now

    def _look(self, now: float) -> None:
        connected = self._connected()
        if connected is False and self._down is None:
            self._down = now - TICK
        elif connected is not False and self._down is not None:
            self._rows("down", round(self._down, 4))
            self._down = None

    def end(self) -> None:
        """The endpoint leaves: what is down until then was down."""
        if self._down is not None:
            self._rows("down", round(self._down, 4))
            self._down = None

    @staticmethod
    def _waits() -> dict[int, int]:
        """Nanoseconds for which each thread was ready to run and did not."""
        found: dict[int, int] = {}
        try:
            for tid in os.listdir("/proc/self/task"):
                with open(f"/proc/self/task/{tid}/schedstat") as file:
                    found[int(tid)] = waited(file.read())
        except (OSError, ValueError, IndexError):
            pass
        return found
