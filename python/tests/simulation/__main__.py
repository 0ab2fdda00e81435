"""``python -m tests.simulation --requests 1000000 --jobs 2``, or ``--seed N`` to read the story of what broke there."""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator

from .coverage import unreached
from .plan import draw
from .run import Job, Result, simulate, tell, worlds
from .stored import load, load_caused, play, play_caused

WHOLE = 1_000_000
"""Requests from which on a run must have reached everything, and the stored plans are played as well."""
SHOWN = 50
"""How many violations are printed."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="how many requests to simulate (default 100000)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes (default: one a core)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--asks", type=int, default=2000, help="about how many requests a world has (default 2000)")
    parser.add_argument("--without", default="", help="rules to switch off, for instance two-looks,last-look")
    parser.add_argument("--seed", type=int, help="replay this world and tell the story of the request that broke")
    parser.add_argument("--request", type=int, help="with --seed: tell the story of this request")
    options = parser.parse_args()
    without = frozenset(part for part in options.without.split(",") if part)
    if options.seed is not None:
        print("\n".join(tell(draw(options.seed, options.asks), without, options.request)))
        return 0
    started = time.monotonic()
    drawn = worlds(itertools.count(options.first), without, options.asks)
    total = simulate(drawn, options.jobs, options.requests, _progress(options.requests))
    only_stored: list[str] = []
    if options.requests >= WHOLE and not without:
        only_stored = unreached(total.struck, total.second_runs, total.reached)
        total.add(simulate(_stored(), options.jobs, WHOLE, lambda _total: None))
    seconds = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = used.ru_utime + used.ru_stime
    print(total)
    print(
        f"  {seconds:.1f} s, {total.requests / seconds:.0f} requests a second; {total.requests / busy:.0f} a second of CPU"
    )
    if only_stored:
        print("  reached by stored plans alone: " + "; ".join(only_stored))
    never = unreached(total.struck, total.second_runs, total.reached)
    if never:
        print("  never reached: " + "; ".join(never))
    for seed, name, text in total.violations[:SHOWN]:
        print(f"  seed {seed}: {name}: {text}")
    if total.violations:
        extra = f" --without {options.without}" if options.without else ""
        extra += f" --asks {options.asks}" if options.asks != parser.get_default("asks") else ""
        print(f"replay, from python/: python -m tests.simulation --seed {total.violations[0][0]}{extra}")
    return 1 if total.violations or (never and options.requests >= WHOLE) else 0


def _stored() -> Iterator[Job]:
    """The stored plans: of each rule, and of each cause of a second start."""
    yield from ((play, (name,), 0) for name in load())
    yield from ((play_caused, (cause,), 0) for cause in load_caused())


def _progress(wanted: int) -> Callable[[Result], None]:
    """A line on a terminal that says how far it is."""
    if not sys.stderr.isatty():
        return lambda _total: None

    def show(total: Result) -> None:
        found = sum(total.guarantees.values())
        end = "" if total.requests < wanted else "\n"
        sys.stderr.write(f"\r{total.requests:>9} of {wanted} requests, {found} violations{end}")

    return show


if __name__ == "__main__":
    raise SystemExit(main())
