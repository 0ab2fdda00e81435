"""A run as the reports see it: the content of its events. Several runs (servers, implementations) make one report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..printable import all_printable
from ..requirements import Requirement
from ..results import CheckResult, Event, Interop, RunEnded, RunStarted, ScenarioEnded, ScenarioResult, Verdict
from ..text import shorten

BAD = frozenset({Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.SUITE_ERROR})
KEPT, KEPT_STDERR = 4_000, 20_000
"""Characters of a wire line and of a scenario's stderr (its end) that a report holds; content can have megabytes."""
QUIET = frozenset({Verdict.PASS, Verdict.NOT_APPLICABLE})
"""Verdicts that need no transcript."""


@dataclass(frozen=True)
class Finding:
    """A check with the scenario that it belongs to."""

    scenario: ScenarioResult
    check: CheckResult

    @property
    def id(self) -> str:
        return f"{self.scenario.id}/{self.check.name}" if self.check.name else self.scenario.id


@dataclass
class Run:
    """One implementation on one server."""

    started: RunStarted
    results: list[ScenarioResult] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False
    selection: str = "everything"
    """The scenarios that the user chose to run, in the user's words."""
    thorough: bool = True
    """Whether the long checks ran, too; a default run decides every MUST without them."""
    strict: bool = False
    """SHOULDs count as MUSTs, and scenarios that could not run here count as failed."""
    command_line: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    """Failures of the run that are not checks: wrong lines in the known-failures file, a changed suite."""
    notes: list[str] = field(default_factory=list)
    """Notes for the user that do not fail the run."""

    def record(self, event: Event) -> None:
        """Keeps the content of the event."""
        if isinstance(event, ScenarioEnded):
            self.results.append(slim(event.result))
        elif isinstance(event, RunEnded):
            self.seconds, self.interrupted = event.seconds, event.interrupted
            self.notes += all_printable(event.notes)

    def findings(self) -> Iterator[Finding]:
        """Every check, and each scenario that went wrong outside its checks as a check without a name."""
        for result in self.results:
            for check in result.checks:
                yield Finding(result, check)
            if outside := failure_outside_checks(result):
                yield Finding(result, outside)

    @property
    def everything(self) -> bool:
        return self.selection == "everything"

    @property
    def further(self) -> str:
        """A sentence for reports that further questions were left out. Empty if none were."""
        return "" if self.thorough or not self.everything else "without --thorough"

    @property
    def title(self) -> str:
        testee, server = self.started.testee, self.started.server
        return f"{testee.name} {testee.version} on {server.brand} {server.version}"


@dataclass
class Report:
    """The content of the files, which ``report merge`` joins."""

    runs: list[Run]
    requirements: list[Requirement] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Why a run that was wanted did not begin: no Redis, a testee that cannot be used."""
    spec_url: str = ""
    """Where SPEC.md is, for links into it."""
    interop: Interop | None = None
    """Implementations against each other, where the report shows that."""

    def sentence(self, id: str) -> Requirement:
        """The requirement of that id; one without text if the specification does not have it."""
        return next((each for each in self.requirements if each.id == id), Requirement(id, "MUST"))


def failure_outside_checks(result: ScenarioResult) -> CheckResult | None:
    """A check without a name that stands for a scenario which failed although none of its checks did."""
    shown = BAD | {Verdict.KNOWN}
    if result.verdict not in shown or any(check.verdict in shown for check in result.checks):
        return None
    late = bool(result.checks) and all(check.late for check in result.checks)
    requirements = tuple(dict.fromkeys(id for check in result.checks for id in check.requirements))
    return CheckResult(
        name="",
        text=result.title,
        requirements=requirements,
        level="MUST",
        verdict=result.verdict,
        message=result.reason or "the scenario could not continue",
        late=late,
    )


def slim(result: ScenarioResult) -> ScenarioResult:
    """Printable, and without the evidence of what passed: so a report of a thousand checks stays readable."""
    if result.verdict in QUIET and all(check.verdict in QUIET for check in result.checks):
        return all_printable(replace(result, transcript=(), stderr=""))
    lines = tuple(
        replace(line, text=shorten(line.text, KEPT), reply=shorten(line.reply, KEPT)) for line in result.transcript
    )
    return all_printable(replace(result, transcript=lines, stderr=result.stderr[-KEPT_STDERR:]))
