"""The JSON report (``schemas/report-1/report.json``).

It has everything that the other reports show, so they can be made from it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import jsonschema

from ..files import report_schema
from ..printable import all_printable
from ..requirements import Requirement
from ..results import (
    BudgetUse,
    CheckResult,
    Line,
    RunStarted,
    ScenarioResult,
    ServerInfo,
    TesteeInfo,
    Verdict,
)
from ..verdict.profiles import profiles, run_exit
from ..verdict.run import Report, Run
from .errors import ReportError

FORMAT = "1.0"
"""The version of the file's format. A reader refuses another major number."""


def to_data(report: Report) -> dict[str, Any]:
    """The report as plain JSON data."""
    return {
        "format": FORMAT,
        "problems": report.problems,
        "requirements": [asdict(sentence) for sentence in report.requirements],
        "runs": [_run(run) for run in report.runs],
    }


def write(report: Report, path: Path) -> None:
    path.write_text(json.dumps(to_data(report), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Report:
    """A report that ``write`` wrote. Raises ReportError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path} is not JSON: {error}") from error
    problem = next(iter(validator().iter_errors(data)), None)
    if problem is not None:
        raise ReportError(f"{path} is not a report of this suite: {problem.json_path}: {problem.message[:200]}")
    return from_data(all_printable(data))


def validator() -> jsonschema.Draft202012Validator:
    """Of ``schemas/report-1/report.json``."""
    return jsonschema.Draft202012Validator(json.loads(report_schema().read_text(encoding="utf-8")))


def from_data(data: dict[str, Any]) -> Report:
    """The inverse of ``to_data``, for data that fits the schema."""
    requirements = [Requirement(**_known_fields(Requirement, item)) for item in data["requirements"]]
    return Report([_read_run(item) for item in data["runs"]], requirements, list(data["problems"]))


def merge(reports: Sequence[Report]) -> Report:
    """All their runs in one report. Of two runs of the same implementation, version and server the later one stays."""
    runs: dict[tuple[str, ...], Run] = {}
    sentences: dict[str, Requirement] = {}
    for report in reports:
        sentences.update((sentence.id, sentence) for sentence in report.requirements)
        for run in report.runs:
            testee, server = run.started.testee, run.started.server
            key = (testee.name, testee.version, server.brand, server.version, server.label)
            if key not in runs or runs[key].started.started <= run.started.started:
                runs[key] = run
    problems = list(dict.fromkeys(problem for report in reports for problem in report.problems))
    return Report(list(runs.values()), list(sentences.values()), problems)


def _run(run: Run) -> dict[str, Any]:
    started = asdict(run.started)
    return {
        "suite": started["suite"],
        "spec": started["spec"],
        "testee": started["testee"],
        "server": started["server"],
        "seed": started["seed"],
        "time_scale": started["time_scale"],
        "no_timeouts": started["no_timeouts"],
        "started": started["started"],
        "seconds": round(run.seconds, 3),
        "interrupted": run.interrupted,
        "selection": run.selection,
        "thorough": run.thorough,
        "strict": run.strict,
        "command_line": list(run.command_line),
        "exit_code": int(run_exit(run)),
        "profiles": [
            {"profile": verdict.profile, "state": verdict.state.value, "why": verdict.why} for verdict in profiles(run)
        ],
        "counts": {
            verdict.value: count
            for verdict, count in Counter(finding.check.verdict for finding in run.findings()).items()
        },
        "problems": run.problems,
        "notes": run.notes,
        "scenarios": started["scenarios"],
        "left_out": started["left_out"],
        "results": [_plain(asdict(result)) for result in run.results],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Verdict):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 6)
    return value


def _read_run(item: dict[str, Any]) -> Run:
    testee = {key: tuple(value) if isinstance(value, list) else value for key, value in item["testee"].items()}
    started = RunStarted(
        suite=item["suite"],
        spec=item["spec"],
        testee=TesteeInfo(**_known_fields(TesteeInfo, testee)),
        server=ServerInfo(**_known_fields(ServerInfo, item["server"])),
        seed=item["seed"],
        started=item["started"],
        scenarios=tuple(item["scenarios"]),
        left_out=dict(item["left_out"]),
        time_scale=item.get("time_scale", 1.0),
        no_timeouts=item.get("no_timeouts", False),
    )
    return Run(
        started=started,
        results=[_read_result(result) for result in item["results"]],
        seconds=item["seconds"],
        interrupted=item["interrupted"],
        selection=item["selection"],
        thorough=item.get("thorough", True),
        strict=item["strict"],
        command_line=tuple(item["command_line"]),
        problems=list(item["problems"]),
        notes=list(item["notes"]),
    )


def _read_result(item: dict[str, Any]) -> ScenarioResult:
    known = _known_fields(ScenarioResult, item)
    known["verdict"] = Verdict(item["verdict"])
    known["checks"] = tuple(_read_check(check) for check in item["checks"])
    known["transcript"] = tuple(Line(**_known_fields(Line, line)) for line in item["transcript"])
    known["budgets"] = tuple(BudgetUse(**_known_fields(BudgetUse, budget)) for budget in item["budgets"])
    return ScenarioResult(**known)


def _read_check(item: dict[str, Any]) -> CheckResult:
    known = _known_fields(CheckResult, item)
    known["verdict"] = Verdict(item["verdict"])
    known["requirements"] = tuple(item["requirements"])
    return CheckResult(**known)


def _known_fields(kind: Any, item: dict[str, Any]) -> dict[str, Any]:
    """Drops members that a later suite may have added to its report."""
    names = {entry.name for entry in fields(kind)}
    return {key: value for key, value in item.items() if key in names}
