"""``python -m chaos``: real processes over real servers, with faults; see README.md. ``make chaos`` runs it.

Exit status: 0 if all promises held, 1 if one was broken or a fault was not proven, 2 for wrong options.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from redisipc_conformance.server import NoServer

from .faults import FAULTS
from .lab.lab import CannotBeHad, Failed, Load
from .lab.redis import Away
from .options import parse
from .plan import QUICK
from .report.result import Result, append, commit, result_of, results
from .report.summary import Summary, totals
from .run import Wanted, kept, run, seed_of
from .turns import Task, Turns, work

OUT = Path(__file__).parents[2] / "out" / "chaos"
SAMPLE = 10.0
"""Seconds between two samples of the used resources, if these must not grow."""
QUICK_LOAD = Load(
    rate=50.0,
    kinds={
        "quick": 60,
        "short": 12,
        "medium": 4,
        "nested": 6,
        "later": 4,
        "reject": 4,
        "raise": 2,
        "cancel": 3,
        "big": 2,
    },
    timeouts={"0.5": 1, "2": 2, "5": 6},
)
"""Few requests with short timeouts, so that a quick run ends soon, also on a busy machine."""


def main() -> int:
    options = parse(__doc__)
    if options.sum is not None:
        return add_up([Path(name) for name in options.sum] or [OUT])
    if options.judge:
        return judge_again([Path(name) for name in options.judge], options.results)
    try:
        names = chosen(options.only)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return play(options, names)


def play(options: argparse.Namespace, names: list[str]) -> int:
    """Does the runs that the options name. Each run adds its result to the file of results as soon as it is judged."""
    alone, soak = options.times > 0 or options.quick, options.soak > 0
    if options.quick:
        names = list(QUICK)
    elif soak:
        names = [name for name in names if not FAULTS[name].ends]
    seed = seed_of(options.seed)
    folder = OUT / datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    file = Path(options.results) if options.results else OUT / "results.jsonl"
    servers = options.servers.replace(",", " ").split() or [""]
    tasks = [task for server in servers for task in work(names, "plain" if soak else options.site, alone, server)]
    kinds = sum(task.weight for task in tasks)
    summary = Summary()
    if options.minutes:
        turns = Turns(tasks, results(file) if file.exists() else [])
        end = time.monotonic() + 60 * options.minutes
        while time.monotonic() < end and (task := turns.next()) is not None:
            number = turns.runs
            place = folder / f"{number:03d}"
            result = play_one(options, task, f"{seed}:{number}", place, file, options.requests, summary, turns.struck)
            turns.ran(task, result)
    else:
        for number, task in enumerate(tasks):
            requests = options.requests * task.weight // kinds
            play_one(options, task, f"{seed}:{number}", folder / f"{number:02d}", file, requests, summary)
    text = f"{summary}\n  seed {seed}"
    say(f"\n{text}")
    if summary.requests:
        (folder / "summary.txt").write_text(text + "\n")
    return 0 if summary.good and summary.requests else 1


def play_one(
    options: argparse.Namespace,
    task: Task,
    seed: str,
    place: Path,
    file: Path,
    requests: int,
    summary: Summary,
    struck: Mapping[str, int] = MappingProxyType({}),
) -> Result | None:
    """Does one run, and adds its result to the file and to the summary. None if the run gave no result.

    ``struck``: how often each kind struck in earlier runs; the rarest come first.
    """
    wanted = Wanted(
        server=task.server,
        site=task.site,
        faults=task.faults,
        seed=seed,
        requests=requests,
        times=options.times,
        load=QUICK_LOAD
        if options.quick
        else Load(rate=options.rate, burst=options.burst, sample=SAMPLE if options.soak else 0.0),
        settle=options.settle,
        seconds=options.soak,
        quick=options.quick,
        peace=options.peace,
        struck=dict(struck),
    )
    place = place.with_name(f"{place.name}-{Path(task.server).name or 'server'}-{task.site}".replace(":", "-"))
    try:
        done = asyncio.run(run(wanted, place, say, commit()))
    except CannotBeHad as error:
        summary.left_out.append(f"{task.server or 'the server'}, {task.site}: {error}")
    except (Failed, Away, NoServer) as error:
        summary.ended_early.append(f"{task.server or 'the server'}, {task.site}: the run ended early: {error}")
    else:
        result = result_of(wanted, done, place)
        append(file, result)
        summary.add(result, say)
        return result
    return None


def judge_again(folders: list[Path], results_file: str | None) -> int:
    """Judges stored runs, and adds them up. Their results go to a file only if the options name one."""
    summary = Summary()
    for folder in sorted(
        found for each in folders for found in (each, *each.glob("*/")) if (found / "run.json").exists()
    ):
        result = result_of(*kept(folder), folder)
        if results_file:
            append(Path(results_file), result)
        summary.add(result, say)
    say(f"\n{summary}")
    return 0 if summary.good and summary.requests else 1


def add_up(paths: list[Path]) -> int:
    """Adds up results of earlier runs."""
    try:
        found = [result for path in paths for result in results(path)]
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    say(totals(found))
    summary = Summary(found)
    return 0 if summary.good and summary.requests else 1


def say(line: str) -> None:
    print(line, flush=True)


def chosen(only: str) -> list[str]:
    """The names of the faults that the options name. Raises ValueError for an unknown one."""
    names = only.replace(",", " ").split() or list(FAULTS)
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise ValueError(f"no fault is called {unknown[0]!r}; there are {', '.join(FAULTS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
