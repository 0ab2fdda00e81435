"""``make mutants``, second part: patches against the real ports, each of which the suite has to notice.

    python mutants/real.py [NAME ...]     these only; a word like keep-alive or node: those of that kind or port
    python mutants/real.py --seconds 540  begins nothing after that; the next run goes on
    python mutants/real.py --again        tries once more what was not killed
    python mutants/real.py --afresh       forgets what earlier runs found

A patch is *killed* when a check of a statement that it breaks fails by assertion, twice, and passes without the patch. It is
*other* when only checks of other statements do, *by-timeout* when checks only wait in vain, else *survived*. It meets the
scenarios that check what it breaks. Once all are judged, ``real/results.json`` and ``real/results.md`` are written. Exit
status 1 when one survives without a reason in its file, 3 when there was no time for all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import patches
import trial
from patches import FOLDER, ROOT, Patch

from redisipc_conformance.files import scenarios_folder
from redisipc_conformance.results import CheckResult, Verdict
from redisipc_conformance.scenario import Scenario, load_all
from redisipc_conformance.server import Server, choose
from redisipc_conformance.testee.errors import TesteeUnusable

RESULTS = FOLDER / "results.json"
TABLE = FOLDER / "results.md"
_KEPT = ROOT / "out" / "real-mutants.json"
_COPIES = ROOT / "out" / "real-mutants"
_MOST_NAMED = 3
_TOO_LATE = 3
_RIGHT = (Verdict.PASS, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class Fate:
    """What became of a patch; ``by``: the checks that caught it."""

    name: str
    verdict: str
    by: tuple[str, ...] = ()
    seen: str = ""


class Hunt:
    """Judges patches side by side, against one Redis."""

    def __init__(self, server: Server, scenarios: Sequence[Scenario], until: float, again: bool) -> None:
        self.server = server
        self.scenarios = {scenario.id: scenario for scenario in scenarios}
        self.until = until
        self.again = again
        self.kept: dict[str, Any] = json.loads(_KEPT.read_text("utf-8")) if _KEPT.exists() else {}
        self._ports = {
            on: patches.digest(*(path.read_bytes() for path in patches.sources_of(on))) for on in patches.PORTS
        }
        self._right: dict[tuple[str, str], set[str]] = {}
        self._wrong: dict[tuple[str, str], set[str]] = {}
        self._locks: dict[str, asyncio.Lock] = {on: asyncio.Lock() for on in patches.PORTS}

    def key(self, patch: Patch) -> str:
        """Another one where the patch, the port or a scenario is another."""
        texts = [f"{each.text}{each.rows}".encode() for each in self.scenarios_for(patch)]
        return f"{patch.name} {patches.digest(repr(patch).encode(), self._ports[patch.on].encode(), *texts)}"

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
        kept = self.kept.get(self.key(patch))
        if kept is not None and (kept["verdict"] == "killed" or not self.again):
            return Fate(patch.name, kept["verdict"], tuple(kept["by"]), kept["seen"])
        if time.monotonic() > self.until:
            return None
        fate = await self._judge(patch)
        self.kept[self.key(patch)] = asdict(fate)
        _KEPT.parent.mkdir(exist_ok=True)
        _KEPT.write_text(json.dumps(self.kept), "utf-8")
        print(f"{patch.name}: {fate.verdict} {', '.join(fate.by)}", flush=True)
        return fate

    async def _judge(self, patch: Patch) -> Fate:
        folder = _COPIES / patch.name
        try:
            command = await asyncio.to_thread(patches.make, patch, folder)
            return await self._tried(patch, command)
        except (ValueError, TesteeUnusable) as error:
            return Fate(patch.name, "not judged", seen=str(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _tried(self, patch: Patch, command: Sequence[str]) -> Fate:
        scenarios = self.scenarios_for(patch)
        first = await self._caught(patch, command, scenarios)
        if first.named or first.others:
            again = {name.rpartition("/")[0] for name in first.named or first.others}
            second = await self._caught(patch, command, [self.scenarios[id] for id in sorted(again)])
            for verdict, one, two in (("killed", first.named, second.named), ("other", first.others, second.others)):
                both = [name for name in one if name in two]
                if both:
                    return Fate(patch.name, verdict, tuple(both[:_MOST_NAMED]), one[both[0]].message)
        if first.late:
            return Fate(patch.name, "by-timeout", tuple(list(first.late)[:_MOST_NAMED]))
        return Fate(patch.name, "survived", seen=f"{len(scenarios)} scenarios")

    async def _caught(self, patch: Patch, command: Sequence[str], scenarios: Sequence[Scenario]) -> Caught:
        found = Caught()
        checks = trial.by_name(await trial.results(command, scenarios, self.server))
        for name, check in checks.items():
            if check.verdict not in trial.FAILED or name not in await self._passes(patch.on, name.rpartition("/")[0]):
                continue
            if check.by_timeout:
                found.late[name] = check
            elif set(patch.breaks) & set(check.requirements):
                found.named[name] = check
            else:
                found.others[name] = check
        return found

    async def _passes(self, on: str, id: str) -> set[str]:
        """The checks of a scenario that the port passes as it is."""
        async with self._locks[on]:
            for _ in range(2):
                # Once more where it fails: a busy machine hides what is right.
                if (on, id) not in self._right or self._wrong[on, id]:
                    checks = trial.by_name(await trial.results(patches.command(on), [self.scenarios[id]], self.server))
                    right = {name for name, check in checks.items() if check.verdict in _RIGHT}
                    self._right[on, id] = self._right.get((on, id), set()) | right
                    self._wrong[on, id] = checks.keys() - self._right[on, id]
            if self._wrong[on, id]:
                print(f"{on} as it is fails {', '.join(sorted(self._wrong[on, id]))}", flush=True)
            return self._right[on, id]


class Caught:
    """Checks that failed: by assertion, of what is broken or of something else; and those that only waited in vain."""

    def __init__(self) -> None:
        self.named: dict[str, CheckResult] = {}
        self.others: dict[str, CheckResult] = {}
        self.late: dict[str, CheckResult] = {}


def write(found: Sequence[tuple[Patch, Fate]]) -> None:
    """Both files. Nothing in them changes from run to run unless a verdict does."""
    rows = [json.dumps({"name": p.name, "verdict": f.verdict, "by": list(f.by)}, ensure_ascii=False) for p, f in found]
    RESULTS.write_text("[\n" + ",\n".join(f" {row}" for row in rows) + "\n]\n", "utf-8")
    lines = [
        f"| {p.name} | {p.on} | {p.kind} | {p.fault} | {'<br>'.join(p.breaks)} | {_fate(p, f)} |" for p, f in found
    ]
    head = "| mutant | port | kind | fault | breaks | verdict |\n| --- | --- | --- | --- | --- | --- |\n"
    TABLE.write_text(
        f"# Real-source mutants\n\nMade by `make mutants`; not to be edited.\n\n{rate(found)}\n\n{head}"
        + "\n".join(lines)
        + "\n"
    )


def _fate(patch: Patch, fate: Fate) -> str:
    caught = "<br>".join(fate.by)
    return (
        caught
        if fate.verdict == "killed"
        else f"{fate.verdict}: {patch.survives or 'no reason is known yet'} {caught}".strip()
    )


def rate(found: Sequence[tuple[Patch, Fate]]) -> str:
    """How many are killed, in a sentence."""
    killed = sum(fate.verdict == "killed" for _, fate in found)
    return f"{killed} of {len(found)} real-source mutants are killed by assertion, in a check of a statement that they break."


async def main(options: argparse.Namespace, server: Server) -> int:
    every = patches.load()
    words = set(options.names)
    chosen = [patch for patch in every if not words or words & {patch.name, patch.kind, patch.on}]
    if options.afresh:
        _KEPT.unlink(missing_ok=True)
    hunt = Hunt(server, load_all(scenarios_folder()), time.monotonic() + options.seconds, options.again)
    room = asyncio.Semaphore(options.jobs)

    async def one(patch: Patch) -> Fate | None:
        async with room:
            return await hunt.judge(patch)

    fates = await asyncio.gather(*map(one, chosen))
    found = [(patch, fate) for patch, fate in zip(chosen, fates, strict=True) if fate is not None]
    bad = [(patch, fate) for patch, fate in found if fate.verdict != "killed"]
    for patch, fate in bad:
        print(f"{patch.name}: {fate.verdict} {', '.join(fate.by)} {fate.seen} {patch.survives}".rstrip())
    print(rate(found) + (f" {len(chosen) - len(found)} are not judged yet." if len(found) < len(chosen) else ""))
    if len(found) < len(chosen):
        return _TOO_LATE
    if not words:
        write(found)
    return int(any(not patch.survives for patch, _ in bad))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--afresh", action="store_true")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--redis", default="auto")
    parser.add_argument("--jobs", type=int, default=3)
    arguments = parser.parse_args()
    with choose(arguments.redis, say=lambda line: print(line, file=sys.stderr)) as chosen_server:
        sys.exit(asyncio.run(main(arguments, chosen_server)))
