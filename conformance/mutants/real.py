"""``make mutants``, second part: patches against the real ports, each of which the suite has to notice.

    python mutants/real.py [NAME ...]     these only; a word like keep-alive or node: those of that kind or port
    python mutants/real.py --seconds 540  begins nothing after that; the next run goes on
    python mutants/real.py --again        tries once more what was not killed
    python mutants/real.py --first ID ... these scenarios before all others, and no slow one beside them: what they do
                                          not kill stays unjudged
    python mutants/real.py --afresh       forgets what earlier runs found

A patch is *killed* when a check of a statement that it breaks fails by assertion, twice, and passes without the patch. A failure
in an earlier run counts, too. The patch is *other* when only checks of other statements fail so, *by-timeout* when checks only
wait in vain, else *survived*. It meets the scenarios that check what it breaks: those that caught it before, then those that wait
little, then the slow ones, and no further one once it is killed. What is found goes into ``real/results.json`` and
``real/results.md``.

Exit status 0 when each is killed or survives with a reason in its file; 1 when one survives without, cannot be built, or has a
reason though it is killed; 3 when there was no time for all, or the machine was too busy.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence

import fates
import patches
import trial
from fates import NOT_JUDGED, UNDECIDED, Fate, Kept
from patches import ROOT, Patch

from redisipc_conformance import always
from redisipc_conformance.files import scenarios_folder
from redisipc_conformance.results import DIED, CheckResult, ScenarioResult, Verdict
from redisipc_conformance.scenario import Scenario, load_all
from redisipc_conformance.server import Server, choose
from redisipc_conformance.testee.errors import TesteeUnusable

_COPIES = ROOT / "out" / f"real-mutants-{os.getpid()}"
_MOST_NAMED = 3
_MOST_TRIES = 2
_AT_ONCE = 24
"""So many scenarios, then it looks at the clock."""
_SLOW_AT_ONCE = 8
_TOO_LATE = 3
_RIGHT = (Verdict.PASS, Verdict.NOT_APPLICABLE)


class Hunt:
    """Judges patches side by side, against one Redis."""

    def __init__(
        self, server: Server, scenarios: Sequence[Scenario], until: float, again: bool, first: Sequence[str] = ()
    ) -> None:
        self.server = server
        self.scenarios = {scenario.id: scenario for scenario in scenarios}
        self.until = until
        self.again = again
        self.first = set(first)
        self.kept = Kept()
        self._known = fates.load()
        self._right: dict[tuple[str, str], set[str]] = {}
        self._wrong: dict[tuple[str, str], set[str]] = {}
        self._tries: Counter[tuple[str, str]] = Counter()
        self._sources: dict[str, str] = {}
        self._locks: dict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    def stamp(self, patch: Patch, fate: Fate) -> str:
        """Another one where the patch, the file that it changes, or a scenario that the verdict comes from is another."""
        ids = {name.rpartition("/")[0] for name in fate.by} if fate.verdict == "killed" else set()
        chosen = [self.scenarios[id] for id in sorted(ids) if id in self.scenarios] or self.scenarios_for(patch)
        texts = [f"{each.text}{each.rows}".encode() for each in chosen]
        return patches.digest(repr(patch.edits).encode(), (ROOT / patch.file).read_bytes(), *texts)

    def _stamp_of_port(self, on: str, id: str) -> str:
        if on not in self._sources:
            self._sources[on] = patches.digest(*(path.read_bytes() for path in patches.sources_of(on)))
        scenario = self.scenarios[id]
        return patches.digest(self._sources[on].encode(), f"{scenario.text}{scenario.rows}".encode())

    def scenarios_for(self, patch: Patch) -> list[Scenario]:
        """Those that check what it breaks."""
        broken = set(patch.breaks)
        profile_of_port = patch.on.endswith("-ask")
        return [
            scenario
            for scenario in self.scenarios.values()
            if any(broken & set(check.requirements) for check in scenario.checks)
            and (scenario.profile == "ask") is profile_of_port
        ]

    async def judge(self, patch: Patch) -> Fate | None:
        """From what is kept, else by a trial; None where there is no time."""
        kept = self.kept.of(patch.name)
        is_open = kept is not None and kept[0].verdict in (NOT_JUDGED, UNDECIDED)
        is_good = kept is not None and not is_open and (kept[0].is_killed or not self.again)
        if kept is not None and is_good and kept[1] == self.stamp(patch, kept[0]):
            return kept[0]
        if time.monotonic() > self.until:
            return None
        began = time.monotonic()
        fate = await self._judge(patch)
        self.kept.keep(fate, self.stamp(patch, fate))
        took = time.monotonic() - began
        print(f"{patch.name}: {fate.verdict} {', '.join(fate.by)} ({took:.0f} s)", flush=True)
        return fate

    async def _judge(self, patch: Patch) -> Fate:
        folder = _COPIES / patch.name
        try:
            command = await asyncio.to_thread(patches.make, patch, folder)
            return await self._tried(patch, command)
        except (OSError, ValueError, TesteeUnusable) as error:
            return Fate(patch.name, NOT_JUDGED, seen=str(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _tried(self, patch: Patch, command: Sequence[str]) -> Fate:
        count = 0
        others: dict[str, CheckResult] = {}
        late: dict[str, CheckResult] = {}
        undecided: list[str] = []
        for turn, some in enumerate(self._in_turn(patch)):
            count += len(some)
            left = [each for each in some if not self._has_passed(patch, each.id)]
            size = _SLOW_AT_ONCE if any("slow" in each.needs for each in left) else _AT_ONCE
            while left:
                if time.monotonic() > self.until:
                    reasons = [f"too busy for {name}" for name in undecided] + [f"late: {name}" for name in late]
                    return Fate(patch.name, UNDECIDED, seen="; ".join(["the time was over", *reasons[:_MOST_NAMED]]))
                found = await self._caught(patch, command, left[:size], likely=turn == 0)
                if killed := await self._twice(patch, command, found):
                    return killed
                others |= found.others
                late |= found.late
                undecided += found.undecided
                unlike = {name.rpartition("/")[0] for name in (*found.named, *others, *late, *undecided)}
                self.kept.keep_met(patch.name, {self._place(patch, id) for id in found.ended - unlike})
                left = [each for each in left if each.id not in found.ended]
        if undecided:
            return Fate(patch.name, UNDECIDED, seen=f"the machine was too busy for {undecided[0]}")
        if self.first:
            return Fate(patch.name, UNDECIDED, seen="only some scenarios were tried")
        if others:
            return Fate(patch.name, "other", tuple(list(others)[:_MOST_NAMED]), next(iter(others.values())).message)
        if late:
            return Fate(patch.name, "by-timeout", tuple(list(late)[:_MOST_NAMED]))
        return Fate(patch.name, "survived", seen=f"{count} scenarios")

    async def _twice(self, patch: Patch, command: Sequence[str], found: Caught) -> Fate | None:
        """Killed where a check fails that failed before: in an earlier run, else once more now."""
        if not found.named:
            return None
        stored = self._known.get(patch.name)
        before = set(stored.by) if stored is not None and stored.is_killed else set()
        met = self.kept.met(patch.name)
        both = [name for name in found.named if name in before or f"{name} {self._place(patch, name)}" in met]
        if not both:
            # Kept now: the second trial may be too late for this run.
            self.kept.keep_met(patch.name, {f"{name} {self._place(patch, name)}" for name in found.named})
            if time.monotonic() > self.until:
                return Fate(
                    patch.name, UNDECIDED, seen=f"{next(iter(found.named))} failed once; the next run continues"
                )
            ids = sorted({name.rpartition("/")[0] for name in found.named})
            second = await self._caught(patch, command, [self.scenarios[id] for id in ids])
            both = [name for name in found.named if name in second.named]
            if not both:
                self._not_twice(found, second)
        return Fate(patch.name, "killed", tuple(both[:_MOST_NAMED]), found.named[both[0]].message) if both else None

    @staticmethod
    def _not_twice(found: Caught, second: Caught) -> None:
        """What failed once and was not decided by the second trial has not survived."""
        for name in found.named:
            if name in second.undecided or name.rpartition("/")[0] not in second.ended:
                found.undecided.append(name)
            elif name in second.late:
                found.late[name] = second.late[name]

    def _has_passed(self, patch: Patch, id: str) -> bool:
        """In an earlier run; what failed there once is tried again."""
        met, place = self.kept.met(patch.name), self._place(patch, id)
        return place in met and not any(key.endswith(f" {place}") for key in met)

    def _place(self, patch: Patch, name: str) -> str:
        """A scenario, or that of a check, with the stamp of what the patch meets there."""
        id = name if name in self.scenarios else name.rpartition("/")[0]
        scenario = self.scenarios[id]
        source = (ROOT / patch.file).read_bytes()
        return f"{id} {patches.digest(repr(patch.edits).encode(), source, f'{scenario.text}{scenario.rows}'.encode())}"

    def _in_turn(self, patch: Patch) -> list[list[Scenario]]:
        """The scenarios that it meets, the cheap and likely ones first."""
        before = self._known.get(patch.name)
        caught = {name.rpartition("/")[0] for name in before.by} if before is not None else set()
        caught |= self.first | {
            words[0].rpartition("/")[0] for key in self.kept.met(patch.name) if len(words := key.split()) == 3
        }
        every = self.scenarios_for(patch)
        rest = [scenario for scenario in every if scenario.id not in caught]
        return [
            [scenario for scenario in every if scenario.id in caught],
            [scenario for scenario in rest if "slow" not in scenario.needs],
            [scenario for scenario in rest if "slow" in scenario.needs and not self.first],
            self._all_others(patch, every),
        ]

    def _all_others(self, patch: Patch, met: Sequence[Scenario]) -> list[Scenario]:
        """Those that look at what it breaks as they look at every rule: where a rule is for one of its statements."""
        if not any(set(patch.breaks) & set(rule.requirements) for rule in always.RULES):
            return []
        asks = patch.on.endswith("-ask")
        others = [each for each in self.scenarios.values() if each not in met and (each.profile == "ask") is asks]
        return [each for each in others if "slow" not in each.needs and not each.own_server]

    async def _caught(
        self, patch: Patch, command: Sequence[str], scenarios: Sequence[Scenario], *, likely: bool = False
    ) -> Caught:
        """What the scenarios say; the rest of them is left out once one has caught it.

        ``likely``: they caught it before. What the port does without the patch is asked meanwhile.
        """

        def is_caught(result: ScenarioResult) -> bool:
            return any(trial.caught(check) and set(patch.breaks) & set(check.requirements) for check in result.checks)

        found = Caught()
        meanwhile = asyncio.gather(*(self._passes(patch.on, scenario.id) for scenario in scenarios if likely))
        try:
            ended = await trial.results(command, scenarios, self.server, enough=is_caught)
        finally:
            await meanwhile
        found.ended = {result.id for result in ended}
        for name, check in trial.by_name(ended).items():
            if trial.undecided(check) and set(patch.breaks) & set(check.requirements):
                found.undecided.append(name)
            if check.verdict not in trial.FAILED or not await self._is_right(patch.on, name):
                continue
            if check.by_timeout:
                found.late[name] = check
            elif set(patch.breaks) & set(check.requirements):
                found.named[name] = check
            else:
                found.others[name] = check
        return found

    async def _is_right(self, on: str, name: str) -> bool:
        """Whether the port passes this check as it is. A rule of every scenario is no check where it was kept, nor is the end
        of a process where it ran on.
        """
        id, _, check = name.rpartition("/")
        right = await self._passes(on, id)
        return name not in self._wrong[on, id] if check in (*always.NAMES, DIED) else name in right

    async def _passes(self, on: str, id: str) -> set[str]:
        """The checks of a scenario that the port passes as it is."""
        async with self._locks[on, id]:
            stamp = self._stamp_of_port(on, id)
            if (on, id) not in self._right and (passed := self.kept.passed(on, id, stamp)):
                self._right[on, id], self._wrong[on, id] = passed, set()
            while self._wrong.get((on, id), {""}) and self._tries[on, id] < _MOST_TRIES:
                # Once more where it fails: a busy machine hides what is right.
                if self._tries[on, id] and time.monotonic() > self.until:
                    break
                self._tries[on, id] += 1
                checks = trial.by_name(await trial.results(patches.command(on), [self.scenarios[id]], self.server))
                right = {name for name, check in checks.items() if check.verdict in _RIGHT}
                self._right[on, id] = self._right.get((on, id), set()) | right
                self._wrong[on, id] = checks.keys() - self._right[on, id]
                if self._wrong[on, id]:
                    print(f"{on} as it is fails {', '.join(sorted(self._wrong[on, id]))}", flush=True)
                else:
                    self.kept.keep_passed(on, id, self._right[on, id], stamp)
            return self._right[on, id]


class Caught:
    """Checks that failed: by assertion, of what is broken or of something else; those that only waited in vain; and those that
    a busy machine left undecided.
    """

    def __init__(self) -> None:
        self.named: dict[str, CheckResult] = {}
        self.others: dict[str, CheckResult] = {}
        self.late: dict[str, CheckResult] = {}
        self.undecided: list[str] = []
        self.ended: set[str] = set()
        """The scenarios that were not broken off."""


async def main(options: argparse.Namespace, server: Server) -> int:
    every = patches.load()
    words = set(options.names)
    chosen = [patch for patch in every if not words or words & {patch.name, patch.kind, patch.on}]
    if options.afresh:
        fates.forget()
    hunt = Hunt(server, load_all(scenarios_folder()), time.monotonic() + options.seconds, options.again, options.first)
    room = asyncio.Semaphore(options.jobs)

    async def one(patch: Patch) -> Fate | None:
        async with room:
            return await hunt.judge(patch)

    found = await asyncio.gather(*map(one, chosen))
    fates.write(every, [fate for fate in found if fate is not None])
    judged = [(patch, fate) for patch, fate in zip(chosen, found, strict=True) if fate is not None]
    for patch, fate in judged:
        if not fate.is_killed or patch.survives:
            print(f"{patch.name}: {fate.verdict} {', '.join(fate.by)} {fate.seen} {patch.survives}".rstrip())
    killed = sum(fate.is_killed for _, fate in judged)
    missing = len(chosen) - sum(fate.verdict != UNDECIDED for _, fate in judged)
    print(f"{killed} of {len(chosen)} are killed." + (f" {missing} are not judged yet." if missing else ""))
    return status(judged, missing)


def status(judged: Sequence[tuple[Patch, Fate]], missing: int) -> int:
    """Of the command. A reason stands in the file of each that survives, and of no other."""
    decided = [(patch, fate) for patch, fate in judged if fate.verdict != UNDECIDED]
    if any(fate.verdict == NOT_JUDGED or fate.is_killed is bool(patch.survives) for patch, fate in decided):
        return 1
    return _TOO_LATE if missing else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--first", nargs="+", default=(), metavar="ID")
    parser.add_argument("--afresh", action="store_true")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--redis", default="auto")
    parser.add_argument("--jobs", type=int, default=4)
    arguments = parser.parse_args()
    with choose(arguments.redis, say=lambda line: print(line, file=sys.stderr)) as chosen_server:
        sys.exit(asyncio.run(main(arguments, chosen_server)))
