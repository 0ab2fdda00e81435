"""Measures how long the testee's threads were ready to run and got no processor. This delay is not the testee's fault.

Linux counts it for each thread. Without such a count, the wait is 0 and excuses nothing. A wait does not count, either,
if the testee's own threads keep the processors busy.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PERIOD = 0.25
"""Seconds between two measurements."""
SHARE = 0.05
"""Of its time, the runner spends at most so much on the looks at one process: it may have ten thousand threads."""
LOOKS_KEPT = 2400
"""Measurements that are remembered for each process: ten minutes."""
_PROC = Path("/proc")
_OWN_SHARE = 0.75
"""If the testee uses a larger share of all processors, its threads wait for each other."""
Counts = dict[str, tuple[int, int]]
"""For each thread, the nanoseconds that it has run and waited so far."""


class ProcessorWait:
    """Measures the watched processes while its block runs."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[float, Counts]] = {}
        self._looks: dict[int, deque[tuple[float, float]]] = {}
        self._rest: dict[int, float] = {}
        """Until when a process is not looked at, since the last look took long."""
        self._task: asyncio.Task[None] | None = None

    def watch(self, pid: int) -> None:
        """Counts the waits of this process and of its children from now on."""
        if pid not in self._looks:
            self._looks[pid] = deque(maxlen=LOOKS_KEPT)
            self._before[pid] = time.monotonic(), dict(_counts(pid))

    def since(self, pids: Iterable[int], moment: float) -> float:
        """The seconds that they waited after `moment` (of `time.monotonic`): of each process the thread that waited most."""
        return sum(sum(waited for _, waited in self._after(pid, moment)) for pid in pids)

    def worst_second(self, pids: Iterable[int], moment: float) -> float:
        """Among all spans of one second after `moment`, the longest wait of one process in it."""
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
        if pid not in self._before:
            return
        at, before = self._before[pid]
        moment, now = time.monotonic(), dict(_counts(pid))
        if not now:
            # The process has ended. Its measurements are kept.
            del self._before[pid]
            return
        waited = excused_wait(before, now, moment - at, os.cpu_count() or 1)
        self._before[pid] = moment, now
        if waited > 0:
            self._looks[pid].append((moment, waited))

    async def _again(self) -> None:
        while True:
            await asyncio.sleep(PERIOD)
            self.look()

    def look(self) -> None:
        """At each process, but seldom at one whose threads take long to count: meanwhile the runner stands still."""
        for pid in list(self._before):
            began = time.monotonic()
            if began >= self._rest.get(pid, 0.0):
                self._look(pid)
                ended = time.monotonic()
                self._rest[pid] = ended + (ended - began) / SHARE

    async def __aenter__(self) -> ProcessorWait:
        self._task = asyncio.get_running_loop().create_task(self._again())
        return self

    async def __aexit__(self, *error: Any) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def waited_so_far(pid: int, began: float) -> float:
    """The seconds that a process which started at `began` (of `time.monotonic`) has waited for a processor."""
    return excused_wait({}, dict(_counts(pid)), time.monotonic() - began, os.cpu_count() or 1)


def excused_wait(before: Counts, now: Counts, span: float, processors: int) -> float:
    """The seconds that the thread waited that waited most in these ``span`` seconds; 0 where the testee is the cause itself."""
    none = (0, 0)
    ran = sum(total - before.get(thread, none)[0] for thread, (total, _) in now.items()) / 1e9
    if ran > _OWN_SHARE * processors * span:
        return 0.0
    return max((total - before.get(thread, none)[1] for thread, (_, total) in now.items()), default=0) / 1e9


def _counts(pid: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each thread of a process and of its children."""
    try:
        threads = list((_PROC / str(pid) / "task").iterdir())
        children = (_PROC / str(pid) / "task" / str(pid) / "children").read_text().split()
    except OSError:
        return
    for thread in threads:
        with contextlib.suppress(OSError, IndexError, ValueError):
            ran, waited, _ = (thread / "schedstat").read_text().split()
            yield thread.name, (int(ran), int(waited))
    for child in children:
        yield from _counts(int(child))
