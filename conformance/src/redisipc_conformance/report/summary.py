"""The end of a run on the terminal: the table, warnings, budgets, known failures, verdicts."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from ..results import Verdict
from ..text import without_links
from ..verdict.profiles import State, fails, failures, limits_of, probably_the_shim, profiles, scale_of
from ..verdict.run import Finding, Report, Run
from ..wire.address import without_passwords
from .alike import alike, by_scenario
from .failure import failure_lines
from .style import VERDICT_STYLE, Paint, plain

COLUMNS = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.WARNING,
    Verdict.INCONCLUSIVE,
    Verdict.SUITE_ERROR,
    Verdict.KNOWN,
    Verdict.NOT_APPLICABLE,
)
HEADINGS = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "fail",
    Verdict.WARNING: "warn",
    Verdict.INCONCLUSIVE: "unclear",
    Verdict.SUITE_ERROR: "error",
    Verdict.KNOWN: "known",
    Verdict.NOT_APPLICABLE: "n/a",
}
TIGHT = 0.5
"""A wait that used a larger share of its budget is listed."""
DETAILED = 12
"""Scenarios whose failures are shown whole on the terminal; the rest by name."""
STATE_STYLE = {
    State.CONFORMANT: "bold green",
    State.EXCEPT_KNOWN: "bold yellow",
    State.INCOMPLETE: "bold yellow",
    State.NOT_CONFORMANT: "bold red",
    State.NOT_CLAIMED: "dim",
}


def header(run: Run, jobs: int, paint: Paint = plain, *, url: str = "") -> list[str]:
    """Prints what is tested on which server, before anything runs. ``url``: where that Redis is."""
    started, testee, server = run.started, run.started.testee, run.started.server
    chosen = run.further if run.everything else run.selection
    scenarios = _scenarios(started.scenarios) + (f" ({chosen})" if chosen else "")
    kind = server.kind if server.label in ("", server.kind) else f"{server.kind}, {server.label}"
    features = ", ".join(testee.features) or "none"
    claims = [f"spec {', '.join(testee.spec)}", ", ".join(testee.profiles), limits_of(run), f"features: {features}"]
    rows = [
        ("testee", f"{testee.name} {testee.version} ({testee.language})"),
        ("claims", "; ".join(filter(None, claims))),
        ("redis", f"{server.brand} {server.version} ({kind})" + (f" at {without_passwords(url)}" if url else "")),
        (
            "suite",
            f"{started.suite} for spec {started.spec}, {scenarios}, seed {started.seed}, {jobs} at once{_scale(run)}",
        ),
    ]
    return [f"{paint(f'{name:<8}', 'dim')}{value}" for name, value in rows]


def _scale(run: Run) -> str:
    scale = scale_of(run)
    return f", {scale}" if scale else ""


def _further(run: Run) -> str:
    return f", {run.further}" if run.further else ""


def summary(report: Report, run: Run, *, paint: Paint = plain, width: int = 110) -> list[str]:
    """Everything after the last scenario, for one run."""
    lines: list[str] = []
    lines += _failures(report, run, paint, width)
    lines += _warnings(report, run, paint, width)
    lines += _known(run, paint)
    lines += _late(run, paint)
    lines += _budgets(run, paint)
    lines += _left_out(run, paint)
    lines += ["", *table(run, paint)]
    for problem in run.problems:
        lines += ["", paint("problem: ", "bold red") + problem]
    for note in run.notes:
        lines += ["", paint("note: ", "yellow") + note]
    lines += ["", *verdict_lines(run, paint)]
    return lines


def _failures(report: Report, run: Run, paint: Paint, width: int) -> list[str]:
    failed = failures(run)
    if not failed:
        return []
    if probably_the_shim(run):
        command = " ".join(run.started.testee.command)
        hint = "Everything failed: the shim is more likely to be wrong than the implementation."
        lines = ["", paint(hint, "bold yellow"), f"  Try: redisipc-conformance check-testee -- {command}"]
        shown = 1
    else:
        lines, shown = [], DETAILED
    scenarios = by_scenario(failed)
    for findings in scenarios[:shown]:
        lines += ["", _rule(paint, width), *failure_lines(report, findings, paint=paint, width=width)]
    if scenarios[shown:]:
        rest = [finding for findings in scenarios[shown:] for finding in findings]
        lines += ["", f"{_many(len(rest), 'check fails', 'checks fail')} in {_scenarios(scenarios[shown:])} more:"]
        for findings in scenarios[shown:]:
            others = f" (and {len(findings) - 1} more checks)" if len(findings) > 1 else ""
            lines.append(f"  {findings[0].check.verdict.value}  {findings[0].id}: {_first(findings[0])}{others}")
        lines.append("  --report html=FILE shows all of them whole")
    return lines


def _many(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _scenarios(those: Sequence[object]) -> str:
    return _many(len(those), "scenario", "scenarios")


def _rule(paint: Paint, width: int) -> str:
    return paint("-" * min(width, 110), "dim")


def _first(finding: Finding) -> str:
    text = (finding.check.message or finding.check.text).splitlines()[0]
    return text if len(text) <= 100 else text[:97] + "..."


def _warnings(report: Report, run: Run, paint: Paint, width: int) -> list[str]:
    found = [f for f in run.findings() if f.check.verdict is Verdict.WARNING and not fails(f.check, run.strict)]
    if not found:
        return []
    lines = ["", paint(f"Warnings: {len(found)} SHOULD that do not hold (--strict makes them fail)", "bold yellow")]
    said: set[str] = set()
    for findings in by_scenario(found):
        for group in alike(findings):
            more = f" (and {len(group.others)} alike)" if group.others else ""
            lines.append(f"  {group.first.id}: {_first(group.first)}{more}")
            for id in group.first.check.requirements:
                sentence = report.sentence(id)
                if id not in said and sentence.level != "MUST":
                    lines += textwrap.wrap(
                        f"{id} {sentence.level}: {without_links(sentence.text)}",
                        width,
                        initial_indent=" " * 6,
                        subsequent_indent=" " * 10,
                    )
                said.add(id)
    return lines


def _known(run: Run, paint: Paint) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for finding in run.findings():
        if finding.check.verdict is Verdict.KNOWN:
            by_reason.setdefault(finding.check.known or finding.scenario.reason, []).append(finding.id)
    if not by_reason:
        return []
    number = sum(map(len, by_reason.values()))
    lines = ["", paint(f"Known failures: {number}", "bold yellow")]
    return lines + [f"  {reason}: {_first_ids(ids)}" for reason, ids in by_reason.items()]


def _first_ids(ids: list[str], most: int = 6) -> str:
    return ", ".join(ids[:most]) + (f" and {len(ids) - most} more" if len(ids) > most else "")


def _late(run: Run, paint: Paint) -> list[str]:
    late = [f for f in run.findings() if f.check.late]
    bad = [f for f in late if f.check.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)]
    if not late:
        return []
    title = f"Late: {len(late)} checks are newer than spec {run.started.spec} and do not count; {len(bad)} of them fail"
    return ["", paint(title, "bold"), *(f"  {finding.id}: {_first(finding)}" for finding in bad)]


def _budgets(run: Run, paint: Paint) -> list[str]:
    """The tightest wait of each scenario and budget."""
    tight: dict[tuple[str, str], float] = {}
    for result in run.results:
        for use in result.budgets:
            if use.allowed > 0 and use.used / use.allowed > TIGHT:
                slack = f", {use.slack:.2f} s of it slack for the machine" if use.slack else ""
                key = (result.id, f"{use.budget} {use.used:.2f} of {use.allowed:.2f} s{slack}")
                tight[key] = max(tight.get(key, 0.0), use.used / use.allowed)
    if not tight:
        return []
    ordered = sorted(tight.items(), key=lambda item: -item[1])
    title = f"Time budgets used by more than {TIGHT:.0%}: {len(ordered)} (a slower machine may need --time-scale)"
    lines = ["", paint(title, "bold"), *(f"  {share:>4.0%}  {id}: {use}" for (id, use), share in ordered[:10])]
    return lines + ([f"        and {len(ordered) - 10} more"] if len(ordered) > 10 else [])


def _left_out(run: Run, paint: Paint) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for id, reason in run.started.left_out.items():
        by_reason.setdefault(reason, []).append(id)
    if not by_reason:
        return []
    lines = ["", paint(f"Not run: {_scenarios([*run.started.left_out])} cannot run here", "bold yellow")]
    for reason, ids in by_reason.items():
        lines += [f"  {reason}: {_first_ids(ids)}"]
    return lines


def table(run: Run, paint: Paint = plain) -> list[str]:
    """Checks by profile and area, a column for each verdict that occurs."""
    counts: dict[tuple[str, str], Counter[Verdict]] = {}
    for verdict in profiles(run):
        for finding in run.findings():
            if finding.scenario.profile == verdict.profile:
                key = (verdict.profile, finding.scenario.area)
                counts.setdefault(key, Counter())[finding.check.verdict] += 1
    total = Counter[Verdict]()
    for counter in counts.values():
        total += counter
    columns = [verdict for verdict in COLUMNS if total[verdict] or verdict in (Verdict.PASS, Verdict.FAIL)]
    first = max([len("profile"), *(len(profile) for profile, _ in counts)])
    second = max([len("area"), *(len(area) for _, area in counts)])

    def row(one: str, two: str, counter: Counter[Verdict]) -> str:
        cells = [_cell(counter[verdict], verdict, paint) for verdict in columns]
        return f"{one:<{first}}  {two:<{second}}{''.join(cells)}"

    head = f"{'profile':<{first}}  {'area':<{second}}" + "".join(f"{HEADINGS[verdict]:>9}" for verdict in columns)
    lines = [paint(head, "dim")]
    previous = ""
    for (profile, area), counter in sorted(counts.items(), key=lambda item: _order(run, item[0])):
        lines.append(row("" if profile == previous else profile, area, counter))
        previous = profile
    return [*lines, row("all", "", total)]


def _order(run: Run, key: tuple[str, str]) -> tuple[int, str]:
    names = [verdict.profile for verdict in profiles(run)]
    return names.index(key[0]), key[1]


def _cell(number: int, verdict: Verdict, paint: Paint) -> str:
    text = f"{number or '.':>9}"
    if not number:
        return paint(text, "dim")
    return text if verdict is Verdict.PASS else paint(text, VERDICT_STYLE[verdict])


def verdict_lines(run: Run, paint: Paint = plain) -> Iterator[str]:
    """One line for each profile, the last thing that is printed."""
    yield paint(f"{run.title}, {run.seconds:.1f} s{_scale(run)}{_further(run)}", "bold")
    for verdict in profiles(run):
        why = f" ({verdict.why})" if verdict.why else ""
        yield f"  {verdict.profile:<10}{paint(verdict.state.value, STATE_STYLE[verdict.state])}{why}"
