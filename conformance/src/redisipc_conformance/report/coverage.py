"""The trace of three: requirement, check that ran, mutant that this check killed.

It uses only what runs reported, not what files claim: a check that was never reached proves nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..requirements import Requirement
from ..results import Verdict
from ..scenario.corpus import Named
from ..verdict.run import Report

RAN = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.KNOWN, Verdict.WARNING})

KILLED = "killed"
"""The verdict of a mutant that each of its checks caught by assertion."""


class CoverageError(Exception):
    """A mutants' table that cannot be used."""


@dataclass(frozen=True)
class Mutant:
    """One deliberately wrong implementation and the checks that caught it (scenario/check; none: it survived)."""

    name: str
    requirement: str
    caught_by: tuple[str, ...]
    verdict: str
    """``killed``: each of its checks failed by assertion.

    Otherwise the outcome: survived, by-timeout, no-check, not-here.
    """


@dataclass
class Trace:
    """The facts about one requirement."""

    requirement: Requirement
    checks: set[str] = field(default_factory=set)
    """Those that ran, on any of the runs."""
    unreached: set[str] = field(default_factory=set)
    """Those that were declared but got no verdict in any run."""
    killed: list[Mutant] = field(default_factory=list)
    """Mutants of this requirement that one of its checks caught by assertion."""
    elsewhere: list[Mutant] = field(default_factory=list)
    """Mutants of it that a check of something else caught, or a timeout, or no check."""

    def gap(self, *, mutants: bool) -> str:
        """A sentence about what is missing; empty if nothing is. ``mutants``: whether there is a table of mutants."""
        requirement = self.requirement
        if not requirement.testable:
            return "" if requirement.reason else "is not testable and has no reason"
        if requirement.level == "MAY":
            return ""
        if not self.checks:
            there = f"; {', '.join(sorted(self.unreached))} came to no verdict" if self.unreached else ""
            return f"no check ran{there}"
        if mutants and requirement.level == "MUST" and not self.killed:
            return "no mutant was killed by its checks" + "".join(f"; {_fate(mutant)}" for mutant in self.elsewhere)
        return ""


def _fate(mutant: Mutant) -> str:
    if mutant.verdict != KILLED:
        return f"{mutant.name}: {mutant.verdict}"
    return f"{mutant.name} was killed by {' and '.join(mutant.caught_by)}, which does not prove it"


def read_mutants(path: Path) -> list[Mutant]:
    """From ``mutants/results.json``: ``{"mutants": [{"name", "breaks": [...], "caught_by": [...], "verdict"}]}``.

    One for each requirement that it breaks. Raises CoverageError.
    """
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        return [
            Mutant(row["name"], id, tuple(row["caught_by"]), str(row["verdict"]))
            for row in data["mutants"]
            for id in row["breaks"]
        ]
    except OSError as error:
        raise CoverageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CoverageError(f"{path} is not a table of mutants: {error!r}") from error


def read_ran(path: Path) -> set[str]:
    """From ``mutants/results.json``, ``{"ran": {scenario: [check, ...]}}``: the checks that the model without a
    mutation passed.

    Raises CoverageError.
    """
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        return {f"{scenario}/{check}" for scenario, checks in data["ran"].items() for check in checks}
    except OSError as error:
        raise CoverageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CoverageError(f"{path} does not say which checks ran: {error!r}") from error


def unlike(ran: Iterable[str], present: Iterable[Named]) -> list[str]:
    """A sentence for each check that exists and has not run, or has run and no longer exists."""
    names, ids = set(ran), {named.id for named in present}
    return [
        *(f"{id}: the model has not passed it since it was written" for id in sorted(ids - names)),
        *(f"{id}: it ran, and the suite does not have it any more" for id in sorted(names - ids)),
    ]


def trace(
    requirements: Iterable[Requirement],
    reports: Iterable[Report],
    mutants: Iterable[Mutant] = (),
    ran: Iterable[Named] = (),
) -> list[Trace]:
    """One for each requirement, in order. Ids that only checks name come last.

    ``ran``: checks, besides those of the reports.
    """
    traces = {requirement.id: Trace(requirement) for requirement in requirements}
    for report in reports:
        for run in report.runs:
            for finding in run.findings():
                for id in finding.check.requirements:
                    one = traces.setdefault(id, Trace(Requirement(id, "MUST", section="not in the specification")))
                    (one.checks if finding.check.verdict in RAN else one.unreached).add(finding.id)
    for named in ran:
        for id in named.check.requirements:
            one = traces.setdefault(id, Trace(Requirement(id, "MUST", section="not in the specification")))
            one.checks.add(named.id)
    for one in traces.values():
        one.unreached -= one.checks
    for mutant in mutants:
        known = traces.setdefault(mutant.requirement, Trace(Requirement(mutant.requirement, "MUST")))
        kills = mutant.verdict == KILLED and not known.checks.isdisjoint(mutant.caught_by)
        (known.killed if kills else known.elsewhere).append(mutant)
    return list(traces.values())


def gaps(traces: Sequence[Trace], *, mutants: bool) -> list[str]:
    """A sentence for each requirement that lacks something."""
    found = []
    for one in traces:
        gap = one.gap(mutants=mutants)
        if not one.requirement.text:
            gap = "is named by a check or mutant, and the specification has no such requirement"
        if gap:
            found.append(f"{one.requirement.id} ({one.requirement.level}): {gap}")
    return found


def summary(traces: Sequence[Trace], *, mutants: bool) -> list[str]:
    """A table by section: how many there are, are testable, were checked, were proved by a mutant."""
    sections: dict[str, Counter[str]] = {}
    for one in traces:
        counter = sections.setdefault(one.requirement.section or "-", Counter())
        counter[one.requirement.level] += 1
        counter["excluded"] += not one.requirement.testable
        counter["checked"] += bool(one.checks)
        counter["killed"] += bool(one.killed)
        counter["checks"] += len(one.checks)
    columns = ["MUST", "SHOULD", "MAY", "excluded", "checked"] + (["killed"] if mutants else [])
    width = max([len("section"), *map(len, sections)])
    lines = [f"{'section':<{width}}" + "".join(f"{column:>10}" for column in columns)]
    total = Counter[str]()
    for section, counter in sections.items():
        total += counter
        lines.append(f"{section:<{width}}" + "".join(f"{counter[column] or '.':>10}" for column in columns))
    lines.append(f"{'all':<{width}}" + "".join(f"{total[column] or '.':>10}" for column in columns))
    return lines
