"""Chooses the site and the server of each run, so that each kind of fault strikes often enough on all servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from .faults import FAULTS
from .lab.sites import SITES
from .report.result import Result
from .report.summary import ENOUGH


class Task(NamedTuple):
    """One run. ``weight``: the number of kinds of faults whose first site this is. It decides the share of the site."""

    server: str
    site: str
    faults: list[str]
    weight: int


def work(names: list[str], only_site: str, alone: bool, server: str) -> list[Task]:
    """The runs on one server. A site gets the faults whose first site it is, and in mixed runs also all others."""
    found = []
    for site in SITES:
        own = [name for name in names if FAULTS[name].sites[0] == site]
        can = own if alone else [name for name in names if site in FAULTS[name].sites]
        if own and (not only_site or site == only_site):
            found.append(Task(server, site, can, len(own)))
    return found


TRIED = 3
"""After so many runs without a result, a site no longer uses that server."""


class Turns:
    """The next run is at the site whose kinds of faults struck most rarely, on the server that had the fewest runs there.

    ``results``: the results of the earlier runs. ``struck``: how often each kind struck.
    """

    def __init__(self, tasks: Iterable[Task], results: Iterable[Result]) -> None:
        self._tasks = list(tasks)
        self._at: Counter[str] = Counter()
        self._here: Counter[tuple[str, str]] = Counter()
        self._vain: Counter[tuple[str, str]] = Counter()
        self.struck: Counter[str] = Counter()
        for result in results:
            self._at[result.site] += 1
            self.struck.update(result.struck)

    @property
    def runs(self) -> int:
        """The number of runs so far, earlier runs included."""
        return self._at.total()

    def next(self) -> Task | None:
        """None if no available site is left."""
        if not self._tasks:
            return None
        often = ENOUGH
        while all(self._share(task, often) >= 1.0 for task in self._tasks):
            often += ENOUGH
        site = min(self._tasks, key=lambda task: self._share(task, often)).site
        there = [task for task in self._tasks if task.site == site]
        # Another server comes first each time, as far as the results show.
        first = self._at[site] % len(there)
        return min(there[first:] + there[:first], key=lambda task: self._here[task.server, site])

    def _share(self, task: Task, often: int) -> float:
        """The share of its kinds that have struck so often, from 0 to 1."""
        own = [name for name in task.faults if FAULTS[name].sites[0] == task.site]
        return sum(min(self.struck[name], often) for name in own) / (often * len(own))

    def ran(self, task: Task, result: Result | None) -> None:
        """Counts a run. If its runs give no result again and again, the site no longer uses this server."""
        self._here[task.server, task.site] += 1
        if result is not None:
            self._at[task.site] += 1
            self.struck.update(result.struck)
            return
        self._vain[task.server, task.site] += 1
        if self._vain[task.server, task.site] == TRIED:
            self._tasks.remove(task)
