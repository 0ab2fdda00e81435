"""Whose turn it is, run after run: each kind of fault is to strike often enough, on all servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from .faults import FAULTS
from .lab.sites import SITES
from .report.result import Result
from .report.summary import ENOUGH


class Task(NamedTuple):
    """One run. ``weight``: how many kinds of faults have this site as their first one, which decides its share."""

    server: str
    site: str
    faults: list[str]
    weight: int


def work(names: list[str], only_site: str, alone: bool, server: str) -> list[Task]:
    """The runs on one server: a site for whatever has it as its first one; mixed, also what can strike there besides."""
    found = []
    for site in SITES:
        own = [name for name in names if FAULTS[name].sites[0] == site]
        can = own if alone else [name for name in names if site in FAULTS[name].sites]
        if own and (not only_site or site == only_site):
            found.append(Task(server, site, can, len(own)))
    return found


TRIED = 3
"""How often a run may come to nothing before its server is left out at its site."""


class Turns:
    """The next run is at the site whose own kinds lack the most strikes, on the server that had the fewest runs there.

    ``results``: the earlier runs. ``struck``: how often each kind struck.
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
        """The number of runs so far, those before included."""
        return self._at.total()

    def next(self) -> Task | None:
        """None where no site is left that is available."""
        if not self._tasks:
            return None
        often = ENOUGH
        while all(self._share(task, often) >= 1.0 for task in self._tasks):
            often += ENOUGH
        site = min(self._tasks, key=lambda task: self._share(task, often)).site
        there = [task for task in self._tasks if task.site == site]
        # Which server comes first moves on from one time to the next, as far as the results tell.
        first = self._at[site] % len(there)
        return min(there[first:] + there[:first], key=lambda task: self._here[task.server, site])

    def _share(self, task: Task, often: int) -> float:
        """How much of its own kinds has struck so often, from 0 to 1."""
        own = [name for name in task.faults if FAULTS[name].sites[0] == task.site]
        return sum(min(self.struck[name], often) for name in own) / (often * len(own))

    def ran(self, task: Task, result: Result | None) -> None:
        """Counts a run. Where it came to nothing again and again, this server cannot have this site."""
        self._here[task.server, task.site] += 1
        if result is not None:
            self._at[task.site] += 1
            self.struck.update(result.struck)
            return
        self._vain[task.server, task.site] += 1
        if self._vain[task.server, task.site] == TRIED:
            self._tasks.remove(task)
