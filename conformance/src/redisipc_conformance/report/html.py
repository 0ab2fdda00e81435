"""One HTML page that needs nothing else: verdicts, the matrix, and each failure with both sides of its wire."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from ..files import suite_folder
from ..requirements import Requirement
from ..results import ScenarioResult, Verdict
from ..text import shorten, without_links
from ..verdict.profiles import (
    Exit,
    State,
    fails,
    failures,
    probably_the_shim,
    profiles,
    report_exit,
    run_exit,
    scale_of,
)
from ..verdict.run import Finding, Report, Run
from .alike import Alike, alike, by_scenario
from .matrix import matrix
from .summary import COLUMNS, HEADINGS
from .transcript import Shown, window

GLYPHS = {
    Verdict.PASS: "✓",
    Verdict.KNOWN: "◐",
    Verdict.NOT_APPLICABLE: "–",
    Verdict.WARNING: "!",
    Verdict.INCONCLUSIVE: "?",
    Verdict.FAIL: "✗",
    Verdict.SUITE_ERROR: "⚡",
}
STATE_CLASSES = {
    State.CONFORMANT: "pass",
    State.EXCEPT_KNOWN: "known",
    State.INCOMPLETE: "inconclusive",
    State.NOT_CONFORMANT: "fail",
    State.NOT_CLAIMED: "not-applicable",
}
BEFORE, AFTER = 30, 12
"""Lines of the wire around each wrong one: a page has more room than a terminal."""


@dataclass(frozen=True)
class Broken:
    """A scenario with something to show: all its checks that went wrong, and one timeline."""

    anchor: str
    scenario: ScenarioResult
    findings: tuple[Finding, ...]
    groups: tuple[Alike, ...]
    wire: tuple[Shown, ...]
    counts: bool
    """Whether any of it fails the run."""


def write(report: Report, path: Path) -> None:
    path.write_text(render(report, _spec_link(report, path)), encoding="utf-8")


def render(report: Report, spec_url: str = "") -> str:
    """The page. ``spec_url``: where SPEC.md is, as the links of the page name it. Empty: no links."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("redisipc_conformance.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(prose=prose, shorten=shorten)
    environment.globals.update(
        glyph=GLYPHS.__getitem__, state_class=STATE_CLASSES.__getitem__, fails=fails, profiles=profiles, Verdict=Verdict
    )
    folder = Path(__file__).parent
    return environment.get_template("page.html.j2").render(
        report=report,
        css=Markup((folder / "page.css").read_text(encoding="utf-8")),
        headline=headline(report),
        good=sum(run_exit(run) is Exit.CONFORMANT for run in report.runs),
        matrix=matrix(report),
        runs=list(enumerate(report.runs)),
        broken=[list(_broken(index, run)) for index, run in enumerate(report.runs)],
        areas=[_areas(run) for run in report.runs],
        shim=[probably_the_shim(run) for run in report.runs],
        failures=[len(failures(run)) for run in report.runs],
        late=[[f for f in run.findings() if f.check.late] for run in report.runs],
        anchor=anchor,
        scale_of=scale_of,
        spec_link=lambda requirement: _requirement_link(spec_url, requirement),
        headings=HEADINGS,
        columns=[column for column in COLUMNS if _occurs(report, column)],
        order=list(COLUMNS),
    )


def headline(report: Report) -> str:
    """The verdict over everything, in one or two words."""
    if any(verdict.state is State.NOT_CONFORMANT for run in report.runs for verdict in profiles(run)):
        return "not conformant"
    if report_exit(report) is not Exit.CONFORMANT:
        return "not as expected"
    states = {verdict.state for run in report.runs for verdict in profiles(run)} - {State.NOT_CLAIMED}
    if State.INCOMPLETE in states:
        return "not decided"
    return State.EXCEPT_KNOWN.value if State.EXCEPT_KNOWN in states else State.CONFORMANT.value


def anchor(run: int, scenario: str) -> str:
    return f"run{run}-{scenario.replace('/', '-')}"


def prose(text: str) -> Markup:
    """A sentence of SPEC.md: its `code` as code, its links as their text."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(without_links(text)))))


def _broken(index: int, run: Run) -> Iterator[Broken]:
    made = []
    shown = (
        finding for finding in run.findings() if finding.check.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)
    )
    for findings in by_scenario(shown):
        scenario = findings[0].scenario
        wrong = [finding.check.wrong_line for finding in findings if finding.check.wrong_line is not None]
        wire = window(scenario.transcript, wrong, before=BEFORE, after=AFTER)
        counts = any(fails(finding.check, run.strict) for finding in findings)
        made.append(
            Broken(anchor(index, scenario.id), scenario, tuple(findings), tuple(alike(findings)), tuple(wire), counts)
        )
    yield from sorted(made, key=lambda broken: not broken.counts)


def _areas(run: Run) -> list[tuple[str, str, Counter[Verdict]]]:
    counts: dict[tuple[str, str], Counter[Verdict]] = {}
    for finding in run.findings():
        counts.setdefault((finding.scenario.profile, finding.scenario.area), Counter())[finding.check.verdict] += 1
    order = [verdict.profile for verdict in profiles(run)]
    return [(*key, counts[key]) for key in sorted(counts, key=lambda key: (order.index(key[0]), key[1]))]


def _occurs(report: Report, verdict: Verdict) -> bool:
    always = (Verdict.PASS, Verdict.FAIL)
    return verdict in always or any(f.check.verdict is verdict for run in report.runs for f in run.findings())


def _spec_link(report: Report, path: Path) -> str:
    """The user's choice, else SPEC.md of the checkout, relative to the page."""
    if report.spec_url:
        return report.spec_url
    spec = suite_folder().parent / "SPEC.md"
    return quote(os.path.relpath(spec, path.resolve().parent)) if spec.is_file() else ""


def _requirement_link(spec_url: str, requirement: Requirement) -> str:
    """To the anchor that SPEC.md gives each statement."""
    return f"{spec_url}#{requirement.id.lower()}" if spec_url else ""
