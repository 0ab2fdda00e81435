"""A badge for a README: SVG, or the JSON that shields.io reads, by the file's ending."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from ..results import Verdict
from ..verdict.profiles import PROFILES, Exit, State, profiles, report_exit
from ..verdict.run import Report

COLOURS = {"green": "#2f7d32", "amber": "#9a6700", "red": "#b3261e", "grey": "#5f6368"}
SHIELDS = {"green": "brightgreen", "amber": "yellow", "red": "red", "grey": "lightgrey"}


def write(report: Report, path: Path) -> None:
    """``.svg`` is a picture; anything else is an endpoint for https://shields.io/badges/endpoint-badge."""
    label, message, colour = content(report)
    if path.suffix == ".svg":
        path.write_text(_svg(label, message, COLOURS[colour]), encoding="utf-8")
        return
    data = {"schemaVersion": 1, "label": label, "message": message, "color": SHIELDS[colour]}
    path.write_text(json.dumps(data) + "\n", encoding="utf-8")


def content(report: Report) -> tuple[str, str, str]:
    """Label, message and colour. Green only if every run was thorough and proved every claimed profile."""
    spec = report.runs[0].started.spec if report.runs else "?"
    label = f"RedisIPC {spec}"
    states: dict[str, set[State]] = {}
    known = 0
    for run in report.runs:
        for verdict in profiles(run):
            states.setdefault(verdict.profile, set()).add(verdict.state)
            if verdict.state is State.EXCEPT_KNOWN:
                known += verdict.counts[Verdict.KNOWN]
    claimed = {name: seen for name, seen in states.items() if seen != {State.NOT_CLAIMED}}
    if report_exit(report) is not Exit.CONFORMANT or any(State.NOT_CONFORMANT in seen for seen in claimed.values()):
        # No profile is named as held, since a known failure is a failure.
        return label, "not conformant", "red"
    if not claimed or report.problems or any(State.INCOMPLETE in seen for seen in claimed.values()):
        return label, "not decided", "grey"
    names = " · ".join(sorted(claimed, key=lambda name: PROFILES.index(name) if name in PROFILES else len(PROFILES)))
    if known:
        return label, f"{names}, {known} known failure{'s' if known > 1 else ''}", "amber"
    if any(not run.thorough for run in report.runs):
        return label, f"{names}, not thorough", "amber"
    return label, names, "green"


def _svg(label: str, message: str, colour: str) -> str:
    left, right = _width(label), _width(message)
    total = left + right
    text = 'fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"'
    name = f"{escape(label)}: {escape(message)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" role="img" aria-label="{name}">'
        f"<title>{name}</title>"
        f'<clipPath id="r"><rect width="{total}" height="20" rx="3"/></clipPath><g clip-path="url(#r)">'
        f'<rect width="{left}" height="20" fill="#444"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>'
        f'<g {text} text-anchor="middle"><text x="{left / 2:g}" y="14">{escape(label)}</text>'
        f'<text x="{left + right / 2:g}" y="14">{escape(message)}</text></g></svg>\n'
    )


def _width(text: str) -> int:
    """Pixels of the text in 11 px Verdana, with a margin: exact enough for a badge."""
    narrow = sum(character in " ijlt.,·:1" for character in text)
    return round(7.0 * (len(text) - narrow) + 4.2 * narrow) + 12
