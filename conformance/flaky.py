"""Runs the suite again and again, in another order each time, while the processors are kept busy: `make flaky`.

A check that is not the same every time is a defect of the suite (or a race in the testee). Exit code 1 if one ever failed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BURN = "while True: pass"


@contextmanager
def burden(processes: int) -> Iterator[None]:
    """So many processes that compute all the time, while this is open."""
    burning = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()


def once(seed: int, redis: str, command: list[str]) -> tuple[list[str], str]:
    """Checks that did not pass in one run, and a line about it."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "run.json"
        program = [
            sys.executable,
            "-c",
            "from redisipc_conformance.cli import main; raise SystemExit(main())",
            "run",
            "--quiet",
            "--redis",
            redis,
        ]
        program += ["--seed", str(seed), "--report", f"json={report}", "--", *command]
        began = time.monotonic()
        done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
        if not report.exists():
            return [f"no report, exit code {done.returncode}: {done.stderr.strip()[-300:]}"], f"{seconds:.0f} s"
        [run] = json.loads(report.read_text())["runs"]
    bad = [
        f"{scenario['id']}/{check['name']}"
        for scenario in run["results"]
        for check in scenario["checks"]
        if check["verdict"] not in ("pass", "not-applicable", "known")
    ]
    checks = sum(len(scenario["checks"]) for scenario in run["results"])
    return bad, f"{checks} checks, {len(bad)} bad, {seconds:.0f} s"


def main() -> int:
    parser = argparse.ArgumentParser(prog="flaky.py", description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument(
        "--burden", type=int, default=os.cpu_count() or 1, help="busy processes beside it (default: one a core)"
    )
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--redis", default="auto")
    parser.add_argument("command", nargs="+", metavar="-- COMMAND")
    options = parser.parse_args()
    failed: Counter[str] = Counter()
    with burden(options.burden):
        for seed in range(options.first, options.first + options.times):
            bad, line = once(seed, options.redis, options.command)
            failed.update(bad)
            print(f"run {seed}: {line}", *bad, sep="\n    ", flush=True)
    print(f"{options.times} runs, {len(failed)} checks that did not always pass")
    for check, count in failed.most_common():
        print(f"    {count} of {options.times}: {check}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
