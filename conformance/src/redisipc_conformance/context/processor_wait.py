"""How long the testee's threads were ready to run and got no processor: the machine's delay, which is nobody's fault.

Linux counts it for each thread. Where there is no such count, it is 0 and excuses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PERIOD = 0.25
"""Seconds between two looks."""
KEPT = 2400
"""Looks that are remembered of a process: ten minutes."""
_PROC = Path("/proc")


class ProcessorWait:
    """Looks at the processes that it watches for as long as it is entered."""

    def __init__(self) -> None:
        self._before: dict[int, dict[str, int]] = {}
        self._looks: dict[int, deque[tuple[float, float]]] = {}
        self._task: asyncio.Task[None] | None = None

    def watch(self, pid: int) -> None:
        """Its wait counts from now on, and that of its children."""
        if pid not in self._looks:
            self._looks[pid] = deque(maxlen=KEPT)
            self._before[pid] = dict(_waits(pid))

    def since(self, pids: Iterable[int], moment: float) -> float:
        """The seconds that they waited after `moment` (of `time.monotonic`): of each process the thread that waited most."""
        return sum(sum(waited for _, waited in self._after(pid, moment)) for pid in pids)

    def worst_second(self, pids: Iterable[int], moment: float) -> float:
        """Of all spans of a second after `moment`, the longest wait of one process in it."""
        worst = 0.0
        for pid in pids:
            looks = self._after(pid, moment)
            for at, _ in looks:
                worst = max(worst, sum(waited for other, waited in looks if at - 1 < other <= at))
        return worst

    def _after(self, pid: int, moment: float) -> list[tuple[float, float]]:
        self._look(pid)
        return [look for look in self._looks.get(pid, ()) if look[0] > moment]

    def _look(self, pid: int) -> None:
        before = self._before.get(pid)
        if before is None:
            return
        now = dict(_waits(pid))
        if not now:
            # It has ended. What is known of it stays.
            del self._before[pid]
            return
        waited = max((total - before.get(thread, 0) for thread, total in now.items()), default=0)
        self._before[pid] = now
        if waited > 0:
            self._looks[pid].append((time.monotonic(), waited / 1e9))

    async def _again(self) -> None:
        while True:
            await asyncio.sleep(PERIOD)
            for pid in list(self._before):
                self._look(pid)

    async def __aenter__(self) -> ProcessorWait:
        self._task = asyncio.get_running_loop().create_task(self._again())
        return self

    async def __aexit__(self, *error: Any) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _waits(pid: int) -> Iterator[tuple[str, int]]:
    """Each thread of a process and of its children, with the nanoseconds that it has waited so far."""
    try:
        threads = list((_PROC / str(pid) / "task").iterdir())
        children = (_PROC / str(pid) / "task" / str(pid) / "children").read_text().split()
    except OSError:
        return
    for thread in threads:
        with contextlib.suppress(OSError, IndexError, ValueError):
            yield thread.name, int((thread / "schedstat").read_text().split()[1])
    for child in children:
        yield from _waits(int(child))
