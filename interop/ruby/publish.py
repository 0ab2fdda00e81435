"""Runs of the suite on the gem as they are published in ``interop/results/``: small, and without the paths of a machine.

python interop/ruby/publish.py --known-failures interop/ruby/known-failures.yaml out/ruby.json interop/results/ruby-redis_ipc-1.0.2

writes ``.json`` and ``.html``. It joins several reports of parts of the suite. If a scenario is in two of them, the
later one counts. Every check, verdict and message stays. Of the wire, it keeps only lines that explain a failure: an
idle gem sends thousands of commands a second. Its empty reads and its refreshed expiries go first.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import jsonschema
from redisipc_conformance.report import html, json_report
from redisipc_conformance.report.transcript import window
from redisipc_conformance.requirements import Requirements
from redisipc_conformance.results import Line, ScenarioResult
from redisipc_conformance.scenario.corpus import corpus, declared_ids, renamed_ids
from redisipc_conformance.text import shorten
from redisipc_conformance.verdict.judge import Judge
from redisipc_conformance.verdict.known import KnownFailures, KnownFailuresError
from redisipc_conformance.verdict.run import Report, Run

SHIM = "interop/ruby/testee.rb"
SPEC = "../../SPEC.md"
IDLE_COMMANDS = ("expire ", "lpos ")
READS = ("xreadgroup ", "xautoclaim ")
NOTHING = ("", "nil", "null", "(nil)")
BEFORE, AFTER = 6, 2
"""Lines of the wire that are kept before and after a wrong one."""
LENGTH = 200
"""Characters of a line that are kept."""


def joined(reports: Sequence[Report], known: KnownFailures) -> Report:
    """One report of all of them, judged with the list. Raises ValueError where they are not of one testee and server."""
    runs = [run for report in reports for run in report.runs]
    first, server = runs[0].started, runs[0].started.server
    if {(run.started.testee.version, run.started.server.version) for run in runs} != {
        (first.testee.version, server.version)
    }:
        raise ValueError("these runs are not of one implementation on one server")
    everything = corpus()
    judge = Judge(Requirements(), known=known)
    results = {result.id: judge.judged(result, server) for run in runs for result in run.results}
    left_out = {id: why for run in runs for id, why in run.started.left_out.items() if id not in results}
    missing = {each.id for each in everything} - {*results, *left_out}
    last = runs[-1]
    parts = [run.selection for run in runs]
    whole = replace(
        last,
        started=replace(last.started, scenarios=tuple(sorted(results)), left_out=left_out),
        results=[results[id] for id in sorted(results)],
        seconds=sum(run.seconds for run in runs),
        selection=_selection(len(runs), len(results), missing),
        thorough=not any(each.thorough and each.id in missing for each in everything),
        interrupted=False,
        problems=known.problems(list(results.values()), server, declared_ids(everything), renamed_ids(everything)),
        notes=[*last.notes, *([f"joined from the runs of: {'; '.join(parts)}"] if len(runs) > 1 else [])],
    )
    return replace(reports[-1], runs=[whole])


def _selection(runs: int, scenarios: int, missing: set[str]) -> str:
    """``everything`` only where it is that."""
    return f"{scenarios} scenarios in {runs} runs, without {', '.join(sorted(missing))}" if missing else "everything"


def publishable(report: Report) -> Report:
    """The same report, short and without paths. Raises ValueError where a run is not of the shim, or not thorough."""
    if not all(run.thorough for run in report.runs):
        raise ValueError("a published result has the answers to all questions: run with --thorough")
    return replace(report, runs=[_run(run) for run in report.runs], spec_url=SPEC)


def _run(run: Run) -> Run:
    command = _placeless(run.started.testee.command)
    testee = replace(run.started.testee, command=command)
    own = list(run.command_line)
    own = own[: own.index("--")] if "--" in own else own
    return replace(
        run,
        started=replace(run.started, testee=testee),
        command_line=(*_without_reports(own), "--", *command),
        results=[_result(result, command) for result in run.results],
    )


def _placeless(command: tuple[str, ...]) -> tuple[str, ...]:
    """``ruby interop/ruby/testee.rb`` with the shim's options, wherever both were."""
    for place, word in enumerate(command):
        if word.endswith("testee.rb"):
            return ("ruby", SHIM, *command[place + 1 :])
    raise ValueError(f"not a run of {SHIM}: {' '.join(command)}")


