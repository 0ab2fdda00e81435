"""Everything that explains one failed check, as lines of text: for the terminal, JUnit and Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ..results import UNREACHED
from ..text import ARGUMENT_LENGTH, shorten, without_links
from ..verdict.run import Finding, Report
from .alike import Alike, alike
from .style import VERDICT_STYLE, Paint, plain
from .transcript import Shown, window

STDERR_LINES = 20
DISTINCT = 4
"""Failures of one scenario that are shown whole."""
REPLY_LENGTH = 240
"""The most characters of a reply in a line that is not the wrong one."""
SLOW = "nothing came in time; --time-scale 3 tells a slow machine from a wrong implementation"
LABEL = 10
"""Width of the column with ``expected``, ``seen`` and so on."""


def failure_text(report: Report, finding: Finding) -> str:
    return "\n".join(failure_lines(report, [finding]))


def failure_lines(report: Report, findings: Sequence[Finding], *, paint: Paint = plain, width: int = 110) -> list[str]:
    """For the failures of one scenario: requirement, step, expected and seen value of each.

    Then the wire with its wrong lines, the testee's stderr, and how to run it again. Checks that fail in the same way
    are named together.
    """
    scenario = findings[0].scenario
    groups = alike(findings)
    lines: list[str] = []
    for group in groups[:DISTINCT]:
        lines += ["", *_check(report, group, paint, width)]
    rest = [finding.check.name for group in groups[DISTINCT:] for finding in (group.first, *group.others)]
    if rest:
        lines += ["", *_field("and", f"{len(rest)} more of this scenario: {', '.join(rest)}", width)]
    told = {finding.check.message.removeprefix(UNREACHED) for finding in findings}
    if scenario.reason and scenario.reason not in told:
        lines += _field("ended by", scenario.reason, width)
    wrong = {finding.check.wrong_line for group in groups[:DISTINCT] for finding in (group.first, *group.others)} - {
        None
    }
    if scenario.transcript:
        lines += ["", paint("  The wire (seconds, who, command or event, -> reply)", "dim")]
        lines += _wire(window(scenario.transcript, sorted(line for line in wrong if line is not None)), paint, width)
    lines += _stderr(scenario.stderr, paint)
    if scenario.rerun:
        lines += ["", "  " + paint("again: ", "dim") + scenario.rerun]
    return lines[1:]


def _check(report: Report, group: Alike, paint: Paint, width: int) -> list[str]:
    finding = group.first
    check, scenario = finding.check, finding.scenario
    word = "LATE " if check.late else ""
    head = f"{word}{check.verdict.value.upper()}  {finding.id}"
    lines = [paint(head, VERDICT_STYLE[check.verdict]) + paint(f"  (profile {scenario.profile})", "dim")]
    for id in check.requirements:
        sentence = report.sentence(id)
        said = without_links(sentence.text) or "(no such requirement)"
        lines += _wrapped(f"{id} {sentence.level}: ", said, width, "  ")
    lines += _field("check", check.text if check.name else f"{scenario.title} (the scenario itself)", width)
    if check.file:
        lines += _field("step", f"{check.file}:{check.line}" if check.line else check.file, width)
    lines += _field("problem", check.message, width)
    lines += _field("expected", shorten(check.expected, 4 * ARGUMENT_LENGTH), width)
    lines += _field("seen", shorten(check.seen, 4 * ARGUMENT_LENGTH), width)
    lines += _field("known", check.known, width)
    if check.by_timeout:
        lines += _field("note", SLOW, width)
    if group.names:
        lines += _field("alike", f"{len(group.names)} more: {', '.join(group.names)}", width)
    return lines


def _field(label: str, text: str, width: int) -> list[str]:
    return _wrapped(f"{label:<{LABEL}}", text, width, "  ") if text else []


def _wrapped(first: str, text: str, width: int, indent: str) -> list[str]:
    rest = " " * (len(indent) + min(len(first), LABEL))
    return textwrap.wrap(
        text, width, initial_indent=indent + first, subsequent_indent=rest, break_on_hyphens=False
    ) or [indent + first]


def _wire(lines: list[Shown], paint: Paint, width: int) -> list[str]:
    named = [shown.line for shown in lines if shown.line]
    who = max((len(line.who) for line in named), default=0)
    written = []
    first = next((shown.number for shown in lines if shown.wrong), None)
    for shown in lines:
        line = shown.line
        if line is None:
            written.append(paint(f"    {'':>7}  ... {shown.cut} lines left out", "dim"))
            continue
        sign = ">>" if shown.wrong else "  "
        side = paint(f"{line.side:<6}", "cyan" if line.side == "testee" else "blue")
        before = f"  {sign}{line.at:>8.3f}  "
        column = 2 + 2 + 8 + 2 + 6 + 1 + who + 2
        room = max(width - column, 40)
        fate = f"  [{line.fate}]" if line.fate else ""
        text = shorten(line.text) + fate
        parts = textwrap.wrap(text, room, subsequent_indent="  ", break_on_hyphens=False) or [""]
        if line.reply:
            reply = shorten("-> " + line.reply, ARGUMENT_LENGTH if shown.wrong else REPLY_LENGTH)
            parts += textwrap.wrap(reply, room, subsequent_indent="   ", break_on_hyphens=False)
        style = "bold red" if shown.wrong else ("dim" if line.kind == "step" else "")
        painted = [paint(part, style) if style else part for part in parts]
        if shown.wrong:
            here = "the first wrong line" if shown.number == first else "wrong, too"
            painted.append(paint(f"^^^ {here}", "bold red"))
        written.append(f"{before}{side} {line.who:<{who}}  {painted[0]}")
        written += [" " * column + part for part in painted[1:]]
    return written


def _stderr(text: str, paint: Paint) -> list[str]:
    lines = text.rstrip().splitlines()
    if not lines:
        return []
    cut = len(lines) - STDERR_LINES
    title = "  The testee's stderr" + (f" (its last {STDERR_LINES} of {len(lines)} lines)" if cut > 0 else "")
    return ["", paint(title, "dim"), *("    " + shorten(line) for line in lines[-STDERR_LINES:])]
