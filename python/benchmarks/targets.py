"""The targets, and whether a run reached each of them: "met", "not met", or "not measured"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from .contenders import CONTENDERS
from .figures import Line, Rest


class Target(NamedTuple):
    """``what`` ("p50", "rate") of ``name`` at ``at_once`` over that of ``against``: at most or at least ``limit``.

    ``most``: whether ``limit`` is the most it may be. Without ``against`` the p50 is compared with the floor's.
    ``title``: the title of another line than that of the load; ``other``: the title of the line for the comparison.
    """

    name: str
    what: str
    at_once: int
    limit: float
    against: str = ""
    most: bool = False
    title: str = ""
    other: str = ""

    def text(self, titles: dict[str, str]) -> str:
        if self.title:
            word = "at most" if self.most else "at least"
            return f"{self.title}: {self.what} {word} {self.limit:g} of: {self.other}"
        against = titles.get(self.against, self.against) if self.against else "the floor"
        word = "at most" if self.most else "at least"
        return f"{titles.get(self.name, self.name)}, {self.at_once} at once: {self.what} {word} {self.limit:g} of {against}"


def _between(what: str, limit: float, title: str, other: str, most: bool = False) -> Target:
    return Target("", what, 0, limit, most=most, title=title, other=other)


_WORKING = ("responder, handlers of 200 us", "responders, handlers of 200 us")
TARGETS = (
    Target("redisipc_threads", "p50", 1, 1.05, most=True),
    Target("redisipc_asyncio", "p50", 1, 1.05, most=True),
    *(Target(f"redisipc_{kind}", "p50", 1, 1.0, "nats", most=True) for kind in ("threads", "asyncio")),
    *(Target("redisipc_asyncio", "rate", level, 1.25, "nats") for level in (64, 256)),
    *(Target("redisipc_asyncio_uvloop", "rate", level, 1.25, "nats_uvloop") for level in (64, 256)),
    Target("redisipc_threads", "rate", 16, 2.0, "grpc_threads"),
    Target("redisipc_threads", "rate", 64, 0.8, "nats"),
    _between("p50", 3.0, "32 groups on the stream, one at a time", "one pair alone", most=True),
    # 1.4 times the earlier rate of four responders: 0.88 of four of bare redis-py, and 0.89 with threads.
    *(
        _between("rate", limit, f"redisipc, {kind}: 4 responders", f"redisipc, {kind}: 4 responders of bare redis-py")
        for kind, limit in (("asyncio", 1.23), ("threads", 1.25))
    ),
    *(
        _between("rate", 1.2, f"redisipc, {kind}: 4 {_WORKING[1]}", f"redisipc, {kind}: 1 {_WORKING[0]}")
        for kind in ("asyncio", "threads")
    ),
)
RESTING = {"redisipc_threads": (1.15, 0.02), "redisipc_asyncio": (0.6, 0.03)}
"""An idle endpoint may send so many commands a second and use so many per cent of a core: earlier values, rounded up."""
LATER, LATEST = 1000.0, 5000.0
"""The pause of ``read_pause`` may delay a rare request by so many microseconds: the median, and the p99."""


def judged(lines: Sequence[Line], idle: Sequence[Rest] = ()) -> list[str]:
    """A row of a table for each target: medians of the ratios of rounds, with the smallest and the largest."""
    titles = {one.name: one.title for one in CONTENDERS}
    rows = ["| target | this run | |", "| --- | --- | --- |"]
    for target in TARGETS:
        ratios = _ratios(target, lines)
        if not ratios:
            rows.append(f"| {target.text(titles)} | | not measured |")
            continue
        reached = median(ratios) <= target.limit if target.most else median(ratios) >= target.limit
        found = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        rows.append(f"| {target.text(titles)} | {found} | {'met' if reached else '**not met**'} |")
    return [*rows, _rare(lines), *_resting(idle)]


def _ratios(target: Target, lines: Sequence[Line]) -> list[float]:
    if target.title:
        titles = {line.title: line for line in lines}
        one, other = titles.get(target.title), titles.get(target.other)
        return [] if one is None or other is None else _divided(target.what, one, other)
    parts = ("one at a time", "load")
    found = {(line.name, line.at_once): line for line in lines if line.part in parts}
    one = found.get((target.name, target.at_once))
    other = found.get((target.against or "floor_streams", target.at_once if target.against else 1))
    if one is None or other is None:
        return []
    return _divided(target.what, one, other)


def _divided(what: str, one: Line, other: Line) -> list[float]:
    return [a / b for a, b in zip(one.rounds[what], other.rounds[what], strict=False)]


def _resting(idle: Sequence[Rest]) -> Iterator[str]:
    """The rows about idle endpoints."""
    here = {rest.name: rest for rest in idle}
    for name, (commands, share) in RESTING.items():
        text = f"| {name.replace('_', ', ')} at rest: at most {commands:g} commands a second, {share:g} % of a core |"
        rest = here.get(name)
        if rest is None:
            yield f"{text} | not measured |"
        else:
            reached = rest.commands <= commands and rest.share <= share
            yield f"{text} {rest.commands:.2f}, {rest.share:.3f} % | {'met' if reached else '**not met**'} |"


def _rare(lines: Sequence[Line]) -> str:
    """The row about the delay of a rare request by the pause."""
    titles = {line.title: line for line in lines}
    paused, at_once = titles.get("rare requests, with the default pause"), titles.get("rare requests, without a pause")
    text = f"| rare requests on a busy stream: p50 at most {LATER / 1000:g} ms later with a pause, p99 {LATEST / 1000:g} ms |"
    if paused is None or at_once is None:
        return f"{text} | not measured |"
    median_later, last_later = paused.p50.median - at_once.p50.median, paused.p99.median - at_once.p99.median
    reached = median_later <= LATER and last_later <= LATEST
    found = f"{median_later / 1000:.2f} ms, {last_later / 1000:.2f} ms"
    return f"{text} {found} | {'met' if reached else '**not met**'} |"
