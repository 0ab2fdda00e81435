"""The figures of a storm."""

from __future__ import annotations

from dataclasses import dataclass

NEEDS = ("gevent", "uvloop")
"""Packages of which a storm that has their name needs one."""


@dataclass
class Figures:
    """The figures of the runs of one storm on one Python."""

    runs: int = 0
    interruptions: int = 0
    calls: int = 0
    seconds: float = 0.0
    failed: int = 0

    def add(self, more: Figures) -> None:
        self.runs += more.runs
        self.interruptions += more.interruptions
        self.calls += more.calls
        self.seconds += more.seconds
        self.failed += more.failed


def figures_of(code: int, text: str) -> tuple[int, int] | None:
    """Interruptions and calls, where a storm ended well."""
    for line in text.splitlines():
        words = line.split()
        if code == 0 and words[:2] == ["went", "on"]:
            return int(words[2]), int(words[3])
    return None


def needs(storm: str) -> str | None:
    """The package that a storm needs, or None."""
    return next((package for package in NEEDS if package in storm), None)
