"""Every report can be made from a run with all verdicts, and holds what its reader needs."""

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import synthetic
from redisipc_conformance.report import badge, html, json_report, junit, markdown, write
from redisipc_conformance.report.errors import ReportError
from redisipc_conformance.report.failure import failure_text
from redisipc_conformance.results import ScenarioEnded, ServerInfo, Verdict
from redisipc_conformance.verdict.profiles import failures
from redisipc_conformance.verdict.run import Report


@pytest.fixture(scope="module")
def report() -> Report:
    return synthetic.report(500, 2, bad=0.2)


def test_the_generator_makes_every_verdict(report: Report):
    met = {finding.check.verdict for run in report.runs for finding in run.findings()}
    assert met == set(Verdict) - {Verdict.SUITE_ERROR}


def test_the_json_report_is_valid_and_comes_back_as_it_was(report: Report, tmp_path: Path):
    path = tmp_path / "report.json"
    json_report.write(report, path)
    assert list(json_report.validator().iter_errors(json.loads(path.read_text()))) == []
    again = json_report.read(path)
    assert json_report.to_data(again) == json_report.to_data(report)
    assert again.runs[0].results[3].checks == report.runs[0].results[3].checks


def test_a_file_that_is_no_report_is_refused_with_its_name(tmp_path: Path):
    path = tmp_path / "x.json"
    for text, problem in (("{", "is not JSON"), ("{}", "is not a report of this suite"), ("[]", "is not a report")):
        path.write_text(text)
        with pytest.raises(ReportError, match=problem):
            json_report.read(path)
    with pytest.raises(ReportError, match="cannot be read"):
        json_report.read(tmp_path / "none.json")


def test_merged_runs_stand_side_by_side_and_a_repeated_one_is_replaced(report: Report):
    first, second = (Report([run], report.requirements) for run in report.runs)
    later = replace(first.runs[0].started, started="2025-11-26T08:00:00Z", seed=99)
    repeated = Report([replace(first.runs[0], started=later)], report.requirements)
    merged = json_report.merge([repeated, first, second])
    assert [run.started.seed for run in merged.runs] == [99, second.runs[0].started.seed]
    assert len(merged.requirements) == 500


def test_the_evidence_of_what_passed_is_not_kept(report: Report):
    for result in report.runs[0].results:
        quiet = all(check.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE) for check in result.checks)
        assert bool(result.transcript) is not quiet


def test_megabytes_of_content_do_not_get_into_a_report():
    told = [event for event in synthetic.events(rows=40, bad=1.0) if isinstance(event, ScenarioEnded)]
    line = replace(told[0].result.transcript[0], text="x" * 10_000_000)
    run = synthetic.run(rows=40, bad=1.0)
    run.record(ScenarioEnded(replace(told[0].result, transcript=(line,))))
    assert len(run.results[-1].transcript[0].text) < 5_000
    assert run.results[-1].transcript[0].text.endswith("more)")


def test_junit_has_a_case_for_each_check_and_counts_that_agree(report: Report, tmp_path: Path):
    path = tmp_path / "junit.xml"
    odd = replace(
        report.runs[0].results[0], stderr="bell \x07 and \x1b[31m", verdict=Verdict.FAIL, reason="it \x00 died"
    )
    runs = [replace(report.runs[0], results=[odd, *report.runs[0].results[1:]]), report.runs[1]]
    runs[0].started.left_out["a/b"] = "needs a server of its own"
    junit.write(Report(runs, report.requirements), path)
    del runs[0].started.left_out["a/b"]
    suites = ET.parse(path).getroot().findall("testsuite")
    assert len(suites) == 2
    suite = suites[0]
    cases = suite.findall("testcase")
    assert len(cases) == len(list(runs[0].findings())) + 1 == int(suite.get("tests", ""))
    wrong = suite.findall(".//failure") + suite.findall(".//error")
    assert len(wrong) == len(failures(runs[0])) == int(suite.get("failures", "")) + int(suite.get("errors", ""))
    assert "RIPC-" in (wrong[1].text or "")
    assert r"bell \x07" in ET.tostring(suite, encoding="unicode")
    assert sum(float(case.get("time", "")) for case in cases) == pytest.approx(
        sum(result.seconds for result in runs[0].results), abs=0.5
    )


def test_what_did_not_begin_is_in_every_report(tmp_path: Path):
    empty = Report([], problems=["No Redis (auto): none can be had"])
    kinds = ["junit", "json", "html", "markdown"]
    assert write.write_all(empty, [(kind, tmp_path / f"deep/{kind}") for kind in kinds]) == []
    for kind in kinds:
        assert "No Redis (auto): none can be had" in (tmp_path / "deep" / kind).read_text()
    assert badge.content(empty)[2] == "red"


