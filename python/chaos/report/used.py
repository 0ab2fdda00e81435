"""The resources that processes and Redis used in a long run, and whether they grew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ..judge.record import Record
from ..judge.rowfile import rows

MIB = 1 << 20
FEWEST = 12
"""A process is judged only if it left so many samples: a shorter life shows no growth."""
WARM = 6
"""The first sixth of the samples is ignored. The second sixth is compared with the last one."""


@dataclass(frozen=True)
class Kind:
    """One figure of a sample. Because of noise, it may grow by a share of its first value, plus a fixed amount."""

    name: str
    share: float
    beside: float
    unit: float = 1.0


OF_PROCESSES = (
    Kind("memory, MiB", 0.10, 6 * MIB, MIB),
    Kind("descriptors", 0.0, 3),
    Kind("threads", 0.0, 3),
    Kind("sockets", 0.0, 3),
    Kind("outstanding", 0.5, 50),
)
OF_REDIS = (
    Kind("memory, MiB", 0.10, 2 * MIB, MIB),
    Kind("clients", 0.0, 5),
    Kind("keys", 0.0, 5),
    Kind("entries", 0.5, 50),
    Kind("consumers", 0.0, 5),
    Kind("pending", 0.5, 100),
)


@dataclass(frozen=True)
class Course:
    """One figure of one process, or of Redis: the first, the last and the greatest value."""

    who: str
    kind: Kind
    begin: float
    end: float
    most: float

    @property
    def flat(self) -> bool:
        return self.end <= self.begin * (1 + self.kind.share) + self.kind.beside

    def row(self) -> list[str]:
        figures = [f"{value / self.kind.unit:.1f}".removesuffix(".0") for value in (self.begin, self.end, self.most)]
        return [self.who, self.kind.name, *figures, "" if self.flat else "GROWS"]


HEADINGS = ["who", "what", "begin", "end", "most", ""]


def courses(record: Record, folder: Path) -> list[Course]:
    """The figures of each process that lived for long enough, and of Redis."""
    found = []
    for life in record.lives:
        group = record.history.processes[life.number].group
        found += _of(f"{group} {life.number} ({life.runtime})", OF_PROCESSES, [sample[1:] for sample in life.samples])
    of_redis = [row[2:] for row in rows(folder / "harness.jsonl") if row[0] == "redis"]
    return found + _of("Redis", OF_REDIS, of_redis)


def _of(who: str, kinds: Sequence[Kind], samples: Sequence[Sequence[float]]) -> list[Course]:
    if len(samples) < FEWEST:
        return []
    part = len(samples) // WARM
    found = []
    for index, kind in enumerate(kinds):
        values = [sample[index] for sample in samples]
        found.append(Course(who, kind, median(values[part : 2 * part]), median(values[-part:]), max(values)))
    return found
