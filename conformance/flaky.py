"""Runs the suite again and again against right implementations, and sums up what did not pass: `make flaky`.

A check that does not pass every time is a defect of the suite, or a race in the testee. The runs are spread over time
scales, numbers of scenarios at once, delays of the testee's answers, busy processes beside them and servers. After the
whole runs the scenarios with a bound of time run alone, until each ran as often as `--bounded` says. Each run is stored as
it ends, so a later call continues where this one stopped, and the table sums up all of them.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from redisipc_conformance.scenario.corpus import corpus
from redisipc_conformance.scenario.model import Scenario

ROOT = Path(__file__).resolve().parents[1]
STORED = ROOT / "out" / "flaky.json"
NODE = ROOT / "interop" / "node" / "dist" / "testee.js"
TESTEES = {
    "threads": [sys.executable, "python/testee/testee.py", "--runtime", "threads"],
    "asyncio": [sys.executable, "python/testee/testee.py", "--runtime", "asyncio"],
    "node": ["node", str(NODE)],
}
SCALES, JOBS, DELAYS, BURDENS = (1, 2, 3), (16, 4), (0.0, 0.04), (0, 2)
RIGHT = ("pass", "not-applicable", "known")
RUN_SECONDS = 900.0
AGAIN = "ran again at the end"
"""In the note of a run that tried scenarios a second time."""


@dataclass(frozen=True)
class Cell:
    """The conditions of one run. `tenth`: a tenth of the scenarios, drawn by the seed, one at a time. `bounded`: those with a
    bound of time alone."""

    testee: str
    seed: int
    scale: int
    jobs: int
    delay: float
    burden: int
    server: str
    tenth: bool = False
    bounded: bool = False


def timed(scenario: Scenario) -> bool:
    """Whether one of its checks has a bound of time, which a busy machine may break."""
    return any(
        step.checks and (step.within is not None or step.word == "elapsed" or "took" in str(step.arguments))
        for step in scenario.walk()
    )


def cells(testees: list[str], servers: list[str], times: int, bounded: int = 0) -> Iterator[Cell]:
    """The runs in their order: every testee in turn, and each condition as often as any other. `bounded`: so many runs of
    each scenario with a bound of time, the whole runs counted."""
    more = max(math.ceil(bounded / len(testees)) - times, 0)
    for number in range(times + more):
        for testee in testees:
            source = random.Random(f"{testee} {number}")
            scale, jobs = SCALES[number % 3], JOBS[number // 3 % 2]
            delay, burden = DELAYS[number % 2], BURDENS[number // 2 % 2]
            server = servers[number % len(servers)]
            yield Cell(testee, source.randrange(2**31), scale, jobs, delay, burden, server, bounded=number >= times)
            if number < times and number % 5 == 4:
                yield Cell(testee, source.randrange(2**31), 1, 1, 0.0, 0, server, tenth=True)


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that compute all the time, while this is open."""
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()


