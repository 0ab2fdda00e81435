"""No report is lost or broken by what a testee says, and none holds a password."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

import synthetic
from redisipc_conformance.printable import all_printable, printable
from redisipc_conformance.report import json_report, write
from redisipc_conformance.report.summary import summary
from redisipc_conformance.results import CheckResult, Line, ScenarioEnded, ScenarioResult, Verdict
from redisipc_conformance.verdict.run import Report

EVIL = "nul\0 esc\x1b[31m bs\x08 85\x85 sep\u2028 rtl\u202e \uffff \ud800 ]]> </script><b>&"
SECRET = "redis://:hunter2@cache:6379/0"
KINDS = {"junit": "r.xml", "json": "r.json", "html": "r.html", "markdown": "r.md", "badge": "r.svg"}


@pytest.fixture
def evil() -> Report:
    """A run in which every text of the testee is evil."""
    run = synthetic.run(rows=3)
    testee = replace(run.started.testee, name=EVIL, version=EVIL, command=("node", EVIL, SECRET))
    run.started = all_printable(replace(run.started, testee=testee))
    check = CheckResult("c", EVIL, ("RIPC-ENTRY-1",), "MUST", Verdict.FAIL, EVIL, EVIL, f"{EVIL} {SECRET}")
    lines = (Line(0.1, "testee", EVIL, f"SET {EVIL}", EVIL), Line(0.2, "suite", "a", f"connected to {SECRET}"))
    result = ScenarioResult("entry/a", "T", "entry", "base", Verdict.FAIL, 0.1, (check,), lines, EVIL, EVIL, SECRET)
    run.record(ScenarioEnded(result))
    return Report([run])


def test_every_report_is_written_and_holds_no_odd_character_and_no_password(evil: Report, tmp_path: Path) -> None:
    wanted = [(kind, tmp_path / name) for kind, name in KINDS.items()]
    assert write.write_all(evil, wanted) == []
    for _, path in wanted:
        text = path.read_text(encoding="utf-8")
        assert "hunter2" not in text, path.name
        assert not set(EVIL) & set("\0\x1b\x08\x85\u2028\u202e\uffff\ud800") & set(text), path.name
    assert ET.parse(tmp_path / "r.xml").getroot().tag == "testsuites"
    assert json.loads((tmp_path / "r.json").read_text())["runs"]
    assert "<b>&" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_the_terminal_gets_no_escape_sequence_of_the_testee(evil: Report) -> None:
    text = "\n".join(summary(evil, evil.runs[0]))
    assert "\\x1b[31m" in text
    assert "\x1b" not in text
    text.encode("utf-8")


def test_a_report_of_an_older_suite_is_made_printable_when_it_is_read(tmp_path: Path) -> None:
    report = synthetic.report(5, 1)
    report.runs[0].command_line = ("run", "--redis", SECRET)
    path = tmp_path / "old.json"
    path.write_text(json.dumps(json_report.to_data(report)), encoding="utf-8")
    assert json_report.read(path).runs[0].command_line == ("run", "--redis", "redis://***@cache:6379/0")


def test_one_report_that_cannot_be_made_does_not_take_the_others_along(
    evil: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(report: Report, path: Path) -> None:
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    monkeypatch.setitem(write.WRITERS, "json", broken)
    told = write.write_all(evil, [("json", tmp_path / "a.json"), ("junit", tmp_path / "a.xml")])
    assert len(told) == 1
    assert told[0].startswith("the json report cannot be made: UnicodeEncodeError")
    assert (tmp_path / "a.xml").exists()


def test_readable_text_stays() -> None:
    text = "ü 漢字 \U0001f600 a\tb\nc <&> \"'"
    assert printable(text) == text


JUNIT = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {
        *("name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package"),
        *("file", "log", "url"),
    },
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
    "system-err": set(),
}
"""The elements and their attributes that Jenkins' xunit plug-in takes (its junit-10.xsd)."""
REQUIRED = {"testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name"}, "property": {"name", "value"}}


def test_junit_has_only_what_the_strictest_reader_takes(tmp_path: Path) -> None:
    report = synthetic.report(500, 2, bad=0.3)
    report.problems.append("no Redis")
    report.runs[0].problems.append("a stale line")
    report.runs[0].started.left_out["entry/x"] = "it cannot run here"
    path = tmp_path / "r.xml"
    assert write.write_all(report, [("junit", path)]) == []
    met = set()
    for element in ET.parse(path).iter():
        met.add(element.tag)
        assert set(element.attrib) <= JUNIT[element.tag], element.tag
        assert set(element.attrib) >= REQUIRED.get(element.tag, set()), element.tag
    assert met >= {"failure", "error", "skipped", "system-err", "properties"}
