"""Notices when this process stood still, when its threads waited for a processor, and when its endpoint was not connected.

To a requester, a busy machine looks like a fault. Only a measured delay excuses the requester.
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
"""A look counts as late from so many seconds on."""


class Stalls(threading.Thread):
    """Looks every 50 ms. ``connected``: whether the endpoint is connected; ``since``: the time of the first look."""

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
        """Ends the looks when the endpoint leaves, and writes an outage that has not ended."""
        if self._down is not None:
            self._rows("down", round(self._down, 4))
            self._down = None

    @staticmethod
    def _waits() -> dict[int, int]:
        """The nanoseconds for which each thread was ready to run, and had to wait."""
        found: dict[int, int] = {}
        try:
            for tid in os.listdir("/proc/self/task"):
                with open(f"/proc/self/task/{tid}/schedstat") as file:
                    found[int(tid)] = waited(file.read())
        except (OSError, ValueError, IndexError):
            pass
        return found
