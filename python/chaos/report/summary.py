"""The figures of all runs together, and whether they are as they must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..faults import FAULTS
from ..judge.judge import Judge
from ..judge.record import Record, read
from ..run import Done
from . import recovery, seen, used
from .tables import table

SHOWN = 20
"""Violations of a run that are printed."""


@dataclass
class Summary:
    """Adds up runs."""

    requests: int = 0
    runs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    second_runs: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    unproven: list[str] = field(default_factory=list)
    proofs: dict[str, str] = field(default_factory=dict)
    seen: dict[str, seen.Seen] = field(default_factory=dict)
    recoveries: list[recovery.Recovery] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    courses: list[tuple[str, used.Course]] = field(default_factory=list)

    def add(self, done: Done, folder: Path, say: Callable[[str], None], alone: bool) -> None:
        """Judges a run, tells its violations, and adds it. ``alone``: faults came one after the other, so that recovery
        can be told apart."""
        record = read(folder)
        judge = Judge(record)
        judge.check()
        self.requests += len(record.history.asks)
        self.runs += sum(len(ask.runs) for ask in record.history.asks)
        self.outcomes += judge.outcomes
        self.second_runs += judge.causes
        self.struck += done.struck
        self.unproven += [f"{done.server}: {text}" for text in done.unproven]
        self.proofs.update({fault.name: fault.proof for fault in record.faults})
        if alone:
            self.recoveries += recovery.Recoveries(record).all()
            seen.gather(record, self.seen)
        self.courses += [(done.server, course) for course in used.courses(record, folder)]
        self._violations(record, folder, say)
        say(
            f"-- {done.server}, {done.site}: {len(record.history.asks)} requests in {done.seconds:.0f} s, "
            f"{sum(done.struck.values())} faults, {len(record.history.violations)} violations; "
            f"the harness stood still for {done.stalled:.1f} s"
        )

    def _violations(self, record: Record, folder: Path, say: Callable[[str], None]) -> None:
        asks = {ask.number: ask for ask in record.history.asks}
        for count, (name, text, number) in enumerate(record.history.violations):
            self.violations[name] += 1
            if count >= SHOWN:
                continue
            about = ""
            if number is not None:
                ask = asks[number]
                near = [f.name for f in record.faults if f.start < ask.deadline + 2.0 and ask.sent_at - 15.0 < f.end]
                runtime = record.lives[ask.sender].runtime
                about = (
                    f"request {number} of process {ask.sender} ({runtime}), {ask.kind}, timeout {ask.timeout:g} s, "
                    f"sent at {ask.sent_at:.3f}, near {', '.join(near) or 'no fault'}: "
                )
            say(f"   VIOLATION {name}: {about}{text}")
        if record.history.violations:
            say(f"   the rows are in {folder}")

    @property
    def good(self) -> bool:
        return not self.violations and not self.unproven and all(course.flat for _, course in self.courses)

    def __str__(self) -> str:
        ends = ", ".join(f"{count} {status}" for status, count in self.outcomes.most_common())
        causes = ", ".join(f"{count} {cause}" for cause, count in self.second_runs.most_common())
        broken = ", ".join(f"{count} of {name}" for name, count in self.violations.most_common())
        rows = [
            [name, str(self.struck[name]), self.proofs.get(name, "")[:70], FAULTS[name].what]
            for name in FAULTS
            if self.struck[name]
        ]
        parts = [table(["fault", "struck", "the last proof", "what it is"], rows)]
        if self.recoveries:
            parts.append(
                "Recovery, seconds (median / worst)\n" + table(recovery.HEADINGS, recovery.table(self.recoveries))
            )
            parts.append("What the user sees\n" + "\n".join(seen.lines(self.seen)))
        if self.courses:
            parts.append("Used\n" + table(used.HEADINGS, [course.row() for _, course in self.courses]))
        parts.append("\n".join([
            f"{self.requests} requests, {self.runs} runs, {sum(self.struck.values())} faults of {len(self.struck)} kinds",
            f"  ended: {ends}",
            f"  second runs: {sum(self.second_runs.values())}" + f" ({causes})" * bool(causes),
            *(f"  left out: {text}" for text in self.left_out),
            *(f"  NOT PROVEN: {text}" for text in self.unproven),
            f"  violations: {sum(self.violations.values())}" + f" ({broken})" * bool(broken),
        ]))  # fmt: skip
        return "\n\n".join(parts)
