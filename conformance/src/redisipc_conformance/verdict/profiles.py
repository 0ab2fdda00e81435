"""Decides from the checks: does a check fail the run, is a profile conformant, what is the exit code."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..results import CheckResult, Verdict
from ..testee.claims import needs
from .run import Finding, Report, Run

PROFILES = ("base", "ask", "group", "channel", "resilient")
"""In the specification's order."""


class Exit(enum.IntEnum):
    """The exit code of the process. The first five are the same as pytest's."""

    CONFORMANT = 0
    NOT_CONFORMANT = 1
    INTERRUPTED = 2
    SUITE_ERROR = 3
    USAGE = 4
    NOTHING_CHECKED = 5
    TESTEE_UNUSABLE = 6
    NO_REDIS = 7


SEVERITY = (
    Exit.CONFORMANT,
    Exit.NOTHING_CHECKED,
    Exit.NOT_CONFORMANT,
    Exit.TESTEE_UNUSABLE,
    Exit.NO_REDIS,
    Exit.SUITE_ERROR,
    Exit.USAGE,
    Exit.INTERRUPTED,
)
"""Of several runs, the exit code that is last in this order counts."""


class State(enum.Enum):
    """The verdict of a run about one profile."""

    CONFORMANT = "conformant"
    EXCEPT_KNOWN = "conformant but for known failures"
    INCOMPLETE = "not decided"
    NOT_CONFORMANT = "NOT conformant"
    NOT_CLAIMED = "not claimed"


@dataclass(frozen=True)
class ProfileVerdict:
    profile: str
    state: State
    counts: Counter[Verdict]
    why: str = ""

    def __str__(self) -> str:
        return f"{self.profile}: {self.state.value}" + (f" ({self.why})" if self.why else "")


def fails(check: CheckResult, strict: bool) -> bool:
    """Whether it makes its profile not conformant. A check that is newer than the frozen set never does."""
    if check.late:
        return False
    if check.verdict in (Verdict.FAIL, Verdict.SUITE_ERROR):
        return True
    if check.verdict is Verdict.INCONCLUSIVE:
        return strict or check.level == "MUST"
    # With `strict` the judge makes a failure of a SHOULD. What still is a warning is a permission that the port does not use.
    return strict and check.verdict is Verdict.WARNING and check.level != "MAY"


def failures(run: Run) -> list[Finding]:
    return [finding for finding in run.findings() if fails(finding.check, run.strict)]


def decided(run: Run) -> int:
    """How many checks came to a verdict about the testee."""
    undecided = (Verdict.NOT_APPLICABLE, Verdict.INCONCLUSIVE, Verdict.SUITE_ERROR)
    return sum(finding.check.verdict not in undecided for finding in run.findings())


def profiles(run: Run) -> list[ProfileVerdict]:
    """One verdict for each profile of the suite, in the specification's order."""
    met = {result.profile for result in run.results} | set(run.started.testee.profiles)
    names = [name for name in PROFILES if name in met] + sorted(met.difference(PROFILES))
    found: dict[str, ProfileVerdict] = {}
    for name in names:
        found[name] = _with_its_base(_profile(run, name), found)
    return list(found.values())


def _with_its_base(verdict: ProfileVerdict, before: Mapping[str, ProfileVerdict]) -> ProfileVerdict:
    """A profile needs those that it builds on: if one of them is not held, this one is not held, either."""
    if verdict.state in (State.NOT_CLAIMED, State.NOT_CONFORMANT):
        return verdict
    broken = [n for n in needs().get(verdict.profile, ()) if n in before and before[n].state is State.NOT_CONFORMANT]
    if not broken:
        return verdict
    return replace(verdict, state=State.NOT_CONFORMANT, why=f"it builds on {' and '.join(broken)}, not conformant")


