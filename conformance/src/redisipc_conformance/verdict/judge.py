"""From what was kept of a scenario's checks to verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..context.failure import Stopped
from ..requirements import Level, Requirements
from ..results import DIED, MALFORMED, UNREACHED, BudgetUse, CheckResult, Line, ScenarioResult, Verdict
from ..scenario.model import ROW_NAME, Scenario
from .check_log import Book, Kept
from .transcript import Transcript

_GRAVITY = {verdict: rank for rank, verdict in enumerate(Verdict)}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    return max(verdicts, key=_GRAVITY.__getitem__, default=Verdict.PASS)


@dataclass
class Ended:
    """How one run of a scenario (or of one row) ended."""

    book: Book
    stopped: Stopped | None = None
    stopped_rows: dict[str, Stopped] = field(default_factory=dict)
    crash: str = ""
    fault: str = ""
    """The fault of the suite."""
    fault_line: int = 0
    malformed: str = ""
    culprit: object | None = None
    """The malformed entry."""
    seconds: float = 0.0
    transcript: Transcript | None = None
    stderr: str = ""
    budgets: Sequence[BudgetUse] = ()

    @property
    def clean(self) -> bool:
        """Nothing of it needs an explanation."""
        if self.stopped or self.stopped_rows or self.crash or self.fault or self.malformed:
            return False
        return all(kept.decided and kept.failed is None for kept in self.book.kept.values())

    def stop(self, kept: Kept) -> Stopped | None:
        """The reason why the rest of this check's steps did not run: in its own rows, else anywhere."""
        row = row_of(kept)
        rows = sorted(kept.owed_rows) if row is None else [row]
        own = next((self.stopped_rows[name] for name in rows if name in self.stopped_rows), None)
        return own or self.stopped or next(iter(self.stopped_rows.values()), None)


class Judge:
    """Makes results. `strict`: a SHOULD counts like a MUST."""

    def __init__(self, requirements: Requirements, *, strict: bool) -> None:
        self._requirements = requirements
        self._strict = strict

    def result(self, scenario: Scenario, runs: Sequence[Ended], rerun: str) -> ScenarioResult:
        """One result of all runs of a scenario: those of its rows are put together."""
        checks: dict[str, CheckResult] = {}
        lines: list[Line] = []
        for run in runs:
            found = self._checks(scenario, run)
            if any(check.verdict is not Verdict.PASS for check in found):
                found = [_moved(check, len(lines)) for check in found]
                lines += run.transcript.lines if run.transcript else ()
            for check in found:
                before = checks.get(check.name)
                if before is None or _GRAVITY[check.verdict] > _GRAVITY[before.verdict]:
                    checks[check.name] = check
        verdict = worst(check.verdict for check in checks.values())
        return ScenarioResult(
            id=scenario.id,
            title=scenario.title,
            area=scenario.area,
            profile=scenario.profile,
            verdict=verdict,
            seconds=max(run.seconds for run in runs),
            checks=tuple(checks.values()),
            transcript=tuple(lines),
            stderr="\n".join(filter(None, (run.stderr for run in runs))) if verdict is not Verdict.PASS else "",
            reason=next(filter(None, map(_reason, runs)), ""),
            rerun=rerun,
            budgets=tuple(use for run in runs for use in run.budgets),
        )

    def _checks(self, scenario: Scenario, run: Ended) -> list[CheckResult]:
        found = [self._check(scenario, run, kept) for kept in run.book.kept.values()]
        if run.malformed:
            expected = "the six fields of SPEC.md section 4, each with a value that is allowed"
            text = "Every entry that the testee writes is well-formed"
            wrong_line = run.transcript.index(run.culprit) if run.transcript else None
            check = CheckResult(MALFORMED, text, scenario.requirements, "MUST", Verdict.FAIL, run.malformed)
            found.append(
                replace(check, expected=expected, seen=run.malformed, file=scenario.file, wrong_line=wrong_line)
            )
        if run.crash:
            text = "A process of the testee runs, and speaks the testee protocol, until the runner ends it"
            check = CheckResult(DIED, text, (), "MUST", Verdict.FAIL, run.crash, "a process that runs on", run.crash)
            found.append(replace(check, file=scenario.file))
        return found

    def _check(self, scenario: Scenario, run: Ended, kept: Kept) -> CheckResult:
        check = kept.check
        text = check.text
        row = row_of(kept)
        if row is not None:
            text = text.replace(ROW_NAME, row)
        level = self._requirements.level(check.requirements)
        result = CheckResult(
            kept.name, text, check.requirements, level, Verdict.PASS, file=scenario.file, line=check.line
        )
        if kept.failed is not None and kept.step is not None:
            failed, step = kept.failed, kept.step
            wrong_line = run.transcript.index(failed.culprit) if run.transcript else None
            return replace(
                result, verdict=self._failing(level), message=failed.message, expected=failed.expected, seen=failed.seen,
                line=step.line, wrong_line=wrong_line, by_timeout=failed.by_timeout,
            )  # fmt: skip
        if run.fault:
            return replace(result, verdict=Verdict.SUITE_ERROR, message=run.fault, line=run.fault_line or check.line)
        if kept.decided:
            return result
        if run.crash:
            message = f"{UNREACHED}{run.crash}"
            return replace(result, verdict=Verdict.INCONCLUSIVE, message=message, seen=run.crash)
        stopped = run.stop(kept)
        if stopped is None:
            message = f"{UNREACHED}not every step that decides it was played"
            return replace(result, verdict=self._failing(level), message=message)
        failed = stopped.failed
        wrong_line = run.transcript.index(failed.culprit) if run.transcript else None
        return replace(
            result, verdict=Verdict.INCONCLUSIVE, message=f"{UNREACHED}{told(stopped)}", expected=failed.expected,
            seen=failed.seen, line=stopped.step.line, wrong_line=wrong_line, by_timeout=failed.by_timeout,
        )  # fmt: skip

    def _failing(self, level: Level) -> Verdict:
        return Verdict.FAIL if level == "MUST" or self._strict else Verdict.WARNING


def _moved(check: CheckResult, by: int) -> CheckResult:
    return check if check.wrong_line is None else replace(check, wrong_line=check.wrong_line + by)


def told(stopped: Stopped) -> str:
    """The step that ended a scenario, by its own name, and why."""
    return f"{stopped.step.word} in line {stopped.step.line}: {stopped.failed.message}"


def _reason(run: Ended) -> str:
    if run.fault or run.crash:
        return run.fault or run.crash
    stopped = run.stopped or next(iter(run.stopped_rows.values()), None)
    return told(stopped) if stopped else ""


def row_of(kept: Kept) -> str | None:
    """The row that a check is for; None for one that is not for each row."""
    before, found, after = kept.check.name.partition(ROW_NAME)
    return kept.name[len(before) : len(kept.name) - len(after)] if found else None