def _without_reports(command: list[str]) -> list[str]:
    """The suite's own arguments, without the reports."""
    kept: list[str] = []
    words = iter(command)
    for word in words:
        if word == "--report":
            next(words, None)
        elif not word.startswith("--report="):
            kept.append(word)
    return kept


def _result(result: ScenarioResult, command: tuple[str, ...]) -> ScenarioResult:
    head = result.rerun.split(" -- ", 1)[0]
    rerun = f"{head} -- {' '.join(command)}" if result.rerun else ""
    wrong = [check.wrong_line for check in result.checks]
    kept = [(number, line) for number, line in enumerate(result.transcript) if number in wrong or not _is_idle(line)]
    place = {number: index for index, (number, _) in enumerate(kept)}
    marked = {place[number] for number in wrong if number is not None and number in place}
    shown = window(tuple(line for _, line in kept), marked, before=BEFORE, after=AFTER)
    moved = {each.number: index for index, each in enumerate(shown) if each.line is not None}
    lines = tuple(
        replace(each.line, text=shorten(each.line.text, LENGTH), reply=shorten(each.line.reply, LENGTH))
        if each.line is not None
        else _left_out(each.cut, kept[each.number][1])
        for each in shown
    )
    checks = tuple(
        replace(
            check,
            expected=shorten(check.expected),
            seen=shorten(check.seen),
            wrong_line=None if check.wrong_line is None else moved.get(place.get(check.wrong_line, -1)),
        )
        for check in result.checks
    )
    return replace(result, checks=checks, transcript=lines, rerun=rerun, stderr="", budgets=())


def _is_idle(line: Line) -> bool:
    """Whether the gem sends this while it is idle."""
    if line.kind != "command" or line.side != "testee":
        return False
    text = line.text.lower()
    if text.startswith(IDLE_COMMANDS):
        return True
    return text.startswith(READS) and (line.reply in NOTHING or line.reply.endswith(("[]]]", "[], []]")))


def _left_out(count: int, beside: Line) -> Line:
    return replace(beside, side="suite", who="", text=f"... {count} lines left out", reply="", kind="event", fate="")


def main() -> int:
    parser = argparse.ArgumentParser(description="Write a run of the suite on the gem as it is published.")
    parser.add_argument("reports", type=Path, nargs="+", metavar="report", help="what run --report json= wrote")
    parser.add_argument("stem", type=Path, help="the published files without .json and .html")
    parser.add_argument("--known-failures", type=Path, metavar="FILE", help="judge with this list")
    arguments = parser.parse_args()
    try:
        known = KnownFailures.load(arguments.known_failures) if arguments.known_failures else KnownFailures()
        # Not json_report.read: checking tens of megabytes of transcript takes minutes. What is written is checked.
        reports = [json_report.from_data(json.loads(path.read_text(encoding="utf-8"))) for path in arguments.reports]
        report = publishable(joined(reports, known))
        text = json.dumps(json_report.to_data(report), ensure_ascii=False, separators=(",", ":"))
        json_report.validator().validate(json.loads(text))
    except (OSError, ValueError, KeyError, KnownFailuresError, jsonschema.ValidationError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    arguments.stem.parent.mkdir(parents=True, exist_ok=True)
    Path(f"{arguments.stem}.json").write_text(text + "\n", encoding="utf-8")
    html.write(report, Path(f"{arguments.stem}.html"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
