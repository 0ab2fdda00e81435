"""The result of one run, as a line of JSON: figures that can be added up when the rows no longer exist."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.simulation.history import Ask

from ..judge.judge import Judge
from ..judge.record import Record, read
from ..run import Done, Wanted
from . import recovery, seen, used

MOST_KEPT = 6
"""So many violations of each name are kept with the history of their request, for each run. All are counted."""
ROOT = Path(__file__).parents[3]


@dataclass
class Violation:
    """``about``: the request and the faults at that time; ``story``: the events of the request, one a line."""

    name: str
    text: str
    about: str = ""
    story: list[str] = field(default_factory=list)


@dataclass
class Result:
    """One run. ``broken`` counts all violations by name, ``violations`` has the first of them."""

    commit: str
    folder: str
    server: str
    site: str
    seed: str
    seconds: float
    stalled: float
    """The seconds for which the harness itself stood still."""
    requests: int
    runs: int
    outcomes: Counter[str]
    second_runs: Counter[str]
    excused: Counter[str]
    """The number of sends, by promise, whose only excuse is a last look that ran out of time."""
    struck: Counter[str]
    proofs: dict[str, str]
    unproven: list[str]
    broken: Counter[str]
    violations: list[Violation]
    recoveries: list[recovery.Recovery] = field(default_factory=list)
    seen: dict[str, seen.Seen] = field(default_factory=dict)
    courses: list[used.Course] = field(default_factory=list)


def result_of(wanted: Wanted, done: Done, folder: Path) -> Result:
    """Judges the rows of a run. Reports recovery and messages to the user only if faults came alone."""
    record = read(folder)
    judge = Judge(record)
    judge.check()
    asks = record.history.asks
    told: dict[str, seen.Seen] = {}
    if wanted.alone:
        seen.gather(record, told)
    return Result(
        commit=done.commit,
        folder=str(folder),
        server=done.server,
        site=done.site,
        seed=wanted.seed,
        seconds=round(done.seconds, 1),
        stalled=round(done.stalled, 1),
        requests=len(asks),
        runs=sum(len(ask.runs) for ask in asks),
        outcomes=judge.outcomes,
        second_runs=judge.causes,
        excused=judge.excused,
        struck=done.struck,
        proofs={fault.name: fault.proof for fault in record.faults},
        unproven=[*done.unproven, *judge.unjudged],
        broken=Counter(name for name, _, _ in record.history.violations),
        violations=list(_violations(record)),
        recoveries=recovery.Recoveries(record).all() if wanted.alone else [],
        seen=told,
        courses=used.courses(record, folder),
    )


def _violations(record: Record) -> Iterator[Violation]:
    asks = {ask.number: ask for ask in record.history.asks}
    kept: Counter[str] = Counter()
    for name, text, number in record.history.violations:
        kept[name] += 1
        if kept[name] > MOST_KEPT:
            continue
        if number is None:
            yield Violation(name, text)
            continue
        ask = asks[number]
        near = [f.name for f in record.faults if f.start < ask.deadline + 2.0 and ask.sent_at - 15.0 < f.end]
        runtime = record.lives[ask.sender].runtime
        about = (
            f"request {number} of process {ask.sender} ({runtime}), {ask.kind}, timeout {ask.timeout:g} s, "
            f"sent at {ask.sent_at:.3f}, near {', '.join(near) or 'no fault'}"
        )
        yield Violation(name, text, about, story(ask, record))


def story(ask: Ask, record: Record) -> list[str]:
    """The events of one request in order, with seconds since it was sent."""
    marks = [
        (ask.stored_at, "stored"),
        (ask.cancelled_at, "given up by its sender"),
        (ask.deleted_at, "deleted"),
        *((run.time, f"started by process {run.process}, start {run.starts}") for run in ask.runs),
        *((reply.time, "a response was stored") for reply in ask.replies),
        *((time, f"ended as {ask.status}") for time in ask.outcomes),
    ]
    concerned = {ask.sender, *(run.process for run in ask.runs)}
    for number in sorted(concerned):
        for trouble in record.history.processes[number].troubles:
            if trouble.start < ask.deadline + 2.0 and ask.sent_at - 5.0 < trouble.end:
                marks.append(
                    (trouble.start, f"process {number} {trouble.kind} for {trouble.end - trouble.start:.2f} s")
                )
    for fault in record.faults:
        if fault.start < ask.deadline + 2.0 and ask.sent_at - 15.0 < fault.end:
            whom = f" of {fault.processes}" if fault.processes else ""
            marks.append((fault.start, f"{fault.name}{whom} for {fault.end - fault.start:.2f} s"))
    times = sorted((time - ask.sent_at, text) for time, text in marks if time is not None)
    return [f"{time:+.3f} {text}" for time, text in times]


def commit() -> str:
    """The commit under test, with ``+`` if the tree differs from it; empty if there is no git."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=9", "HEAD") + ("+" if changed else "")
    except OSError:
        return ""


# files of results


def append(path: Path, result: Result) -> None:
    """Appends the result as one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(result, default=vars, ensure_ascii=False) + "\n")


def results(path: Path) -> list[Result]:
    """All results of a file, or of all files below a folder. Raises OSError, and ValueError for a malformed result."""
    paths = sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]
    found = []
    for each in paths:
        if path.is_dir() and not each.name.startswith("results"):
            # The files with the rows of processes are in the same folder.
            continue
        found += [_result(json.loads(line)) for line in each.read_text(encoding="utf-8").splitlines() if line.strip()]
    return found


def _result(raw: dict[str, Any]) -> Result:
    try:
        return Result(
            **{
                **raw,
                **{name: Counter(raw[name]) for name in ("outcomes", "second_runs", "excused", "struck", "broken")},
                "violations": [Violation(**each) for each in raw["violations"]],
                "recoveries": [recovery.Recovery(**each) for each in raw["recoveries"]],
                "seen": {
                    name: seen.Seen(**{**each, "texts": Counter(each["texts"])}) for name, each in raw["seen"].items()
                },
                "courses": [used.Course(**{**each, "kind": used.Kind(**each["kind"])}) for each in raw["courses"]],
            }
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is not a result of a run: {error}") from error
