"""The resources that this process uses: memory, descriptors, threads, connections."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .rows import Rows


class Sampler(threading.Thread):
    """Writes a sample every ``every`` seconds."""

    def __init__(self, rows: Rows, every: float, outstanding: Callable[[], int]) -> None:
        super().__init__(daemon=True, name="sampler")
        self._rows = rows
        self._every = every
        self._outstanding = outstanding

    def run(self) -> None:
        while True:
            time.sleep(self._every)
            self._rows("sample", *sample(), self._outstanding())


def sample() -> tuple[int, int, int, int]:
    """The resident bytes, descriptors, threads and sockets of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    names = os.listdir("/proc/self/fd")
    sockets = 0
    for name in names:
        try:
            sockets += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except OSError:
            pass
    return pages * os.sysconf("SC_PAGE_SIZE"), len(names), len(os.listdir("/proc/self/task")), sockets
