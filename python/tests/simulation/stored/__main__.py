"""Plays each stored plan with its rules and without them, and prints what the simulation finds."""

from __future__ import annotations

import argparse
import time

from ..run import tell
from . import load


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.stored", description=__doc__)
    parser.add_argument("names", nargs="*", help="words of the names or rules of the plans to play (default: all)")
    parser.add_argument(
        "--tell", action="store_true", help="tell the story of the first request that broke without them"
    )
    parser.add_argument("--with", dest="on", action="store_true", help="with --tell: with the rules")
    options = parser.parse_args()
    failed = False
    for stored in load().values():
        words = f"{stored.name} {' '.join(stored.rules)}"
        if options.names and not any(name in words for name in options.names):
            continue
        if options.tell:
            without = frozenset(() if options.on else stored.rules)
            act = None if stored.act is None else stored.on_stage
            print("\n".join(tell(stored.plans[0], without, None, act)))
            continue
        started = time.process_time()
        off, on = stored.compare()
        good = bool(stored.broken(off)) and not on.violations
        failed = failed or not good
        print(f"{'ok  ' if good else 'NOT '} {stored.name}: {' '.join(stored.rules)}", end="")
        print(f" ({off.seeds} worlds, {off.requests} requests, {time.process_time() - started:.1f} s)")
        print(f"       without: {dict(off.guarantees)}; with: {dict(on.guarantees)}")
        for line in stored.broken(off)[:1] + [str(v) for v in on.violations[:2]]:
            print(f"       {line.splitlines()[0]}")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
