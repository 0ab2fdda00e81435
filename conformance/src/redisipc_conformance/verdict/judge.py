"""Makes every verdict of a check or a scenario, from the log of the scenario's checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from ..always import Rule
from ..context.failure import Failed, Stopped
from ..requirements import Requirements
from ..results import (
    DIED,
    FAREWELL,
    FOREIGN,
    MALFORMED,
    STRANGER,
    UNREACHED,
    WHOLE_RUN,
    BudgetUse,
    CheckResult,
    Line,
    ScenarioResult,
    ServerInfo,
    Verdict,
    worst,
)
from ..scenario.corpus import Named, named_checks
from ..scenario.model import ROW_NAME, Scenario
from ..version import SPEC_VERSION
from .check_log import CheckLog, CheckState
from .frozen import FrozenSet, former_ids
from .known import KnownFailures
from .transcript import Transcript


@dataclass
class RunOutcome:
    """How one run of a scenario (or of one row) ended."""

    check_log: CheckLog
    stopped: Stopped | None = None
    stopped_rows: dict[str, Stopped] = field(default_factory=dict)
    crash: str = ""
    fault: str = ""
    """The fault of the suite."""
    fault_line: int = 0
    malformed: str = ""
    culprit: object | None = None
    """The malformed entry."""
    broken_statement: str = ""
    """The statement that it breaks."""
    refused: str = ""
    """The command that the tap refused."""
    stranger: str = ""
    """The entry that bypassed the taps."""
    broken: dict[Rule, tuple[str, object]] = field(default_factory=dict)
    """The broken rules of those that hold in every scenario: what was seen, and the line of the transcript."""
    evidence: object | None = None
    """The line of the transcript that `refused` or `stranger` names."""
    seconds: float = 0.0
    transcript: Transcript | None = None
    stderr: str = ""
    budgets: Sequence[BudgetUse] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing in it needs an explanation."""
        if (
            self.stopped
            or self.stopped_rows
            or self.crash
            or self.fault
            or self.malformed
            or self.refused
            or self.stranger
            or self.broken
        ):
            return False
        return all(state.decided and state.failed is None for state in self.check_log.states.values())

    @property
    def lagged(self) -> bool:
        """Whether something failed that the busy machine alone may have caused."""
        stops = [*self.stopped_rows.values(), *([self.stopped] if self.stopped else [])]
        failures = [stop.failed for stop in stops] + [
            state.failed for state in self.check_log.states.values() if state.failed
        ]
        return any(failed.lag for failed in failures)

    def stop(self, state: CheckState) -> Stopped | None:
        """The reason why the rest of this check's steps did not run: in its own rows, else anywhere."""
        row = row_of(state)
        rows = sorted(state.owed_rows) if row is None else [row]
        own = next((self.stopped_rows[name] for name in rows if name in self.stopped_rows), None)
        return own or self.stopped or next(iter(self.stopped_rows.values()), None)


