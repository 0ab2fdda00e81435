"""Waits until processes that got SIGSTOP stand still.

The signal is sent at once, but each thread of a process stops for itself. Anything that it does meanwhile would seem to
come from a paused process.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

STOPPED_WITHIN = 0.5
"""The most seconds to wait."""
_PROC = Path("/proc")
_BETWEEN_LOOKS = 0.0005
_UNSEEN = 0.02
"""Seconds to wait where there is no ``/proc``."""
_STANDS = frozenset("TtZX")
"""States of a thread that does not run: stopped, traced, dead."""


def members_of(group: int) -> list[int]:
    """The processes of a process group; none where there is no ``/proc``."""
    numbers = [int(path.name) for path in _PROC.glob("[0-9]*")]
    return [number for number in numbers if _group(_PROC / str(number)) == group]


def wait_until_stopped(processes: Sequence[int]) -> None:
    """Return when no thread of these processes runs, or after ``STOPPED_WITHIN`` seconds."""
    if not processes:
        time.sleep(_UNSEEN)
        return
    end = time.monotonic() + STOPPED_WITHIN
    while any(_runs(_PROC / str(process)) for process in processes) and time.monotonic() < end:
        time.sleep(_BETWEEN_LOOKS)


def _group(process: Path) -> int | None:
    stat = _stat(process)
    return int(stat[2]) if len(stat) > 2 else None


def _runs(process: Path) -> bool:
    try:
        threads = list((process / "task").iterdir())
    except OSError:
        return False
    return any(stat and stat[0] not in _STANDS for stat in map(_stat, threads))


def _stat(path: Path) -> list[str]:
    """State, parent, process group and so on. Empty if it is gone. The name before them may contain any character."""
    try:
        return (path / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
