"""The trace of three finds every gap, and only what ran counts."""

import json
from pathlib import Path

import pytest

import synthetic
from redisipc_conformance.cli import main
from redisipc_conformance.report.coverage import CoverageError, Mutant, gaps, read_mutants, summary, trace, unlike
from redisipc_conformance.requirements import Requirement
from redisipc_conformance.scenario.corpus import Named, corpus
from redisipc_conformance.scenario.model import Check
from redisipc_conformance.verdict.frozen import FrozenSet
from redisipc_conformance.verdict.run import Report

CATALOGUE = synthetic.requirements(50)
RUN = synthetic.run(rows=50, bad=0.0)
REPORT = Report([RUN], CATALOGUE)
CHECK_OF = {finding.check.requirements[0]: finding.id for finding in RUN.findings()}
RESULTS = Path(__file__).parents[1] / "mutants" / "results.json"
UNPROVED = Path(__file__).with_name("unproved.txt")
UNCLAIMED = {finding.check.requirements[0] for finding in RUN.findings() if finding.scenario.profile == "channel"}


def mutants() -> list[Mutant]:
    return [Mutant(f"m-{each.id}", each.id, (CHECK_OF[each.id],), "killed") for each in CATALOGUE if each.testable]


def claimed(requirements: list[Requirement]) -> list[Requirement]:
    return [each for each in requirements if each.id not in UNCLAIMED]


def run_of(ids: set[str]) -> list[Report]:
    """The report without the checks of these requirements."""
    results = [each for each in RUN.results if not any(set(check.requirements) & ids for check in each.checks)]
    from dataclasses import replace

    return [Report([replace(RUN, results=results)], CATALOGUE)]


def test_a_whole_trace_has_no_gap():
    kills = [mutant for mutant in mutants() if mutant.requirement not in UNCLAIMED]
    assert gaps(trace(claimed(CATALOGUE), run_of(UNCLAIMED), kills), mutants=True) == []


def test_a_check_that_came_to_no_verdict_proves_nothing():
    found = gaps(trace(CATALOGUE, [REPORT]), mutants=False)
    expected = [each for each in CATALOGUE if each.id in UNCLAIMED and each.level != "MAY"]
    assert [line.split()[0] for line in found] == [each.id for each in expected]
    assert "came to no verdict" in found[0]


def test_a_must_needs_a_mutant_and_a_should_does_not():
    found = gaps(trace(claimed(CATALOGUE), run_of(UNCLAIMED)), mutants=True)
    levels = {line.split("(")[1].split(")")[0] for line in found}
    assert levels == {"MUST"}
    assert all(line.endswith("no mutant was killed by its checks") for line in found)


@pytest.mark.parametrize(
    ("mutant", "why"),
    [
        (Mutant("m", "RIPC-ENTRY-1", (CHECK_OF["RIPC-ENTRY-1"],), "survived"), "m: survived"),
        (Mutant("m", "RIPC-ENTRY-1", (CHECK_OF["RIPC-ENTRY-1"],), "by-timeout"), "m: by-timeout"),
        (Mutant("m", "RIPC-ENTRY-1", (CHECK_OF["RIPC-ENTRY-2"],), "killed"), "which does not prove it"),
    ],
)
def test_a_mutant_counts_only_when_a_check_of_its_requirement_asserted(mutant: Mutant, why: str):
    [first] = trace(CATALOGUE[:1], [Report([], [])])[:1]
    assert first.gap(mutants=True).startswith("no check ran")
    one = next(each for each in trace(CATALOGUE, [REPORT], [mutant]) if each.requirement.id == "RIPC-ENTRY-1")
    assert why in one.gap(mutants=True)


def test_checks_that_ran_beside_the_reports_count():
    [catalogued] = [each for each in CATALOGUE if each.id == "RIPC-ENTRY-1"]
    named = Named("a/b/c", Check("c", "It holds", ("RIPC-ENTRY-1",)), (), "It holds")
    assert trace([catalogued], [], [], [named])[0].checks == {"a/b/c"}


def test_what_has_not_run_and_what_is_gone_is_told():
    named = Named("a/b/new", Check("new", "It holds", ()), (), "It holds")
    told = unlike({"a/b/old"}, [named])
    assert [line.split(":")[0] for line in told] == ["a/b/new", "a/b/old"]


def test_every_statement_is_proved_by_a_check_that_ran_and_a_mutant_that_it_killed(capsys: pytest.CaptureFixture[str]):
    """The trace of three, from what ``make mutants`` found. The missing ones are in unproved.txt, and nothing else does."""
    main(["coverage", "--mutants", str(RESULTS)])
    found = [line.removeprefix("gap: ") for line in capsys.readouterr().out.splitlines() if line.startswith("gap: ")]
    lines = [f"{gap.split()[0]} {'check' if 'no check ran' in gap else 'mutant'}" for gap in found]
    listed = [line for line in UNPROVED.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert sorted(lines) == sorted(listed), "\n".join(found)


def test_nothing_survives_and_nothing_passes_by_doing_nothing():
    found = json.loads(RESULTS.read_text("utf-8"))
    assert [row["name"] for row in found["mutants"] if row["verdict"] != "killed"] == []
    assert found["null_passes"] == found["must_without_mutant"] == []


def test_the_frozen_set_has_every_check():
    scenarios = corpus()
    frozen = FrozenSet.load()
    assert frozen.checks is not None
    assert frozen.missing(scenarios) == []


def test_an_exclusion_needs_its_reason():
    bare = Requirement("RIPC-ENTRY-1", "MUST", text="It MUST.", testable=False)
    assert gaps(trace([bare], []), mutants=True) == ["RIPC-ENTRY-1 (MUST): is not testable and has no reason"]


def test_an_id_that_the_specification_does_not_have_is_a_gap():
    found = gaps(trace(claimed(CATALOGUE)[1:], [REPORT]), mutants=False)
    assert any("RIPC-ENTRY-1 (MUST): is named by a check or mutant" in line for line in found)


def test_the_summary_counts_by_section():
    lines = summary(trace(CATALOGUE, [REPORT]), mutants=False)
    assert lines[0].split() == ["section", "MUST", "SHOULD", "MAY", "excluded", "checked"]
    assert lines[-1].split() == ["all", "30", "10", "10", "1", str(49 - len(UNCLAIMED))]


def test_a_table_of_mutants_is_read_and_a_broken_one_refused(tmp_path: Path):
    path = tmp_path / "results.json"
    row = {"name": "m", "breaks": ["RIPC-ENTRY-1", "RIPC-ENTRY-2"], "caught_by": ["a/b/c"], "verdict": "killed"}
    path.write_text(
        json.dumps({"mutants": [row, {**row, "name": "n", "breaks": ["RIPC-ENTRY-3"], "verdict": "survived"}]})
    )
    assert read_mutants(path) == [
        Mutant("m", "RIPC-ENTRY-1", ("a/b/c",), "killed"),
        Mutant("m", "RIPC-ENTRY-2", ("a/b/c",), "killed"),
        Mutant("n", "RIPC-ENTRY-3", ("a/b/c",), "survived"),
    ]
    path.write_text("{}")
    with pytest.raises(CoverageError, match="is not a table of mutants"):
        read_mutants(path)
    with pytest.raises(CoverageError, match="cannot be read"):
        read_mutants(tmp_path / "none.json")