@dataclass(frozen=True)
class Judge:
    """Makes the result of each scenario. `strict`: a SHOULD counts as a MUST, and so does a MAY whose feature is claimed.

    `former`: of a check's id, its earlier ones.
    """

    requirements: Requirements
    strict: bool = False
    frozen: FrozenSet = field(default_factory=lambda: FrozenSet(SPEC_VERSION))
    former: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    known: KnownFailures = field(default_factory=KnownFailures)
    excused: frozenset[str] = frozenset()
    """Statements of checks that are known to fail. The rules of every scenario do not report them again."""

    @classmethod
    def load(
        cls, requirements: Requirements, scenarios: Iterable[Scenario], known: KnownFailures, *, strict: bool
    ) -> Judge:
        """With the frozen set of this specification. `scenarios`: all that ship."""
        scenarios = list(scenarios)
        named = [(scenario.id, one) for scenario in scenarios for one in named_checks(scenario)]
        excused = (one.check.requirements for id, one in named if known.names(id, one.id))
        return cls(
            requirements,
            strict,
            FrozenSet.load(),
            former_ids(scenarios),
            known,
            frozenset(chain.from_iterable(excused)),
        )

    def result(self, scenario: Scenario, runs: Sequence[RunOutcome], server: ServerInfo, rerun: str) -> ScenarioResult:
        """Combines all runs of a scenario, one for each row, into one result."""
        checks: dict[str, CheckResult] = {}
        lines: list[Line] = []
        for run in runs:
            found = self._checks(scenario, run)
            if any(check.verdict is not Verdict.PASS for check in found):
                found = [_moved(check, len(lines)) for check in found]
                lines += run.transcript.lines if run.transcript else ()
            for check in found:
                before = checks.get(check.name)
                if before is None or before.verdict is not worst((before.verdict, check.verdict)):
                    checks[check.name] = check
        verdict = worst(check.verdict for check in checks.values())
        result = ScenarioResult(
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
        return self.judged(result, server)

    def farewell(
        self, profiles: Sequence[str], message: str, seen: str, stderr: str, server: ServerInfo
    ) -> ScenarioResult:
        """Processes of the testee ended badly: a failure of the whole run, and so of the lowest profile."""
        text = "A process of the testee ends with exit status 0 after shutdown"
        check = CheckResult(FAREWELL, text, (), "MUST", Verdict.FAIL, message, "exit status 0", seen)
        profile = "base" if "base" in profiles else profiles[0]
        about = (WHOLE_RUN, "The testee ends as the testee protocol says", "testee", profile)
        result = ScenarioResult(*about, Verdict.FAIL, 0.0, (check,), stderr=stderr, reason=message)
        return self.judged(result, server)

    def left_out(self, scenario: Scenario, reason: str, rerun: str, *, claimed: bool) -> ScenarioResult:
        """A scenario that did not run. Where the testee does not claim it, its checks are named: a report shows them."""
        checks = [] if claimed else [self._not_asked(named, reason) for named in named_checks(scenario)]
        about = (scenario.id, scenario.title, scenario.area, scenario.profile)
        return ScenarioResult(*about, Verdict.NOT_APPLICABLE, 0.0, tuple(checks), reason=reason, rerun=rerun)

    def judged(self, result: ScenarioResult, server: ServerInfo) -> ScenarioResult:
        """The result as it counts: late checks and known failures are marked. Nothing else makes a verdict final."""
        late = self.frozen.late(result, self.former)
        checks = tuple(self._judged(result.id, check, check.name in late, server) for check in result.checks)
        if result.verdict is worst(check.verdict for check in result.checks):
            verdict = worst(check.verdict for check in checks)
        else:
            # Whether it failed outside its checks.
            verdict = Verdict.KNOWN if self.known.excuses(result, server) else result.verdict
        return replace(result, checks=checks, verdict=verdict)

    def _judged(self, scenario: str, check: CheckResult, late: bool, server: ServerInfo) -> CheckResult:
        reason = self.known.excuse(scenario, check, server)
        verdict = check.verdict if reason is None else Verdict.KNOWN
        return replace(check, late=check.late or late, verdict=verdict, known=check.known if reason is None else reason)

    def _not_asked(self, named: Named, reason: str) -> CheckResult:
        return CheckResult(
            name=named.id.rsplit("/", 1)[1],
            text=named.check.text,
            requirements=named.check.requirements,
            level=self.requirements.level(named.check.requirements),
            verdict=Verdict.NOT_APPLICABLE,
            message=reason,
        )

    def _checks(self, scenario: Scenario, run: RunOutcome) -> list[CheckResult]:
        found = [self._check(scenario, run, state) for state in run.check_log.states.values()]
        if run.malformed:
            expected = "the six fields of SPEC.md section 4, each with a value that is allowed"
            text = "Every entry that the testee writes is well-formed"
            wrong_line = run.transcript.index(run.culprit) if run.transcript else None
            broken = (run.broken_statement,) if run.broken_statement else scenario.requirements
            check = CheckResult(MALFORMED, text, broken, "MUST", Verdict.FAIL, run.malformed)
            found.append(
                replace(check, expected=expected, seen=run.malformed, file=scenario.file, wrong_line=wrong_line)
            )
        if run.refused:
            text = "No endpoint sends a command that changes the server for all who use it"
            check = CheckResult(FOREIGN, text, ("RIPC-REDIS-2",), "MUST", Verdict.FAIL, run.refused)
            found.append(self._with_evidence(check, run, scenario, "commands that touch the endpoint's own keys"))
        if run.stranger:
            text = "Every entry comes over the tap of an endpoint"
            check = CheckResult(STRANGER, text, (), "MUST", Verdict.FAIL, run.stranger)
            found.append(self._with_evidence(check, run, scenario, "an XADD over the URL that connect was given"))
        for rule, (seen, evidence) in run.broken.items():
            if self.excused.isdisjoint(rule.requirements):
                found.append(self._broken(rule, seen, evidence, run, scenario))
        if run.crash:
            text = "A process of the testee runs, and speaks the testee protocol, until the runner ends it"
            check = CheckResult(DIED, text, (), "MUST", Verdict.FAIL, run.crash, "a process that runs on", run.crash)
            found.append(replace(check, file=scenario.file))
        return found

    def _broken(self, rule: Rule, seen: str, evidence: object, run: RunOutcome, scenario: Scenario) -> CheckResult:
        level = self.requirements.level(rule.requirements)
        check = CheckResult(
            rule.name, rule.text, rule.requirements, level, self._failing(rule.requirements), seen, rule.text, seen
        )
        wrong_line = run.transcript.index(evidence) if run.transcript else None
        return replace(check, file=scenario.file, wrong_line=wrong_line)

    @staticmethod
    def _with_evidence(check: CheckResult, run: RunOutcome, scenario: Scenario, expected: str) -> CheckResult:
        wrong_line = run.transcript.index(run.evidence) if run.transcript else None
        return replace(check, expected=expected, seen=check.message, file=scenario.file, wrong_line=wrong_line)

    def _check(self, scenario: Scenario, run: RunOutcome, state: CheckState) -> CheckResult:
        check = state.check
        text = check.text
        row = row_of(state)
        if row is not None:
            text = text.replace(ROW_NAME, row)
        level = self.requirements.level(check.requirements)
        result = CheckResult(
            state.name, text, check.requirements, level, Verdict.PASS, file=scenario.file, line=check.line
        )
        if state.failed is not None and state.step is not None:
            failed, step = state.failed, state.step
            wrong_line = run.transcript.index(failed.culprit) if run.transcript else None
            verdict = Verdict.INCONCLUSIVE if failed.lag else self._failing(check.requirements)
            return replace(
                result, verdict=verdict, message=_with_lag(failed), expected=failed.expected, seen=failed.seen,
                line=step.line, wrong_line=wrong_line, by_timeout=failed.by_timeout,
            )  # fmt: skip
        if run.fault:
            return replace(result, verdict=Verdict.SUITE_ERROR, message=run.fault, line=run.fault_line or check.line)
        if state.decided:
            return result
        if run.crash:
            message = f"{UNREACHED}{run.crash}"
            return replace(result, verdict=Verdict.INCONCLUSIVE, message=message, seen=run.crash)
        stopped = run.stop(state)
        if stopped is None:
            message = f"{UNREACHED}not every step that decides it was played"
            return replace(result, verdict=self._failing(check.requirements), message=message)
        failed = stopped.failed
        wrong_line = run.transcript.index(failed.culprit) if run.transcript else None
        return replace(
            result, verdict=Verdict.INCONCLUSIVE, message=f"{UNREACHED}{told(stopped)}", expected=failed.expected,
            seen=failed.seen, line=stopped.step.line, wrong_line=wrong_line, by_timeout=failed.by_timeout,
        )  # fmt: skip

    def _failing(self, ids: Sequence[str]) -> Verdict:
        strict = self.strict and not self.requirements.only_permit(ids)
        return Verdict.FAIL if strict or self.requirements.level(ids) == "MUST" else Verdict.WARNING


def _with_lag(failed: Failed) -> str:
    if not failed.lag:
        return failed.message
    return f"{failed.message}; {failed.lag_of} {failed.lag:.1f} s, so nothing is decided"


def _moved(check: CheckResult, by: int) -> CheckResult:
    return check if check.wrong_line is None else replace(check, wrong_line=check.wrong_line + by)


def told(stopped: Stopped) -> str:
    """The step that ended a scenario, by its own name, and why."""
    return f"{stopped.step.word} in line {stopped.step.line}: {_with_lag(stopped.failed)}"


def _reason(run: RunOutcome) -> str:
    if run.fault or run.crash:
        return run.fault or run.crash
    stopped = run.stopped or next(iter(run.stopped_rows.values()), None)
    return told(stopped) if stopped else ""


def row_of(state: CheckState) -> str | None:
    """The row of a check. None for a check that is not made for each row."""
    before, found, after = state.check.name.partition(ROW_NAME)
    return state.name[len(before) : len(state.name) - len(after)] if found else None
