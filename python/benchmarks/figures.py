"""Makes a line of the table from many jobs: medians over rounds, ratios to the floor of the same round, and their spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, NamedTuple

from .processes import Job


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` (0 to 1) of the values do not reach."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass
class Spread:
    """The median, the smallest and the largest value over the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values))

    def text(self, digits: int = 2) -> str:
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"


@dataclass
class Line:
    """One line of the table. Times are microseconds, rates requests a second."""

    part: str
    name: str
    title: str
    at_once: int
    p50: Spread
    p99: Spread
    rate: Spread
    commands: float
    connections: int
    errors: int
    requests: int
    ratios: dict[str, Spread] = field(default_factory=dict)
    """Ratios by name. ``p50``, ``p99`` and ``cpu`` are divided by the floor's values, ``rate`` by its sequential rate."""
    cpu: dict[str, Spread] = field(default_factory=dict)
    """Processor time of a request in microseconds: requesters, responders, Redis. Empty if the system does not tell it."""
    note: str = ""
    rounds: dict[str, list[float]] = field(default_factory=dict)
    """``p50``, ``rate`` and ``cpu`` of each round, in order, so that the rounds of two lines can be compared."""

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Line:
        """The line from which ``plain`` was made, after it was stored as JSON."""
        spread = {key: Spread(**plain[key]) for key in ("p50", "p99", "rate")}
        spreads = {key: {name: Spread(**one) for name, one in plain.get(key, {}).items()} for key in ("ratios", "cpu")}
        return cls(**{**plain, **spread, **spreads})


class Rest(NamedTuple):
    """The cost of one idle endpoint: commands a second, per cent of a core, growth in KiB."""

    name: str
    title: str
    commands: float
    share: float
    grown: float
    seconds: float

    def text(self) -> str:
        return (
            f"{self.title}: {self.commands:.2f} commands/s, {self.share:.3f} % of a core and "
            f"{self.grown:.0f} KiB more memory for each endpoint in {self.seconds:.0f} s"
        )


def processors(job: Job) -> float:
    """Processor time of requesters and responders for one request, in seconds."""
    return sum(seconds for who, seconds in job.cpu.items() if who != "Redis") / max(1, len(job.latencies))


def line(part: str, name: str, title: str, at_once: int, jobs: Sequence[Job], floors: Sequence[Job] = ()) -> Line:
    """``floors``: the floor's job of each round, in the same order."""
    p50s = [percentile(job.latencies, 0.5) * 1e6 for job in jobs]
    p99s = [percentile(job.latencies, 0.99) * 1e6 for job in jobs]
    rates = [len(job.latencies) / job.seconds for job in jobs]
    done = sum(len(job.latencies) for job in jobs)
    found = Line(
        part, name, title, at_once, Spread.of(p50s), Spread.of(p99s), Spread.of(rates),
        sum(job.commands for job in jobs) / max(1, done), max(job.connections for job in jobs),
        sum(job.errors for job in jobs), done, rounds={"p50": p50s, "rate": rates},
    )  # fmt: skip
    for who in jobs[0].cpu:
        found.cpu[who] = Spread.of([1e6 * job.cpu.get(who, 0.0) / max(1, len(job.latencies)) for job in jobs])
    if all(processors(job) for job in jobs):
        found.rounds["cpu"] = [1e6 * processors(job) for job in jobs]
    if floors:
        base50 = [percentile(job.latencies, 0.5) * 1e6 for job in floors]
        base99 = [percentile(job.latencies, 0.99) * 1e6 for job in floors]
        rate = [len(job.latencies) / job.seconds for job in floors]
        found.ratios = {
            "p50": Spread.of([a / b for a, b in zip(p50s, base50, strict=True)]),
            "p99": Spread.of([a / b for a, b in zip(p99s, base99, strict=True)]),
            "rate": Spread.of([a / b for a, b in zip(rates, rate, strict=True)]),
        }
        if all(processors(job) for job in (*jobs, *floors)):
            pairs = zip(jobs, floors, strict=True)
            found.ratios["cpu"] = Spread.of([processors(job) / processors(floor) for job, floor in pairs])
    return found
