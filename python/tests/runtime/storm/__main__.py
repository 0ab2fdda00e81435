"""``python -m tests.runtime.storm``: storms for many seeds, on several Pythons; exact figures, or what went wrong."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from ..programs import HANGS, Program
from . import STORMS
from .figures import Figures, figures_of, needs


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.runtime.storm", description=__doc__)
    parser.add_argument("--seeds", type=int, default=4, help="seeds of each storm (default 4)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--count", type=int, default=1000, help="interruptions of each run (default 1000)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once (default 2)")
    parser.add_argument("--only", default="", help="storms that have this word in their name")
    parser.add_argument("--python", action="append", help="a Python that has redis installed; repeatable")
    parser.add_argument("--url", default=os.environ.get("REDIS_URL", "redis://localhost:6379"))
    options = parser.parse_args()
    failed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for python in options.python or [sys.executable]:
            print(f"== {version(python)}", flush=True)
            for storm in STORMS:
                if options.only not in storm:
                    continue
                if (package := needs(storm)) and not has(python, package):
                    print(f"{storm:34} not run: {package} is not installed", flush=True)
                    continue
                figures = Figures()
                seeds = range(options.first, options.first + options.seeds)
                for result in pool.map(
                    lambda seed, storm=storm, python=python: one(storm, python, seed, options), seeds
                ):
                    figures.add(result)
                print(
                    f"{storm:34} {figures.runs} runs, {figures.interruptions} interruptions, {figures.calls} calls, "
                    f"{figures.seconds:.0f} s, {figures.failed} failed",
                    flush=True,
                )
                failed += figures.failed
    return 1 if failed else 0


def one(storm: str, python: str, seed: int, options: argparse.Namespace) -> Figures:
    """One run of a storm, in a process of its own, on a stream of its own."""
    start = time.monotonic()
    program = Program(
        STORMS[storm],
        f"storm-{os.getpid()}-{time.monotonic_ns()}",
        options.url,
        str(seed),
        str(options.count),
        python=python,
    )
    try:
        code, text = program.end(HANGS + 10)
    finally:
        program.stop()
    took = time.monotonic() - start
    counted = figures_of(code, text)
    if counted is None:
        print(f"FAILED: {storm}, seed {seed}, exit code {code}:\n{text[-3000:]}", flush=True)
        return Figures(1, 0, 0, took, 1)
    return Figures(1, *counted, took, 0)


def version(python: str) -> str:
    return ask(
        python, "import sys; print(sys.version.split()[0], getattr(sys, '_is_gil_enabled', lambda: True)() or 'no GIL')"
    )


def has(python: str, package: str) -> bool:
    return ask(python, f"import importlib.util; print(importlib.util.find_spec({package!r}) is not None)") == "True"


def ask(python: str, text: str) -> str:
    return subprocess.run([python, "-c", text], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