def test_markdown_folds_each_failure_and_cannot_be_broken_by_content(report: Report, tmp_path: Path):
    run = report.runs[0]
    finding = failures(run)[0]
    check = replace(finding.check, message="`a` | <b> *c*", seen="```\nfence")
    scenario = replace(finding.scenario, checks=(check,))
    path = tmp_path / "summary.md"
    markdown.write(Report([replace(run, results=[scenario])], report.requirements), path)
    text = path.read_text()
    assert r"\`a\` \| &lt;b&gt; \*c\*" in text
    assert "````text" in text
    assert text.count("<details>") == text.count("</details>") == 1


def test_a_failure_tells_everything(report: Report):
    finding = next(f for f in failures(report.runs[0]) if f.scenario.stderr and f.check.verdict is Verdict.FAIL)
    text = failure_text(report, finding)
    sentence = report.sentence(finding.check.requirements[0])
    plain = re.sub(r"\s+", " ", text)
    assert f"{sentence.id} {sentence.level}: {sentence.text}" in plain
    for part in (
        f"FAIL {finding.id}",
        "step conformance/scenarios/entry/six-fields.yaml:21",
        "problem the entry has its fields in another order",
        f"expected {finding.check.expected}",
        f"seen {finding.check.seen}",
        "^^^ the first wrong line",
        "connection lost, again in 100 ms",
        f"again: redisipc-conformance run {finding.scenario.id} --seed 7 -- target/release/testee",
    ):
        assert part in plain, part
    assert text.count(">>") == 1
    assert re.search(r"\.\.\. \d+ lines left out", text)


def test_the_page_is_whole_without_anything_else(report: Report):
    page = html.render(report, "SPEC.md")
    assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\(""", page)
    assert page.count('<th scope="row"') >= 500
    assert f'id="{report.requirements[-1].id}"' in page
    # Every link within the page leads somewhere.
    targets = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= targets
    assert len(targets) == len(re.findall(r'id="([^"]+)"', page))
    assert 'href="SPEC.md#ripc-entry-1"' in page


def test_the_page_escapes_what_the_testee_says():
    run = synthetic.run(rows=40, bad=1.0)
    testee = replace(run.started.testee, name="<script>alert(1)</script>")
    results = [replace(each, stderr="</pre><script>x()</script>") for each in run.results]
    page = html.render(Report([replace(run, started=replace(run.started, testee=testee), results=results)]))
    assert "<script>alert" not in page
    assert "<script>x" not in page


def test_the_matrix_shows_the_worst_of_a_requirement_s_checks(report: Report):
    rows = {row.requirement.id: row for rows in html.matrix(report).values() for row in rows}
    counted = Counter(row.cells[0].verdict for row in rows.values())
    assert counted[None] == 10, "the untestable ones"
    for finding in report.runs[0].findings():
        assert rows[finding.check.requirements[0]].cells[0].verdict is finding.check.verdict


@pytest.mark.parametrize(
    ("bad", "profiles", "selection", "colour"),
    [
        (0.0, ("base", "group", "resilient"), "everything", "green"),
        (0.0, ("base",), "everything", "green"),
        (0.0, ("base",), "-k entry", "grey"),
        (0.2, ("base", "group", "resilient"), "everything", "red"),
    ],
)
def test_the_badge_is_green_only_where_all_is_proved(
    bad: float, profiles: tuple[str, ...], selection: str, colour: str
):
    run = synthetic.run(rows=100, bad=bad)
    testee = replace(run.started.testee, profiles=profiles)
    report = Report([replace(run, started=replace(run.started, testee=testee), selection=selection)])
    label, message, seen = badge.content(report)
    assert (label, seen) == ("RedisIPC 1.0", colour)
    if colour == "green":
        assert message == " · ".join(profiles)


def test_a_badge_is_a_picture_or_an_endpoint(tmp_path: Path):
    report = Report([synthetic.run(rows=40, bad=0.0)])
    badge.write(report, tmp_path / "b.svg")
    assert ET.parse(tmp_path / "b.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
    badge.write(report, tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text())["schemaVersion"] == 1


def test_several_servers_are_one_badge():
    good = synthetic.run(rows=40, bad=0.0)
    other = replace(good, started=replace(good.started, server=ServerInfo("Valkey", "9.1", "local", "")))
    assert badge.content(Report([good, other]))[2] == "green"
    bad = synthetic.run(rows=100, bad=0.5)
    assert badge.content(Report([good, bad]))[2] == "red"


@pytest.mark.parametrize("argument", ["junit", "junit=", "pdf=x", "=x"])
def test_a_report_argument_that_says_nothing_is_refused(argument: str):
    with pytest.raises(write.ReportArgumentError):
        write.parse([argument])


def test_report_arguments_may_be_joined_and_repeated():
    wanted = write.parse(["junit=a.xml,json=b.json", "html=c.html"])
    assert [(kind, str(path)) for kind, path in wanted] == [("junit", "a.xml"), ("json", "b.json"), ("html", "c.html")]
