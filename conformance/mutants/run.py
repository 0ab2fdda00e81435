"""``make mutants``: each mutant of the model must fail the checks that are named for it, and the null testee must pass none.

    python mutants/run.py [NAME ...]      these only; a word like ROUTE: those that break a requirement of that section
    python mutants/run.py --propose       look for checks that catch what has no name yet, and write them into mutants.yaml

Writes ``mutants/results.json`` (unless only some were run), from which the coverage takes which requirement has a mutant that
was killed. Exit status 1 when a mutant survived, a MUST has none, or the null testee passed a MUST check.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import catalogue
import trial
from catalogue import HERE, Mutant

from redisipc_conformance.engine.events import CheckResult, Verdict
from redisipc_conformance.files import scenarios_folder
from redisipc_conformance.requirements import Requirements
from redisipc_conformance.scenario import Scenario, load_all
from redisipc_conformance.server import Server, choose
from redisipc_conformance.testee.process import TesteeUnusable
from redisipc_conformance.versions import version_holds

RESULTS = HERE / "results.json"
_MOST_NAMES = 2
_AT_ONCE = 3
_WRITTEN_AT_ONCE = 10


@dataclass(frozen=True)
class Fate:
    """What became of a mutant. ``verdict``: killed, survived, by-timeout, no-check, not-here (another server version)."""

    mutant: Mutant
    verdict: str
    seen: str = ""

    @property
    def good(self) -> bool:
        return self.verdict in ("killed", "not-here")


class Hunt:
    """Runs mutants side by side against one Redis."""

    def __init__(self, server: Server, scenarios: Sequence[Scenario], jobs: int, time_scale: float) -> None:
        self.server = server
        self.version = server.about().version
        self.scenarios = {scenario.id: scenario for scenario in scenarios}
        self.time_scale = time_scale
        self.right: dict[str, CheckResult] = {}
        """What each check says of the model without a mutation."""
        self._room = asyncio.Semaphore(jobs)
        self._one_model = asyncio.Lock()

    async def first_the_model(self, ids: Iterable[str]) -> list[str]:
        """Runs the model as it should be; the checks that it does not pass, which can catch nothing."""
        scenarios = [self.scenarios[id] for id in sorted(set(ids)) if id in self.scenarios]
        if not scenarios:
            return []
        ended = await trial.results(trial.MODEL, scenarios, self.server, time_scale=self.time_scale)
        self.right |= trial.by_name(ended)
        return sorted(name for name, check in self.right.items() if check.verdict is not Verdict.PASS)

    def _passes_without(self, name: str) -> bool:
        check = self.right.get(name)
        return check is not None and check.verdict is Verdict.PASS

    @property
    def _known(self) -> set[str]:
        return {name.rpartition("/")[0] for name in self.right}

    async def judge(self, mutant: Mutant) -> Fate:
        """Whether each check that is named for it fails by assertion. Tried twice: a busy machine hides what is wrong."""
        if mutant.server and not version_holds(mutant.server, self.version):
            return Fate(mutant, "not-here", f"needs a server {mutant.server}")
        unknown = sorted(mutant.scenarios - self.scenarios.keys())
        if unknown or not mutant.caught_by:
            return Fate(
                mutant, "no-check", f"no scenario {', '.join(unknown)}" if unknown else "no check is named for it"
            )
        fate = await self._judge(mutant)
        return fate if fate.good or fate.verdict == "no-check" else await self._judge(mutant)

    async def _judge(self, mutant: Mutant) -> Fate:
        try:
            checks = await self.checks(mutant, sorted(mutant.scenarios))
        except TesteeUnusable as error:
            return Fate(mutant, "survived", f"it could not be started: {error}")
        for name in mutant.caught_by:
            check = checks.get(name)
            if check is None:
                return Fate(mutant, "no-check", f"{name} is no check")
            if not self._passes_without(name):
                return Fate(mutant, "no-check", f"{name} does not pass without a mutation either")
            if not trial.caught(check):
                verdict = "by-timeout" if check.verdict in trial.FAILED else "survived"
                return Fate(mutant, verdict, f"{name}: {check.verdict.value} {check.message}")
        return Fate(mutant, "killed", checks[mutant.caught_by[0]].message)

    async def checks(self, mutant: Mutant, ids: Sequence[str]) -> dict[str, CheckResult]:
        command = [*trial.MODEL, "--mutant", mutant.name]
        async with self._room:
            scenarios = [self.scenarios[id] for id in ids]
            ended = await trial.results(command, scenarios, self.server, time_scale=self.time_scale)
        return trial.by_name(ended)

    def scenarios_for(self, requirement: str) -> list[list[str]]:
        """Those that check it, a few at a time, the quick ones first."""
        found = [s for s in self.scenarios.values() if any(requirement in c.requirements for c in s.checks)]
        ids = [s.id for s in sorted(found, key=lambda s: (len(s.needs), len(s.rows), len(s.steps)))]
        return [ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)]

    async def propose(self, mutant: Mutant) -> tuple[list[str], list[str]]:
        """Checks that catch it, and pass without it, of its first requirement if possible; and those that only timed out."""
        late: list[str] = []
        for requirement in mutant.breaks:
            for ids in self.scenarios_for(requirement):
                checks = await self.checks(mutant, ids)
                hits = [n for n, c in checks.items() if requirement in c.requirements and trial.caught(c)]
                late += [n for n, c in checks.items() if requirement in c.requirements and _timed_out(c)]
                async with self._one_model:
                    await self.first_the_model({name.rpartition("/")[0] for name in hits} - self._known)
                good = [name for name in hits if self._passes_without(name)]
                if good:
                    return sorted(good, key=lambda name: _rank(name, checks))[:_MOST_NAMES], late
        return [], late

    async def vacuous(self, requirements: Requirements) -> list[str]:
        """MUST checks that the null testee passes."""
        ended = await trial.results(trial.NULL, list(self.scenarios.values()), self.server, 64, self.time_scale)
        checks = trial.by_name(ended)
        return sorted(name for name, c in checks.items() if c.verdict is Verdict.PASS and c.level == "MUST")


def _timed_out(check: CheckResult) -> bool:
    return check.verdict in trial.FAILED and check.by_timeout


def _rank(name: str, checks: dict[str, CheckResult]) -> tuple[float, int, str]:
    """Better where most else in the scenario still passes, and where the check proves little else."""
    beside = [check for other, check in checks.items() if other.rpartition("/")[0] == name.rpartition("/")[0]]
    failed = sum(check.verdict is not Verdict.PASS for check in beside) / len(beside)
    return round(failed, 1), len(checks[name].requirements), name


def table(fates: Sequence[Fate]) -> str:
    """Mutant, requirement, caught by."""
    lines = []
    width = max(len(fate.mutant.name) for fate in fates)
    for fate in fates:
        caught = ", ".join(fate.mutant.caught_by) if fate.good else f"{fate.verdict.upper()}: {fate.seen}"
        lines.append(f"{fate.mutant.name:{width}}  {', '.join(fate.mutant.breaks):28}  {caught}")
    return "\n".join(lines)


def without_mutant(fates: Sequence[Fate], requirements: Requirements) -> list[str]:
    """Testable MUSTs that no killed mutant stands for."""
    covered = {id for fate in fates if fate.good for id in fate.mutant.breaks}
    return [r.id for r in requirements if r.level == "MUST" and r.testable and r.id not in covered]


def write(fates: Sequence[Fate], vacuous: Sequence[str], gaps: Sequence[str], server: str) -> None:
    """The file that the coverage reads. Nothing in it changes from run to run unless a verdict does."""
    rows = [
        {
            "name": fate.mutant.name,
            "breaks": list(fate.mutant.breaks),
            "fault": fate.mutant.fault,
            "caught_by": list(fate.mutant.caught_by),
            "verdict": fate.verdict,
        }
        for fate in fates
    ]
    data = {"server": server, "mutants": rows, "null_passes": list(vacuous), "must_without_mutant": list(gaps)}
    RESULTS.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")


async def propose(hunt: Hunt, mutants: Sequence[Mutant]) -> int:
    """Writes the finds into mutants.yaml, some at a time."""
    found: dict[str, list[str]] = {}

    async def one(mutant: Mutant) -> bool:
        checks, late = await hunt.propose(mutant)
        instead = f"only by timeout: {', '.join(late)}" if late else "nothing catches it"
        print(f"{mutant.name}: {', '.join(checks) or instead}", flush=True)
        if checks:
            found[mutant.name] = checks
        if len(found) >= _WRITTEN_AT_ONCE:
            catalogue.write_caught_by(found)
            found.clear()
        return bool(checks)

    caught = await asyncio.gather(*map(one, mutants))
    catalogue.write_caught_by(found)
    return int(not all(caught))


async def main(options: argparse.Namespace, server: Server) -> int:
    requirements = Requirements.load()
    chosen = [m for m in catalogue.load() if not options.names or {m.name, m.area} & set(options.names)]
    hunt = Hunt(server, load_all(scenarios_folder()), options.jobs, options.time_scale)
    if options.propose:
        return await propose(hunt, [mutant for mutant in chosen if options.names or not mutant.caught_by])
    wrong = await hunt.first_the_model(id for mutant in chosen for id in mutant.scenarios)
    fates = await asyncio.gather(*map(hunt.judge, chosen))
    print(table(fates))
    if wrong:
        print(f"\nthe model without a mutation fails {', '.join(wrong)}")
    bad = [fate for fate in fates if not fate.good]
    if options.names:
        return int(bool(bad or wrong))
    vacuous = await hunt.vacuous(requirements)
    gaps = without_mutant(fates, requirements)
    write(fates, vacuous, gaps, str(server.about()))
    killed = sum(fate.verdict == "killed" for fate in fates)
    print(f"\n{killed} of {len(fates)} killed on {server.about()}; {len(bad)} survived")
    print(f"null testee passes {len(vacuous)} MUST checks{': ' if vacuous else ''}{', '.join(vacuous)}")
    print(f"{len(gaps)} testable MUST without a killed mutant{': ' if gaps else ''}{', '.join(gaps)}")
    return int(bool(bad or wrong or vacuous or gaps))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--propose", action="store_true")
    parser.add_argument("--redis", default="auto")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--time-scale", type=float, default=1.0)
    arguments = parser.parse_args()
    with choose(arguments.redis, say=lambda line: print(line, file=sys.stderr)) as chosen_server:
        sys.exit(asyncio.run(main(arguments, chosen_server)))
