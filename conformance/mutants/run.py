"""``make mutants``: each mutant of the model must fail the checks that are named for it, and the null testee must pass none.

    python mutants/run.py [NAME ...]      these only; a word like ROUTE: those that break a requirement of that section
    python mutants/run.py --seconds 300   begins nothing after that; the next run goes on, unless what was judged has changed
    python mutants/run.py --new           judges what results.json does not know yet, and adds it there
    python mutants/run.py --afresh        forgets what earlier runs found
    python mutants/run.py --mend          names other checks of the same scenarios where those that are named do not catch
    python mutants/run.py --search        the same, and of any other scenario where none of these does
    python mutants/run.py --propose       look for checks that catch what has no name yet, and write them into mutants.yaml

Each mutant meets only the scenarios of its checks. Once all are judged, it writes ``mutants/results.json``, from which the
coverage takes which requirement has a mutant that was killed, and ``results.md``. Exit status 1 when a mutant survived, a MUST
has none, or the null testee passed a MUST check; 3 when there was no time for all.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Collection, Sequence

import catalogue
import results
from catalogue import Mutant
from hunt import Fate, Hunt
from kept import FILE, Kept

from redisipc_conformance.files import scenarios_folder
from redisipc_conformance.requirements import Requirements
from redisipc_conformance.scenario import load_all
from redisipc_conformance.scenario.corpus import named_checks
from redisipc_conformance.server import Server, choose

_WRITTEN_AT_ONCE = 10
_TOO_LATE = 3


class Run:
    """Judges mutants until there is no time; what it finds is kept."""

    def __init__(self, hunt: Hunt, kept: Kept, seconds: float) -> None:
        self.hunt = hunt
        self.kept = kept
        self.until = time.monotonic() + seconds
        self.fates: dict[str, Fate] = {}

    @property
    def late(self) -> bool:
        return time.monotonic() > self.until

    async def model(self, mutants: Sequence[Mutant]) -> list[str]:
        """The model without a mutation in the scenarios of these; the checks that it does not pass."""
        return await self.model_in({id for mutant in mutants for id in mutant.scenarios})

    async def model_in(self, ids: set[str]) -> list[str]:
        """The same, of these scenarios. Once more where it fails: a busy machine hides what is right."""
        ids = (ids & self.hunt.scenarios.keys()) - self.hunt.known
        for id in sorted(ids):
            right = self.kept.right(id)
            if right is not None:
                self.hunt.known.add(id)
                self.hunt.right.update(right)
        wrong = await self.hunt.first_the_model(ids - self.hunt.known)
        if wrong:
            wrong = await self.hunt.first_the_model({name.rpartition("/")[0] for name in wrong})
        bad = {name.rpartition("/")[0] for name in wrong}
        for id in ids & self.hunt.known - bad:
            self.kept.add_right(id, sorted(name for name in self.hunt.right if name.rpartition("/")[0] == id))
        return wrong

    async def judge(self, mutants: Sequence[Mutant]) -> None:
        """Into ``fates``, those that there is time for."""
        left = []
        for mutant in mutants:
            known = self.kept.fate(mutant)
            if known is None:
                left.append(mutant)
            else:
                self.fates[mutant.name] = known
        wrong = await self.model(left)
        if wrong:
            print(f"the model without a mutation fails {', '.join(wrong)}", flush=True)
        await asyncio.gather(*(self._judge(mutant) for mutant in sorted(left, key=self.hunt.rows)))

    async def _judge(self, mutant: Mutant) -> None:
        async with self.hunt.room_for(mutant):
            if self.late:
                return
            fate = await self.hunt.judge(mutant)
        self.fates[mutant.name] = fate
        self.kept.add(fate)
        if fate.mended:
            print(f"{mutant.name}: mended: {', '.join(fate.mutant.caught_by)}", flush=True)
            catalogue.write_caught_by({mutant.name: list(fate.mutant.caught_by)})
        if not fate.good:
            print(f"{mutant.name}: {fate.verdict}: {fate.seen}", flush=True)

    async def vacuous(self, ids: Collection[str]) -> list[str]:
        """MUST checks of these scenarios that the null testee passes."""
        scenarios = [self.hunt.scenarios[id] for id in sorted(ids)]
        left = [scenario for scenario in scenarios if self.kept.vacuous(scenario.id) is None]
        found = await self.hunt.vacuous(left)
        for scenario in left:
            passed = [name for name in found if name.rpartition("/")[0] == scenario.id]
            self.kept.add_vacuous(scenario.id, passed)
        return sorted(name for scenario in scenarios for name in self.kept.vacuous(scenario.id) or [])


async def propose(hunt: Hunt, mutants: Sequence[Mutant]) -> int:
    """Writes the finds into mutants.yaml, some at a time."""
    found: dict[str, list[str]] = {}

    async def one(mutant: Mutant) -> bool:
        async with hunt.room_for(mutant):
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


async def add_new(run: Run, mutants: Sequence[Mutant]) -> int:
    """Judges mutants and scenarios that were added or changed since the last run, and adds them to its results."""
    hunt = run.hunt
    checks = {named.id: scenario.id for scenario in hunt.scenarios.values() for named in named_checks(scenario)}
    known = results.stored(mutants, checks)
    await run.judge([mutant for mutant in mutants if mutant.name not in known.fates])
    fates = [known.fates.get(mutant.name) or run.fates.get(mutant.name) for mutant in mutants]
    bad = [fate for fate in run.fates.values() if not fate.good]
    ids = {scenario for check, scenario in checks.items() if check not in known.right}
    wrong = await run.model_in(ids)
    vacuous = await run.vacuous(ids)
    print(f"{len(run.fates)} mutants and {len(ids)} scenarios are new", flush=True)
    for told in (
        results.plain(bad),
        f"the model fails {', '.join(wrong)}" * bool(wrong),
        f"vacuous: {vacuous}" * bool(vacuous),
    ):
        print(told, end="\n" if told else "")
    good = [fate for fate in fates if fate is not None and fate.good]
    if bad or wrong or vacuous or len(good) < len(mutants):
        return 1
    results.write(
        good, known.right | (hunt.right & checks.keys()), (), results.without_mutant(good, Requirements.load())
    )
    return 0


async def main(options: argparse.Namespace, server: Server) -> int:
    mutants = catalogue.load()
    chosen = [m for m in mutants if not options.names or {m.name, m.area} & set(options.names)]
    hunt = Hunt(server, load_all(scenarios_folder()), options.jobs, options.time_scale)
    if options.propose:
        return await propose(hunt, [mutant for mutant in chosen if options.names or not mutant.caught_by])
    if options.afresh:
        FILE.unlink(missing_ok=True)
    hunt.mending, hunt.searching = options.mend or options.search, options.search
    run = Run(hunt, Kept(hunt.scenarios.values(), hunt.name), options.seconds)
    if options.new:
        return await add_new(run, mutants)
    await run.judge(chosen)
    checks = [named.id for scenario in hunt.scenarios.values() for named in named_checks(scenario)]
    elsewhere = results.stored(chosen, checks).fates
    fates = [run.fates[mutant.name] for mutant in chosen if mutant.name in run.fates]
    # What is wrong on other servers only keeps the verdict that was found there.
    fates = [elsewhere.get(fate.mutant.name, fate) if fate.verdict == "not-here" else fate for fate in fates]
    bad = [fate for fate in fates if not fate.good]
    if options.names or bad:
        print(results.plain(fates if options.names else bad))
    killed = sum(fate.verdict == "killed" for fate in fates)
    print(f"{killed} of {len(chosen)} killed on {hunt.name}; {len(bad)} not; {len(chosen) - len(fates)} not judged yet")
    if options.names or bad:
        return int(bool(bad))
    if len(fates) < len(chosen) or run.late:
        return _TOO_LATE
    requirements = Requirements.load()
    wrong = await run.model_in(set(hunt.scenarios))
    if wrong:
        print(f"the model without a mutation fails {', '.join(wrong)}")
        return 1
    if run.late:
        return _TOO_LATE
    vacuous = await run.vacuous(hunt.scenarios)
    gaps = results.without_mutant(fates, requirements)
    results.write(fates, hunt.right, vacuous, gaps)
    print(f"null testee passes {len(vacuous)} MUST checks{': ' if vacuous else ''}{', '.join(vacuous)}")
    print(f"{len(gaps)} testable MUST without a killed mutant{': ' if gaps else ''}{', '.join(gaps)}")
    return int(bool(vacuous or gaps))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--propose", action="store_true")
    parser.add_argument("--mend", action="store_true")
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--new", action="store_true")
    parser.add_argument("--afresh", action="store_true")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--redis", default="auto")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--time-scale", type=float, default=1.0)
    arguments = parser.parse_args()
    with choose(arguments.redis, say=lambda line: print(line, file=sys.stderr)) as chosen_server:
        sys.exit(asyncio.run(main(arguments, chosen_server)))
