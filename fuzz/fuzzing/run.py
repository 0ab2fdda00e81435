"""Runs a target over many inputs, and keeps each failure as a file for later runs."""

from __future__ import annotations

import hashlib
import resource
import signal
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from .corpus import seeds
from .mutate import inputs
from .targets import TARGETS

LONGEST = 5
"""Seconds after which an input counts as a hang."""
GROWTH = 64 * 1024
"""The process may grow by so many KiB after the first tenth of the inputs."""


class Hang(Exception):
    """An input took longer than ``LONGEST``."""


@dataclass
class Result:
    """The result of one target."""

    target: str
    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    growth: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.target:9} {self.inputs:9,} inputs {self.seconds:7.1f} s, slowest {self.slowest * 1000:6.1f} ms, "
            f"grew by {self.growth / 1024:5.1f} MiB, {len(self.failures)} failures"
        )


def run(target: str, count: int, seed: int, found: Path, most: int = 5) -> Result:
    """Runs ``count`` inputs for one target. Stops after ``most`` failures, and writes each of them to ``found``."""
    result = Result(target)
    begin = time.perf_counter()
    signal.signal(signal.SIGALRM, _hang)
    memory = 0
    for number, data in enumerate(inputs(seeds(target), count, seed)):
        if number == count // 10:
            memory = _peak()
        started = time.perf_counter()
        signal.alarm(LONGEST)
        try:
            TARGETS[target](data)
        except Exception:
            result.failures.append(_keep(target, data, found))
        finally:
            signal.alarm(0)
        result.slowest = max(result.slowest, time.perf_counter() - started)
        result.inputs += 1
        if len(result.failures) >= most:
            break
    result.seconds = time.perf_counter() - begin
    result.growth = _peak() - memory
    if result.growth > GROWTH:
        result.failures.append(f"{target}: the process grew by {result.growth} KiB")
    return result


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _hang(_signal: int, _frame: FrameType | None) -> None:
    raise Hang(f"the input took longer than {LONGEST} s")


def _keep(target: str, data: bytes, found: Path) -> str:
    found.mkdir(parents=True, exist_ok=True)
    path = found / f"{target}-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return f"{path}\n{traceback.format_exc(limit=-4)}"
