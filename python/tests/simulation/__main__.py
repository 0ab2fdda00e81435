"""``python -m tests.simulation --requests 1000000 --jobs 2``, or ``--seed N`` to be told the story of what broke there."""

from __future__ import annotations

import argparse
import os
import sys

from .plan import draw
from .run import simulate, tell


def main() -> int:
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets is part of a replay.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="how many requests to simulate (default 100000)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes (default: one a core)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--asks", type=int, default=2000, help="about how many requests a world has (default 2000)")
    parser.add_argument("--without", default="", help="rules to switch off, for instance rule1,rule4")
    parser.add_argument("--seed", type=int, help="replay this world and tell the story of the request that broke")
    parser.add_argument("--request", type=int, help="with --seed: tell the story of this request")
    options = parser.parse_args()
    without = frozenset(part for part in options.without.split(",") if part)
    if options.seed is not None:
        print("\n".join(tell(draw(options.seed, options.asks), without, options.request)))
        return 0
    total, seconds = simulate(options.requests, options.jobs, options.first, without, options.asks)
    print(f"{total}\n  {seconds:.1f} s, {total.requests / seconds:.0f} requests a second")
    for seed, name, text in total.violations[:200]:
        print(f"  seed {seed}: {name}: {text}")
    if total.violations:
        extra = f" --without {options.without}" if options.without else ""
        print(f"replay: python -m tests.simulation --seed {total.violations[0][0]}{extra}")
    return 1 if total.violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
