"""Runs mutants side by side against one Redis, and says what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import trial
from catalogue import Mutant

from redisipc_conformance.results import CheckResult, Verdict
from redisipc_conformance.scenario import Scenario
from redisipc_conformance.server import Server
from redisipc_conformance.testee.process import TesteeUnusable
from redisipc_conformance.versions import version_holds

_MOST_NAMES = 2
_MOST_TRIALS = 3
_TRIES = 2


@dataclass(frozen=True)
class Fate:
    """What became of a mutant. ``verdict``: killed, survived, by-timeout, no-check, not-here (another server version)."""

    mutant: Mutant
    verdict: str
    seen: str = ""
    server: str = ""
    mended: bool = False
    """Other checks of the same scenarios are named for it than before."""

    @property
    def good(self) -> bool:
        return self.verdict in ("killed", "not-here")


class Hunt:
    """Mutants of the model. Those whose scenarios mostly wait have a room of their own: they are in nobody's way."""

    def __init__(self, server: Server, scenarios: Sequence[Scenario], jobs: int, time_scale: float) -> None:
        self.server = server
        self.name = str(server.about())
        self.version = server.about().version
        self.scenarios = {scenario.id: scenario for scenario in scenarios}
        self.time_scale = time_scale
        self.mending = self.searching = False
        """Whether checks that do not catch may be replaced by others of the same scenarios that do; of any scenario."""
        self.right: set[str] = set()
        """Checks that the model passes without a mutation."""
        self.known: set[str] = set()
        """Scenarios of which `right` says everything."""
        self._room = asyncio.Semaphore(jobs)
        self._waiting_room = asyncio.Semaphore(jobs * 2)
        self._one_model = asyncio.Lock()

    async def first_the_model(self, ids: Iterable[str]) -> list[str]:
        """Runs the model as it should be; the checks that it does not pass, which can catch nothing."""
        scenarios = [self.scenarios[id] for id in sorted(set(ids)) if id in self.scenarios]
        if not scenarios:
            return []
        checks = trial.by_name(await trial.results(trial.MODEL, scenarios, self.server, time_scale=self.time_scale))
        wrong = [name for name, check in checks.items() if check.verdict is not Verdict.PASS]
        self.known |= {scenario.id for scenario in scenarios}
        self.right |= checks.keys() - set(wrong)
        return sorted(wrong)

    def rows(self, mutant: Mutant) -> int:
        """How much there is to do for it."""
        return sum(1 + len(self.scenarios[id].rows) for id in mutant.scenarios & self.scenarios.keys())

    def waits(self, mutant: Mutant) -> bool:
        """Whether its scenarios mostly wait."""
        return any("slow" in self.scenarios[id].needs for id in mutant.scenarios & self.scenarios.keys())

    def room_for(self, mutant: Mutant) -> asyncio.Semaphore:
        """To be held while it is judged."""
        return self._waiting_room if self.waits(mutant) else self._room

    async def judge(self, mutant: Mutant) -> Fate:
        """Whether each check that is named for it fails by assertion. Tried again: a busy machine hides what is wrong."""
        if not self.fits(mutant):
            return Fate(mutant, "not-here", f"needs a server {mutant.server}", self.name)
        unknown = sorted(mutant.scenarios - self.scenarios.keys())
        if unknown or not mutant.caught_by:
            why = f"no scenario {', '.join(unknown)}" if unknown else "no check is named for it"
            return Fate(mutant, "no-check", why, self.name)
        tries: list[dict[str, CheckResult]] = []
        for _ in range(_TRIES):
            fate, checks = await self._judge(mutant)
            if fate.good:
                return fate
            tries.append(checks)
        if self.mending:
            return self._mended(mutant, tries) or (await self._searched(mutant) if self.searching else None) or fate
        return fate

    async def _searched(self, mutant: Mutant) -> Fate | None:
        """Killed by checks of other scenarios."""
        names, _ = await self.propose(mutant)
        if not names:
            return None
        return Fate(replace(mutant, caught_by=tuple(names)), "killed", "", self.name, mended=True)

    def _mended(self, mutant: Mutant, tries: Sequence[dict[str, CheckResult]]) -> Fate | None:
        """Killed by checks that caught it each time: those of the named ones, else others of the same scenarios."""
        always = {
            name
            for name, check in tries[0].items()
            if name in self.right
            and not set(mutant.breaks).isdisjoint(check.requirements)
            and all(name in checks and trial.caught(checks[name]) for checks in tries)
        }
        first = {name for name in always if mutant.breaks[0] in tries[0][name].requirements}
        names = [name for name in mutant.caught_by if name in always] or sorted(
            first or always, key=lambda name: _rank(name, tries[0])
        )[:_MOST_NAMES]
        if not names:
            return None
        caught = replace(mutant, caught_by=tuple(names))
        return Fate(caught, "killed", tries[0][names[0]].message, self.name, mended=True)

    def fits(self, mutant: Mutant) -> bool:
        """Whether it is wrong at all on this server."""
        return not mutant.server or version_holds(mutant.server, self.version)

    async def _judge(self, mutant: Mutant) -> tuple[Fate, dict[str, CheckResult]]:
        def fate(verdict: str, seen: str) -> Fate:
            return Fate(mutant, verdict, seen, self.name)

        try:
            checks = await self.checks(mutant, sorted(mutant.scenarios))
        except TesteeUnusable as error:
            return fate("survived", f"it could not be started: {error}"), {}
        for name in mutant.caught_by:
            check = checks.get(name)
            if check is None:
                return fate("no-check", f"{name} is no check"), checks
            if name not in self.right:
                return fate("no-check", f"{name} does not pass without a mutation either"), checks
            if not trial.caught(check):
                verdict = "by-timeout" if check.verdict in trial.FAILED else "survived"
                return fate(verdict, f"{name}: {check.verdict.value} {check.message}"), checks
        return fate("killed", checks[mutant.caught_by[0]].message), checks

    async def checks(self, mutant: Mutant, ids: Sequence[str]) -> dict[str, CheckResult]:
        """What each check of these scenarios says of it. Raises TesteeUnusable."""
        command = [*trial.MODEL, "--mutant", mutant.name]
        scenarios = [self.scenarios[id] for id in ids]
        return trial.by_name(await trial.results(command, scenarios, self.server, time_scale=self.time_scale))

    def scenarios_for(self, requirement: str) -> list[list[str]]:
        """Those that check it, a few at a time, the quick ones first."""
        found = [s for s in self.scenarios.values() if any(requirement in c.requirements for c in s.checks)]
        ids = [s.id for s in sorted(found, key=lambda s: (len(s.needs), len(s.rows), len(s.steps)))]
        return [ids[at : at + _MOST_TRIALS] for at in range(0, len(ids), _MOST_TRIALS)]

    async def propose(self, mutant: Mutant) -> tuple[list[str], list[str]]:
        """Checks that catch it twice, and pass without it, of its first requirement if possible; and those that only timed out."""
        late: list[str] = []
        for requirement in mutant.breaks:
            for ids in self.scenarios_for(requirement):
                checks = await self.checks(mutant, ids)
                hits = [n for n, c in checks.items() if requirement in c.requirements and trial.caught(c)]
                late += [n for n, c in checks.items() if requirement in c.requirements and _timed_out(c)]
                async with self._one_model:
                    await self.first_the_model({name.rpartition("/")[0] for name in hits} - self.known)
                good = [name for name in hits if name in self.right]
                if good:
                    again = await self.checks(mutant, sorted({name.rpartition("/")[0] for name in good}))
                    good = [name for name in good if trial.caught(again[name])]
                if good:
                    return sorted(good, key=lambda name: _rank(name, checks))[:_MOST_NAMES], late
        return [], late

    async def vacuous(self, scenarios: Sequence[Scenario]) -> list[str]:
        """MUST checks that the null testee passes. It never does anything: waiting for it long is useless."""
        checks = trial.by_name(await trial.results(trial.NULL, scenarios, self.server, 64, self.time_scale / 4))
        return sorted(name for name, c in checks.items() if c.verdict is Verdict.PASS and c.level == "MUST")


def _timed_out(check: CheckResult) -> bool:
    return check.verdict in trial.FAILED and check.by_timeout


def _rank(name: str, checks: dict[str, CheckResult]) -> tuple[float, int, str]:
    """Better where most else in the scenario still passes, and where the check proves little else."""
    beside = [check for other, check in checks.items() if other.rpartition("/")[0] == name.rpartition("/")[0]]
    failed = sum(check.verdict is not Verdict.PASS for check in beside) / len(beside)
    return round(failed, 1), len(checks[name].requirements), name
