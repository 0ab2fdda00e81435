"""Markdown, as for a CI job's summary page: verdicts, the table, and each failure folded."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ..results import Verdict
from ..verdict.profiles import fails, failures, profiles, scale_of
from ..verdict.run import Report, Run
from .alike import by_scenario
from .failure import failure_lines
from .summary import COLUMNS, HEADINGS

MOST_SHOWN = 50
"""Scenarios whose failures are shown whole."""
LIMIT = 900_000
"""The most bytes of the file: GitHub shows a job's summary only up to 1 MiB."""
CUT = "\n\nThe rest does not fit here; the HTML report has it all.\n"


def write(report: Report, path: Path) -> None:
    lines = [f"**Could not run:** {problem}" for problem in report.problems]
    lines += [line for run in report.runs for line in _run(report, run)]
    kept, size = [], 0
    for line in lines:
        size += len(line.encode()) + 1
        if size > LIMIT:
            kept.append(CUT)
            break
        kept.append(line)
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")


def _run(report: Report, run: Run) -> list[str]:
    started = run.started
    lines = [f"## RedisIPC {started.spec}: {run.title}", ""]
    lines += [
        f"- **{verdict.profile}**: {verdict.state.value}" + (f" ({verdict.why})" if verdict.why else "")
        for verdict in profiles(run)
    ]
    scale = f", `{scale_of(run)}`" if scale_of(run) else ""
    chosen = f"{run.selection}, {run.further}" if run.further else run.selection
    lines += [
        "",
        f"Suite {started.suite}, seed {started.seed}{scale}, {len(run.results)} scenarios ({chosen}), {run.seconds:.1f} s.",
    ]
    lines += ["", *_table(run)]
    lines += [line for problem in run.problems for line in ("", f"**Problem:** {problem}")]
    lines += [line for note in run.notes for line in ("", f"Note: {note}")]
    failed = failures(run)
    if failed:
        lines += ["", f"### Failures ({len(failed)})"]
    scenarios = by_scenario(failed)
    for findings in scenarios[:MOST_SHOWN]:
        text = "\n".join(failure_lines(report, findings))
        fence = "`" * max(3, _longest_ticks(text) + 1)
        check = findings[0].check
        more = f" (and {len(findings) - 1} more checks)" if len(findings) > 1 else ""
        head = f"<code>{findings[0].id}</code>: {_escaped(check.message or check.text)}{more}"
        lines += ["", f"<details><summary>{head}</summary>", "", fence + "text", text, fence, "", "</details>"]
    if scenarios[MOST_SHOWN:]:
        names = ", ".join(f"`{findings[0].scenario.id}`" for findings in scenarios[MOST_SHOWN:])
        lines += ["", f"And {len(scenarios) - MOST_SHOWN} more scenarios: {names}."]
    warnings = [f for f in run.findings() if f.check.verdict is Verdict.WARNING and not fails(f.check, run.strict)]
    if warnings:
        lines += ["", f"### Warnings ({len(warnings)})", ""]
        lines += [f"- `{finding.id}`: {_escaped(finding.check.message)}" for finding in warnings]
    if started.left_out:
        lines += ["", f"### Could not run here ({len(started.left_out)})", ""]
        lines += [f"- `{id}`: {_escaped(reason)}" for id, reason in started.left_out.items()]
    return [*lines, ""]


def _table(run: Run) -> list[str]:
    counts: dict[tuple[str, str], Counter[Verdict]] = {}
    for finding in run.findings():
        counts.setdefault((finding.scenario.profile, finding.scenario.area), Counter())[finding.check.verdict] += 1
    order = [verdict.profile for verdict in profiles(run)]
    rows = sorted(counts.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    used = [verdict for verdict in COLUMNS if any(counter[verdict] for counter in counts.values())]
    head = "| profile | area | " + " | ".join(HEADINGS[verdict] for verdict in used) + " |"
    rule = "| --- | --- |" + " ---: |" * len(used)
    return [head, rule] + [
        f"| {profile} | {area} | " + " | ".join(str(counter[verdict] or "") for verdict in used) + " |"
        for (profile, area), counter in rows
    ]


def _escaped(text: str) -> str:
    first = (text.splitlines() or [""])[0]
    for character in "\\`*_[]<>|":
        first = first.replace(character, {"<": "&lt;", ">": "&gt;"}.get(character, "\\" + character))
    return first


def _longest_ticks(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest
