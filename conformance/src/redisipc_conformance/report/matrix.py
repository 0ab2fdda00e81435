"""A table of requirements by implementations: the result of each run for each statement of SPEC.md."""

from __future__ import annotations

from dataclasses import dataclass

from ..requirements import Requirement
from ..results import Verdict
from ..verdict.run import Finding, Report, Run

ORDER = (
    Verdict.SUITE_ERROR,
    Verdict.FAIL,
    Verdict.INCONCLUSIVE,
    Verdict.WARNING,
    Verdict.KNOWN,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)
"""A cell shows the first of these verdicts that one of its checks has."""


@dataclass(frozen=True)
class Cell:
    """One requirement in one run. ``verdict`` None: no check of it ran."""

    verdict: Verdict | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Row:
    requirement: Requirement
    cells: tuple[Cell, ...]

    @property
    def quiet(self) -> bool:
        """Whether nothing in it needs attention."""
        return all(cell.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE, None) for cell in self.cells)


def matrix(report: Report) -> dict[str, list[Row]]:
    """Rows by section, in the specification's order. Unknown ids come last."""
    by_id = [_by_requirement(run) for run in report.runs]
    listed = {requirement.id for requirement in report.requirements}
    strays = sorted({id for findings in by_id for id in findings if id not in listed})
    sections: dict[str, list[Row]] = {}
    for requirement in [*report.requirements, *(report.sentence(id) for id in strays)]:
        cells = tuple(_cell(findings.get(requirement.id, [])) for findings in by_id)
        sections.setdefault(requirement.section or "Other", []).append(Row(requirement, cells))
    return sections


def _by_requirement(run: Run) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in run.findings():
        if not finding.check.late:
            for id in finding.check.requirements:
                found.setdefault(id, []).append(finding)
    return found


def _cell(findings: list[Finding]) -> Cell:
    verdicts = {finding.check.verdict for finding in findings}
    return Cell(next((verdict for verdict in ORDER if verdict in verdicts), None), tuple(findings))
