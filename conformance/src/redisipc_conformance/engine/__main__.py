"""For authors of scenarios: `python -m redisipc_conformance.engine [options] SCENARIO... -- COMMAND` tells the verdicts.

A SCENARIO is a file, or an id (or the beginning of one) of a scenario that ships. Without any, all of them are run.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from ..files import scenarios_folder
from ..requirements import Requirements
from ..results import CheckResult, RunEnded, RunStarted, ScenarioEnded, ScenarioResult, Verdict
from ..scenario import Scenario, ScenarioError, load_all, load_file
from ..server import NoServer, choose
from ..testee.process import TesteeUnusable
from .run import Engine, Settings


def main() -> int:
    """0 when nothing failed, 1 when something did, 3 for a scenario that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m redisipc_conformance.engine", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    parser.add_argument("--redis", default="auto", help="auto, container, local, embedded or a URL")
    parser.add_argument("--redis-image", default=None)
    parser.add_argument("--jobs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-scale", type=float, default=1.0)
    parser.add_argument("--times", type=int, default=1, help="run each so often, side by side with the others")
    parser.add_argument("-v", "--verbose", action="store_true", help="the transcript of every failure")
    parser.add_argument("-q", "--quiet", action="store_true", help="only what is not a pass")
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options = parser.parse_args(sys.argv[1:at])
    command = tuple(sys.argv[at + 1 :])
    if not command:
        parser.error("which testee? ... -- COMMAND")
    try:
        scenarios = _chosen(options.scenarios)
    except ScenarioError as error:
        print(error)
        return 3
    try:
        with choose(options.redis, image=options.redis_image) as server:
            settings = Settings(command, options.jobs, options.seed, options.time_scale)
            worst = 0
            for turn in range(options.times):
                settings = Settings(command, options.jobs, options.seed + turn, options.time_scale)
                worst = max(worst, asyncio.run(_run(Engine(settings, server, scenarios, Requirements.load()), options)))
            return worst
    except (NoServer, TesteeUnusable) as error:
        print(error)
        return 1
    except KeyboardInterrupt:
        return 2


def _chosen(names: list[str]) -> list[Scenario]:
    files = [load_file(Path(name)) for name in names if name.endswith(".yaml")]
    ids = [name for name in names if not name.endswith(".yaml")]
    if names and not ids:
        return files
    return files + [s for s in load_all(scenarios_folder()) if not ids or s.id.startswith(tuple(ids))]


async def _run(engine: Engine, options: argparse.Namespace) -> int:
    failed = False
    counts: dict[str, int] = {}
    slowest: list[tuple[float, str]] = []
    async for event in engine.run():
        if isinstance(event, RunStarted):
            print(f"{event.testee.name} on {event.server.label}, seed {event.seed}, {len(event.scenarios)} scenarios")
        elif isinstance(event, ScenarioEnded):
            result = event.result
            counts[result.verdict.value] = counts.get(result.verdict.value, 0) + 1
            slowest.append((result.seconds, result.id))
            failed |= result.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.SUITE_ERROR)
            _tell(result, options)
        elif isinstance(event, RunEnded):
            told = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
            print(
                f"{told}; {event.seconds:.1f} s; slowest: "
                + ", ".join(f"{id} {s:.1f} s" for s, id in sorted(slowest)[:-6:-1])
            )
    return int(failed)


def _tell(result: ScenarioResult, options: argparse.Namespace) -> None:
    passed = result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)
    if passed and options.quiet:
        return
    print(f"{result.verdict.value:14} {result.id}  {result.seconds:.2f} s  {result.reason}".rstrip())
    for check in result.checks:
        if check.verdict is not Verdict.PASS:
            _tell_check(check)
    if options.verbose and not passed:
        wrong = {check.wrong_line for check in result.checks}
        for at, line in enumerate(result.transcript):
            sign = ">>" if at in wrong else "  "
            reply = f" -> {line.reply}" if line.reply else ""
            fate = f"  [{line.fate}]" if line.fate else ""
            print(f"    {sign} {line.at:7.3f} {line.side:6} {line.who:8} {line.text[:300]}{reply[:300]}{fate}")
        if result.stderr.strip():
            print("    stderr: " + "\n            ".join(result.stderr.strip().splitlines()[-20:]))


def _tell_check(check: CheckResult) -> None:
    print(f"  {check.verdict.value}: {check.name}: {check.text}")
    print(f"    {check.file}:{check.line}: {check.message}" + (" (nothing came in time)" if check.by_timeout else ""))
    if check.expected or check.seen:
        print(f"    expected {check.expected}\n    seen     {check.seen}")


if __name__ == "__main__":
    sys.exit(main())
