"""The other commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import synthetic
from cli.conftest import Run
from cli.fakes import Fake
from redisipc_conformance.cli import coverage as coverage_command
from redisipc_conformance.report import json_report
from redisipc_conformance.requirements import Requirements
from redisipc_conformance.results import Verdict
from redisipc_conformance.verdict.run import Report
from redisipc_conformance.version import __version__


def test_list_names_scenarios_and_checks(run: Run):
    out = run("list", "--checks", "entry/*").out
    assert "entry/a  base       Title of entry/a\n    one: The first holds (RIPC-ENTRY-1)" in out
    assert "[restart]" in out
    assert out.endswith("2 scenarios with 4 checks\n")
    assert run("list", "-k", "nosuchword").code == 5


def test_list_as_json(run: Run):
    data = json.loads(run("list", "--json", "reclaim/c").out)
    assert data[0]["checks"][1] == {"id": "reclaim/c/two", "text": "The second holds", "requirements": ["RIPC-ENTRY-2"]}


def test_show_has_the_requirements_sentences_and_the_file(run: Run):
    ran = run("show", "entry/a")
    assert ran.code == 0
    sentence = Requirements.load().get("RIPC-ENTRY-2")
    assert sentence is not None
    assert f"RIPC-ENTRY-2 MUST: {sentence.text}" in ran.out
    assert "  - connect: a\n" in ran.out


def test_show_of_nothing_names_something_near(run: Run):
    ran = run("show", "x/c")
    assert ran.code == 4
    assert "there are channel/d, reclaim/c" in ran.err


def test_new_shim_writes_a_skeleton_and_never_over_anything(run: Run):
    ran = run("new-shim", "--language", "python", "shim")
    assert ran.code == 0
    assert Path("shim/testee.py").is_file()
    assert "redisipc-conformance check-testee -- python testee.py" in ran.out
    assert run("new-shim", "--language", "python", "shim").code == 4
    assert run("new-shim", "--language", "cobol").code == 4


def test_check_testee_says_what_is_wrong_in_one_sentence(run: Run):
    ran = run("check-testee", "--redis", "none", "--", "/nonexistent/testee")
    assert ran.code == 6
    assert "Wrong: /nonexistent/testee cannot be started" in ran.out
    assert run("check-testee").code == 4


def test_merge_joins_reports(run: Run, fake: Fake):
    fake.verdicts = lambda check: Verdict.FAIL if check == "entry/a/one" else Verdict.PASS
    run("run", "--report", "json=a.json")
    json_report.write(Report([synthetic.run(rows=20, bad=0.0)]), Path("b.json"))
    ran = run("report", "merge", "a.json", "b.json", "--report", "json=all.json,html=all.html")
    assert ran.code == 0
    assert len(json.loads(Path("all.json").read_text())["runs"]) == 2
    assert "NOT conformant (1 check fails)" in ran.out


@pytest.mark.parametrize("content", ["{", "{}"])
def test_merge_refuses_what_is_no_report(run: Run, content: str):
    Path("a.json").write_text(content)
    ran = run("report", "merge", "a.json", "--report", "html=x.html")
    assert ran.code == 4
    assert "a.json" in ran.err


def test_coverage_prints_gaps_and_fails_on_one(run: Run, monkeypatch: pytest.MonkeyPatch):
    catalogue = Requirements(synthetic.requirements(20))
    monkeypatch.setattr(coverage_command.Requirements, "load", classmethod(lambda cls: catalogue))
    json_report.write(Report([synthetic.run(rows=20, bad=0.0)]), Path("r.json"))
    ran = run("coverage", "r.json")
    assert ran.code == 1
    assert "gap: RIPC-CHANNEL-16 (MUST): no check ran; channel/scenario-7/check-1 came to no verdict" in ran.out
    assert "Without --mutants" in ran.out
    Path("m.json").write_text(json.dumps({"mutants": []}))
    ran = run("coverage", "r.json", "--mutants", "m.json")
    assert "RIPC-ENTRY-1 (MUST): no mutant was killed by its checks" in ran.out
    assert run("coverage", "none.json").code == 4
    assert run("coverage").code == 4


def test_version_and_help_are_no_mistakes(run: Run):
    assert __version__ in run("--version").out
    assert "exit codes: 0 conformant" in run("--help").out


def test_a_reader_that_goes_away_changes_no_exit_code(fake: Fake):
    out = subprocess.Popen(
        [sys.executable, "-m", "redisipc_conformance", "list", "--checks"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert out.stdout is not None
    assert out.stderr is not None
    out.stdout.close()
    assert out.stderr.read() == b""
    assert out.wait() == 0
    out.stderr.close()


def test_list_names_the_row_in_the_sentence_of_its_check(run: Run, tmp_path: Path):
    text = (
        "id: entry/rows\ntitle: Rows\nprofile: base\nrequirements: [RIPC-ENTRY-1]\n"
        'rows: [{name: one}, {name: two}]\nchecks: {"holds-${row.name}": "It holds for ${row.name}"}\n'
        'steps:\n  - each-row:\n      - value: {of: 1, is: 1}\n        check: "holds-${row.name}"\n'
    )
    (tmp_path / "scenarios/entry/rows.yaml").write_text(text)
    out = run("list", "--checks", "entry/rows").out
    assert "holds-two: It holds for two (RIPC-ENTRY-1)" in out
