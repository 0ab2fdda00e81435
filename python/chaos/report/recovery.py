"""The times after each fault until the first success, until each endpoint had one, and until all were connected."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from statistics import median

from ..faults import FAULTS
from ..judge.record import Record
from ..judge.rowfile import Struck

SEEN = 0.2
"""A member may note the beginning of an outage so many seconds too early, since it looks only at intervals."""
HORIZON = 30.0
"""The report looks for effects of a fault for so many seconds after it."""


@dataclass
class Recovery:
    """One fault of a run in which faults came alone. Times are seconds from its end, or from its strike if the fault says so."""

    fault: str
    first: float | None
    """Until the first success of a member that it hit; None: there was none in time."""
    every: float | None
    """Until each member that it hit had a success."""
    connected: float
    """Until all were connected; 0 if no member lost its connection."""
    stalled: float
    """The seconds for which the machine delayed a member meanwhile."""
    by_runtime: dict[str, float | None] = field(default_factory=dict)
    """``every`` for the endpoints of each runtime."""


class Recoveries:
    """Computes the times of one record."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._signs: dict[int, list[float]] = {
            process.number: list(process.starts) for process in record.history.processes
        }
        for ask in record.history.asks:
            if ask.status in ("fulfilled", "rejected") and ask.outcomes:
                self._signs[ask.sender].append(ask.outcomes[0])
        for signs in self._signs.values():
            signs.sort()

    def all(self) -> list[Recovery]:
        faults = sorted(self._record.faults, key=lambda fault: fault.start)
        nexts = [*(fault.start for fault in faults), self._record.quiet_at][1:]
        return [self._of(fault, end) for fault, end in zip(faults, nexts, strict=True) if fault.name in FAULTS]

    def _of(self, fault: Struck, until: float) -> Recovery:
        start = fault.start if FAULTS[fault.name].aim_from == "strike" else fault.end
        until = min(until, start + HORIZON)
        hit = self._hit(fault, start)
        firsts = [self._next(number, start, until) for number in hit]
        found = [first for first in firsts if first is not None]
        downs = [
            end - start
            for number in hit
            for began, end in self._record.lives[number].downs
            if fault.start - SEEN <= began < until - SEEN and end > start
        ]
        stalls = (
            min(trouble.end, until) - max(trouble.start, fault.start)
            for number in hit
            for trouble in self._record.history.processes[number].troubles
            if trouble.kind == "paused" and trouble.start < until and fault.start < trouble.end
        )
        of: dict[str, list[float | None]] = {}
        for number, first in zip(hit, firsts, strict=True):
            of.setdefault(self._record.lives[number].runtime, []).append(first)
        by_runtime = {runtime: _last(each) for runtime, each in of.items()}
        return Recovery(
            fault.name,
            min(found, default=None),
            _last(firsts),
            max(downs, default=0.0),
            max(stalls, default=0.0),
            by_runtime,
        )

    def _hit(self, fault: Struck, start: float) -> list[int]:
        """The members that had to recover: those that it hit, or all, if they are alive and connected again."""
        named = fault.processes if FAULTS[fault.name].struck_at == "members" and fault.processes else None
        found = []
        for process in self._record.history.processes:
            up = process.up_at is not None and process.up_at < start
            lives = process.ended_at is None or process.ended_at > start + 2.0
            gem = self._record.lives[process.number].runtime == "gem"
            if up and lives and not gem and (named is None or process.number in named):
                found.append(process.number)
        if named is not None and not found:
            # These members died. Others that connect during the fault take their places.
            return [
                p.number
                for p in self._record.history.processes
                if p.up_at is not None and fault.start < p.up_at <= fault.end + 0.5
            ]
        return found

    def _next(self, number: int, start: float, until: float) -> float | None:
        signs = self._signs[number]
        index = bisect_left(signs, start)
        return signs[index] - start if index < len(signs) and signs[index] < until else None


def _last(firsts: list[float | None]) -> float | None:
    """The latest of the times; None if a member had no success, or if there is no member."""
    found = [first for first in firsts if first is not None]
    return max(found) if found and len(found) == len(firsts) else None


def table(found: list[Recovery]) -> list[list[str]]:
    """Rows: fault, times, first success, every endpoint, each runtime, connected, aim, number of cases beyond the aim."""
    by_name: dict[str, list[Recovery]] = {}
    for each in found:
        by_name.setdefault(each.fault, []).append(each)
    rows = []
    for name, kind in FAULTS.items():
        ones = by_name.get(name, [])
        if ones:
            over = sum(one.every is None or one.every - one.stalled > kind.aim for one in ones)
            rows.append([
                name, str(len(ones)), _spread([one.first for one in ones]), _spread([one.every for one in ones]),
                *(_spread([one.by_runtime[each] for one in ones if each in one.by_runtime]) for each in RUNTIMES),
                _spread([one.connected for one in ones]), f"{kind.aim:g} from {kind.aim_from}", str(over or ""),
            ])  # fmt: skip
    return rows


RUNTIMES = ("threads", "asyncio", "node")
HEADINGS = ["fault", "times", "first success", "every endpoint", *RUNTIMES, "all connected", "aim", "over"]


def _spread(values: list[float | None]) -> str:
    """Median / worst, in seconds; ``-`` if a case never reached this point."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    worst = f"{max(known):.2f}" if len(known) == len(values) else "-"
    return f"{median(known):.2f} / {worst}"
