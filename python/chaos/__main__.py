"""``python -m chaos``: real processes over real servers, with faults; see README.md. ``make chaos`` runs it.

Exit status: 0 all held, 1 a promise was broken or a fault was not proven, 2 wrong use.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from redisipc_conformance.server import NoServer

from .faults import FAULTS
from .lab.lab import CannotBeHad, Failed, Load
from .lab.redis import Away
from .lab.sites import SITES
from .options import parse
from .plan import QUICK
from .report.result import append, commit, result_of, results
from .report.summary import Summary, totals
from .run import Wanted, kept, run, seed_of

OUT = Path(__file__).parents[2] / "out" / "chaos"
SAMPLE = 10.0
"""Seconds between two samples, where what is used is to stay flat."""
ROUNDS = 4
"""How often the site with the most kinds of faults comes while each site comes once."""
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
"""Little, and nothing that is outstanding for long: a quick run ends soon, also on a busy machine."""


class Task(NamedTuple):
    """One run. ``weight``: how many kinds of faults have this site as their first one, which decides its share."""

    server: str
    site: str
    faults: list[str]
    weight: int


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
    """Runs what is wanted; each run adds its result to the file of results as soon as it is judged."""
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
        end, first = time.monotonic() + 60 * options.minutes, sum(1 for _ in file.open()) if file.exists() else 0
        for number, task in enumerate(in_turn(tasks, first), first):
            if time.monotonic() >= end:
                break
            play_one(options, task, f"{seed}:{number}", folder / f"{number:03d}", file, options.requests, summary)
    else:
        for number, task in enumerate(tasks):
            requests = options.requests * task.weight // kinds
            play_one(options, task, f"{seed}:{number}", folder / f"{number:02d}", file, requests, summary)
    text = f"{summary}\n  seed {seed}"
    say(f"\n{text}")
    if summary.requests:
        (folder / "summary.txt").write_text(text + "\n")
    return 0 if summary.good and summary.requests else 1


def in_turn(tasks: list[Task], first: int) -> Iterator[Task]:
    """For ever, from the one on whose turn it is: a site with many kinds of faults comes more often."""
    most = max(task.weight for task in tasks)
    rounds = [[task for task in tasks if task.weight * ROUNDS > most * number] for number in range(ROUNDS)]
    turns = [task for each in rounds for task in each]
    return itertools.islice(itertools.cycle(turns), first % len(turns), None)


def play_one(
    options: argparse.Namespace, task: Task, seed: str, place: Path, file: Path, requests: int, summary: Summary
) -> None:
    """One run; its result goes into the file and into the summary."""
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


def judge_again(folders: list[Path], results_file: str | None) -> int:
    """Judges runs that were kept, and adds them up; their results go to a file only where one is named."""
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
    """The names of the faults that are wanted. Raises ValueError for one that there is not."""
    names = only.replace(",", " ").split() or list(FAULTS)
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise ValueError(f"no fault is called {unknown[0]!r}; there are {', '.join(FAULTS)}")
    return names


def work(names: list[str], only_site: str, alone: bool, server: str) -> list[Task]:
    """The runs on one server: a site for whatever has it as its first one; mixed, also what can strike there besides."""
    found = []
    for site in SITES:
        own = [name for name in names if FAULTS[name].sites[0] == site]
        can = own if alone else [name for name in names if site in FAULTS[name].sites]
        if own and (not only_site or site == only_site):
            found.append(Task(server, site, can, len(own)))
    return found


if __name__ == "__main__":
    sys.exit(main())
