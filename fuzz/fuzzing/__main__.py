"""``python -m fuzzing``: a million inputs for all code that reads data of others. ``--guided`` lets atheris choose them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .run import run
from .targets import TARGETS

SHARES = {
    "reply": 20, "entry": 15, "content": 15, "endpoint": 6, "siblings": 2, "channel": 15,
    "frame": 15, "message": 7, "scenario": 1, "known": 2, "report": 1, "matrix": 1,
}  # fmt: skip
"""The share of the inputs for each target, in percent. Quick targets get more."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzzing", description=__doc__)
    parser.add_argument(
        "--inputs", type=int, default=1_000_000, help="number of inputs, over all targets (default 1,000,000)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=sorted(TARGETS))
    parser.add_argument("--found", type=Path, default=Path("../out/fuzz"), help="folder for inputs that failed")
    parser.add_argument(
        "--guided", type=int, metavar="SECONDS", help="let atheris choose the inputs (pip install atheris)"
    )
    options = parser.parse_args()
    if options.guided:
        from .guided import guided

        return guided(options.target or "endpoint", options.guided, options.found)
    results = [
        run(name, options.inputs if options.target else options.inputs * share // 100, options.seed, options.found)
        for name, share in SHARES.items()
        if options.target in (None, name)
    ]
    for result in results:
        print(result)
        print("\n".join(result.failures), end="")
    total, failed = sum(result.inputs for result in results), sum(len(result.failures) for result in results)
    print(f"{total:,} inputs, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
