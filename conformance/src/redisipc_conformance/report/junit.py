"""JUnit XML, as CI systems read it: a suite for each run, a case for each check.

It uses only attributes and elements that its strictest reader knows, Jenkins' xunit plug-in. The failure's text has the
position of the step.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from ..results import Verdict
from ..verdict.profiles import fails, scale_of
from ..verdict.run import Finding, Report, Run
from .failure import failure_text

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""


def write(report: Report, path: Path) -> None:
    root = ET.Element("testsuites", name="redisipc-conformance")
    for run in report.runs:
        root.append(_suite(report, run))
    if report.problems:
        suite = ET.SubElement(root, "testsuite", name="redisipc-conformance", errors=str(len(report.problems)))
        suite.set("tests", str(len(report.problems)))
        suite.set("failures", "0")
        for problem in report.problems:
            case = ET.SubElement(suite, "testcase", classname="redisipc-conformance", name="start", time="0.000")
            ET.SubElement(case, "error", message=_legal(problem))
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(report: Report, run: Run) -> ET.Element:
    testee, server = run.started.testee, run.started.server
    suite = ET.Element("testsuite", name=run.title, timestamp=run.started.started, time=f"{run.seconds:.3f}")
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("suite", run.started.suite),
        ("spec", run.started.spec),
        ("testee", f"{testee.name} {testee.version} ({testee.language})"),
        ("redis", f"{server.brand} {server.version} ({server.kind})"),
        ("seed", str(run.started.seed)),
        ("time scale", scale_of(run) or "1"),
        ("selection", f"{run.selection}, {run.further}" if run.further else run.selection),
    ):
        ET.SubElement(properties, "property", name=name, value=_legal(value))
    timed: set[str] = set()
    for finding in run.findings():
        # A scenario's checks run as one: its first check has its time, so that the sum is right.
        seconds = 0.0 if finding.scenario.id in timed else finding.scenario.seconds
        timed.add(finding.scenario.id)
        suite.append(_case(report, run, finding, seconds))
    for id, reason in run.started.left_out.items():
        case = ET.SubElement(suite, "testcase", classname=id, name="(scenario)", time="0.000")
        ET.SubElement(case, "skipped", message=_legal(f"could not run here: {reason}"))
    for problem in run.problems:
        case = ET.SubElement(suite, "testcase", classname="known-failures", name=_legal(problem), time="0.000")
        ET.SubElement(case, "failure", message=_legal(problem))
    for kind in ("failure", "error", "skipped"):
        suite.set(
            {"failure": "failures", "error": "errors", "skipped": "skipped"}[kind],
            str(len(suite.findall(f".//{kind}"))),
        )
    suite.set("tests", str(len(suite.findall("testcase"))))
    return suite


def _case(report: Report, run: Run, finding: Finding, seconds: float) -> ET.Element:
    check, scenario = finding.check, finding.scenario
    case = ET.Element("testcase", classname=scenario.id, name=check.name or "(scenario)", time=f"{seconds:.3f}")
    if fails(check, run.strict):
        broken = check.verdict in (Verdict.SUITE_ERROR, Verdict.INCONCLUSIVE)
        element = ET.SubElement(case, "error" if broken else "failure", type=check.verdict.value)
        element.set("message", _legal(check.message or check.text))
        element.text = _legal(failure_text(report, finding))
        if scenario.stderr:
            ET.SubElement(case, "system-err").text = _legal(scenario.stderr)
    elif check.verdict is Verdict.NOT_APPLICABLE:
        ET.SubElement(case, "skipped", message=_legal(scenario.reason or check.message or "not applicable"))
    elif check.verdict is Verdict.KNOWN:
        ET.SubElement(case, "skipped", message=_legal(f"known failure: {check.known or scenario.reason}"))
    elif check.verdict is not Verdict.PASS:
        ET.SubElement(case, "system-out").text = _legal(f"{check.verdict.value}: {check.message}")
    return case


def _legal(text: str) -> str:
    return _ILLEGAL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
