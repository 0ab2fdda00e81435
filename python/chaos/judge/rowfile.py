"""Reads the rows of a run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = list[Any]


@dataclass
class Struck:
    """One fault that struck: its time, its effect on Redis and on members, the members that it hit, and its proof."""

    name: str
    start: float
    end: float
    to_redis: str
    to_members: str
    processes: list[int]
    after: float
    proof: str

    @property
    def step(self) -> float:
        """Seconds by which Redis' clock stepped; 0 for other faults."""
        found = re.search(r"stepped by (-?[\d.]+) s", self.proof)
        return float(found[1]) if found else 0.0


@dataclass
class Said:
    """A report of one process to its user: an error of ``on_error``, or a line of the log."""

    time: float
    process: int
    kind: str
    text: str


@dataclass
class Life:
    """The data on a process that the simulation's ``Process`` lacks."""

    number: int
    runtime: str
    said: list[Said] = field(default_factory=list)
    downs: list[tuple[float, float]] = field(default_factory=list)
    samples: list[tuple[float, ...]] = field(default_factory=list)
    notes: list[tuple[float, str]] = field(default_factory=list)
    hung: bool = False
    instance: str = ""
    """Its instance id; the last one, if it changed."""
    code: int | None = None
    """Its exit status."""


def rows(path: Path) -> Iterator[Row]:
    """All complete rows of a file. A process that was killed may leave an incomplete one."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def process_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("process-*.jsonl"))