def run(cell: Cell, loaded: bool = False) -> dict[str, Any]:
    """One run of the suite, as it is stored: how many checks there were, and each that did not pass, with its message.

    `loaded`: others keep the machine busy, so it starts no busy processes of its own. The load is stored with the run.
    """
    command = TESTEES[cell.testee]
    if cell.delay:
        command = [sys.executable, str(Path(__file__).resolve()), "--relay", str(cell.delay), "--", *command]
    every = sorted(scenario.id for scenario in corpus())
    bounded = sorted(scenario.id for scenario in corpus() if timed(scenario))
    chosen = random.Random(cell.seed).sample(every, len(every) // 10) if cell.tenth else bounded if cell.bounded else []
    program = [sys.executable, "-m", "redisipc_conformance", "run", "--quiet", *chosen, "--seed", str(cell.seed)]
    program += ["--jobs", str(cell.jobs), "--time-scale", str(cell.scale)]
    found = shutil.which(os.path.expanduser(cell.server))
    program += ["--redis", "local"] if found else ["--redis-image" if ":" in cell.server else "--redis", cell.server]
    environment = {**os.environ, **({"REDIS_SERVER": found} if found else {})}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, busy(0 if loaded else cell.burden):
        report = Path(folder) / "run.json"
        program += ["--report", f"json={report}", "--", *command]
        try:
            done = subprocess.run(
                program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
                timeout=RUN_SECONDS * cell.scale,
            )  # fmt: skip
            problem = f"no report, exit code {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}"
        except subprocess.TimeoutExpired:
            problem = "the run did not end"
        found = json.loads(report.read_text("utf-8"))["runs"] if report.exists() else []
    stored: dict[str, Any] = {
        **asdict(cell),
        "seconds": round(time.monotonic() - began),
        "load": round(os.getloadavg()[1], 1),
        "checks": 0,
        "timed": [],
        "bad": {},
        "notes": [],
    }
    if not found:
        stored["bad"] = {"(the run)": problem}
        return stored
    [only] = found
    checks = {f"{each['id']}/{check['name']}": check for each in only["results"] for check in each["checks"]}
    stored["checks"] = len(checks)
    stored["bad"] = {
        id: f"{c['verdict']}: {c['message'][:300]}" for id, c in checks.items() if c["verdict"] not in RIGHT
    }
    asked = {each["id"] for each in only["results"] if any(c["verdict"] != "not-applicable" for c in each["checks"])}
    stored["timed"] = sorted(asked.intersection(bounded))
    stored["notes"] = only["notes"]
    return stored


def relay(seconds: float, command: list[str]) -> int:
    """Stands between the runner and a testee, and holds what it reads for the testee back: its answers come so much later."""
    testee = subprocess.Popen(command, stdin=subprocess.PIPE)
    pieces: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
    stdin = testee.stdin
    assert stdin is not None

    def forward() -> None:
        while True:
            due, piece = pieces.get()
            time.sleep(max(due - time.monotonic(), 0.0))
            try:
                if not piece:
                    stdin.close()
                    return
                stdin.write(piece)
                stdin.flush()
            except OSError:
                return

    def read() -> None:
        # Unbuffered: at the end of this process another thread may still read, and would hold the lock of a buffer.
        while piece := os.read(sys.stdin.fileno(), 65536):
            pieces.put((time.monotonic() + seconds, piece))
        pieces.put((time.monotonic() + seconds, b""))

    for work in (forward, read):
        threading.Thread(target=work, daemon=True).start()
    return testee.wait()


def table(runs: list[dict[str, Any]]) -> Iterator[str]:
    """The sums, as Markdown: by condition, then each check that did not always pass."""
    yield "| condition | runs | checks | not passed | of these inconclusive |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name in ("testee", "server", "scale", "jobs", "delay", "burden"):
        for value in dict.fromkeys(each[name] for each in runs):
            those = [each for each in runs if each[name] == value]
            yield _row(f"{name} {value}", those)
    yield _row("all", runs)
    often = Counter({scenario.id: 0 for scenario in corpus() if timed(scenario)})
    often.update(id for each in runs for id in each.get("timed", ()))
    rarest, fewest = min(often.items(), key=lambda each: each[1])
    yield f"Each of {len(often)} scenarios with a bound of time ran at least {fewest} times ({rarest})"
    bad = Counter(id for each in runs for id in each["bad"])
    for id, count in bad.most_common():
        first = next(each for each in runs if id in each["bad"])
        told = ", ".join(f"{name} {first[name]}" for name in ("testee", "scale", "jobs", "delay", "burden", "seed"))
        yield f"- {count} of {len(runs)}: {id}: {first['bad'][id]} (first with {told})"
    again = sum(1 for each in runs if any(AGAIN in note for note in each["notes"]))
    yield f"Runs with trials that the machine's own standstill made necessary a second time: {again}"


def _row(name: str, those: list[dict[str, Any]]) -> str:
    checks, bad = sum(each["checks"] for each in those), sum(len(each["bad"]) for each in those)
    unclear = sum(told.startswith("inconclusive") for each in those for told in each["bad"].values())
    return f"| {name} | {len(those)} | {checks} | {bad} | {unclear} |"


def stored() -> list[dict[str, Any]]:
    """All runs so far."""
    return json.loads(STORED.read_text("utf-8")) if STORED.exists() else []


def main() -> int:
    """0 where every check passed in every run that is stored."""
    parser = argparse.ArgumentParser(
        prog="flaky.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--times", type=int, default=15, help="whole runs of each testee (15)")
    parser.add_argument("--bounded", type=int, default=200, help="runs of each scenario with a bound of time (200)")
    parser.add_argument("--seconds", type=float, help="begin nothing after so many seconds")
    parser.add_argument("--servers", default="auto", help="kinds, URLs, images or programs, by blanks")
    parser.add_argument("--testees", default="", help=f"of {', '.join(TESTEES)}, by blanks; absent: all that are there")
    parser.add_argument("--loaded", action="store_true", help="others keep the machine busy: starts no busy processes")
    parser.add_argument("--sum", action="store_true", help="only the table of what is stored")
    parser.add_argument("--relay", type=float, help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.relay is not None:
        return relay(options.relay, options.command)
    runs = stored()
    testees = options.testees.split() or [name for name in TESTEES if name != "node" or NODE.exists()]
    had = {(each["testee"], each["seed"], each["tenth"]) for each in runs}
    began = time.monotonic()
    for cell in () if options.sum else cells(testees, options.servers.split(), options.times, options.bounded):
        if (cell.testee, cell.seed, cell.tenth) in had:
            continue
        if options.seconds is not None and time.monotonic() - began > options.seconds:
            print("The time is over; the next such call continues here.")
            break
        runs.append(run(cell, options.loaded))
        STORED.parent.mkdir(exist_ok=True)
        STORED.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
        last = runs[-1]
        told = f"{last['checks']} checks, {len(last['bad'])} not passed, {last['seconds']} s, load {last['load']}"
        print(f"{cell}: {told}", flush=True)
    print("\n".join(table(runs)))
    return 1 if any(each["bad"] for each in runs) or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