def _profile(run: Run, name: str) -> ProfileVerdict:
    findings = [finding for finding in run.findings() if finding.scenario.profile == name]
    counts = Counter(finding.check.verdict for finding in findings)

    def verdict(state: State, why: str = "") -> ProfileVerdict:
        return ProfileVerdict(name, state, counts, why)

    if name not in run.started.testee.profiles:
        return verdict(State.NOT_CLAIMED)
    wrong = [finding.check.verdict for finding in findings if fails(finding.check, run.strict)]
    if wrong:
        unclear = wrong.count(Verdict.INCONCLUSIVE)
        told = [_many(len(wrong) - unclear, "check fails", "checks fail")] if len(wrong) > unclear else []
        told += [_many(unclear, "is not decided", "are not decided")] if unclear else []
        return verdict(State.NOT_CONFORMANT, ", ".join(told))
    known_musts = sum(
        finding.check.verdict is Verdict.KNOWN and finding.check.level == "MUST" and not finding.check.late
        for finding in findings
    )
    if known_musts:
        # The file keeps CI green; it does not make a port conformant.
        return verdict(State.NOT_CONFORMANT, f"known failures: {known_musts}")
    if run.interrupted:
        return verdict(State.INCOMPLETE, "interrupted")
    if not counts.total() - counts[Verdict.NOT_APPLICABLE]:
        return verdict(State.INCOMPLETE, "nothing of it was checked")
    if all(finding.check.late or finding.check.verdict is Verdict.NOT_APPLICABLE for finding in findings):
        return verdict(State.INCOMPLETE, "no check of it counts for this version yet")
    if not run.everything:
        return verdict(State.INCOMPLETE, "only a part was run")
    if missing := _holes(run, name):
        return verdict(State.INCOMPLETE, f"{_many(missing, 'scenario', 'scenarios')} could not run here")
    if scale := scale_of(run):
        return verdict(State.INCOMPLETE, f"{scale}: its time limits were not tried at their length")
    limits = limits_of(run)
    if counts[Verdict.KNOWN]:
        known = _many(counts[Verdict.KNOWN], "check", "checks")
        return verdict(State.EXCEPT_KNOWN, f"{known}; {limits}" if limits else known)
    return verdict(State.CONFORMANT, limits)


def scale_of(run: Run) -> str:
    """The option that made time limits longer or shorter, as every report shows it; empty where there was none."""
    if run.started.no_timeouts:
        return "--no-timeouts"
    return f"--time-scale {run.started.time_scale:g}" if run.started.time_scale != 1 else ""


def limits_of(run: Run) -> str:
    """The limits in the testee's claims, in words: one role only, one thing at a time."""
    testee = run.started.testee
    named = [role for role in testee.roles if role in ("requester", "responder")]
    parts = [f"as {named[0]}"] if len(named) == 1 else []
    return ", ".join([*parts, *(["serial"] if testee.serial else [])])


def _holes(run: Run, profile: str) -> int:
    """How many scenarios of the profile could not run here.

    A scenario of which the run knows no more may belong to any profile.
    """
    told = {result.id: result.profile for result in run.results}
    return sum(told.get(id, profile) == profile for id in run.started.left_out)


def _many(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def run_exit(run: Run) -> Exit:
    """The exit code for this run alone."""
    if any(finding.check.verdict is Verdict.SUITE_ERROR for finding in run.findings()):
        return Exit.SUITE_ERROR
    if failures(run) or run.problems or (run.strict and run.started.left_out):
        return Exit.NOT_CONFORMANT
    if not decided(run):
        return Exit.NOTHING_CHECKED
    return Exit.CONFORMANT


def report_exit(report: Report) -> Exit:
    """The most serious of its runs' codes. "Nothing checked" if there is none."""
    return gravest([run_exit(run) for run in report.runs] or [Exit.NOTHING_CHECKED])


def gravest(codes: list[Exit]) -> Exit:
    return max(codes, key=SEVERITY.index)


def probably_the_shim(run: Run) -> bool:
    """Whether so many checks failed that probably the shim is wrong, not the implementation.

    One scenario that ran alone says nothing about the shim, however many checks it has.
    """
    tried = [finding for finding in run.findings() if finding.check.verdict is not Verdict.NOT_APPLICABLE]
    verdicts = {finding.check.verdict for finding in tried}
    scenarios = {finding.scenario.id for finding in tried}
    return len(tried) >= 5 and len(scenarios) >= 3 and not verdicts & {Verdict.PASS, Verdict.KNOWN}
