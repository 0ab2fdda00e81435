"""The targets, and whether a run reached it: "met", "not met", or "not measured"."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from .figures import Line


class Target(NamedTuple):
    """``what`` ("p50", "rate") of ``name`` at ``at_once`` over that of ``against``: at most or at least ``limit``.

    ``most``: whether ``limit`` is the most it may be. Without ``against`` the p50 is compared with the floor's.
    """

    name: str
    what: str
    at_once: int
    limit: float
    against: str = ""
    most: bool = False

    def text(self, titles: dict[str, str]) -> str:
        against = titles.get(self.against, self.against) if self.against else "the floor"
        word = "at most" if self.most else "at least"
        return f"{titles.get(self.name, self.name)}, {self.at_once} at once: {self.what} {word} {self.limit:g} of {against}"


TARGETS = (
    Target("redisipc_threads", "p50", 1, 1.05, most=True),
    Target("redisipc_asyncio", "p50", 1, 1.05, most=True),
    Target("redisipc_asyncio", "p50", 1, 1.0, "nats", most=True),
    *(Target("redisipc_asyncio", "rate", level, 1.25, "nats") for level in (64, 256)),
    *(Target("redisipc_asyncio_uvloop", "rate", level, 1.25, "nats_uvloop") for level in (64, 256)),
    Target("redisipc_threads", "rate", 16, 2.0, "grpc_threads"),
    Target("redisipc_threads", "rate", 64, 0.8, "nats"),
)


def judged(lines: Sequence[Line]) -> list[str]:
    """A row of a table for each target: medians of the ratios of rounds, with the smallest and the largest."""
    titles = {line.name: line.title for line in lines if line.part in ("one at a time", "load")}
    rows = ["| target | this run | |", "| --- | --- | --- |"]
    for target in TARGETS:
        ratios = _ratios(target, lines)
        if not ratios:
            rows.append(f"| {target.text(titles)} | | not measured |")
            continue
        reached = median(ratios) <= target.limit if target.most else median(ratios) >= target.limit
        found = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        rows.append(f"| {target.text(titles)} | {found} | {'met' if reached else '**not met**'} |")
    return rows


def _ratios(target: Target, lines: Sequence[Line]) -> list[float]:
    parts = ("one at a time", "load")
    found = {(line.name, line.at_once): line for line in lines if line.part in parts}
    one = found.get((target.name, target.at_once))
    other = found.get((target.against or "floor_streams", target.at_once if target.against else 1))
    if one is None or other is None:
        return []
    return [a / b for a, b in zip(one.rounds[target.what], other.rounds[target.what], strict=False)]
