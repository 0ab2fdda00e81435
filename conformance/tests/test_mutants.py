"""The list of mutants fits the model and SPEC.md. That each is caught is what ``make mutants`` shows."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from redisipc_conformance.requirements import Requirements
from redisipc_conformance.testee.check import check

MUTANTS = Path(__file__).parents[1] / "mutants"
sys.path.insert(0, str(MUTANTS))

import catalogue  # noqa: E402
from model import mutation  # noqa: E402

UNPROVED = Path(__file__).with_name("unproved.txt")
UNJUDGED = Path(__file__).with_name("unjudged.txt")
POINT = re.compile(r'mutant\("([^"]+)"\)')


@pytest.fixture(scope="module")
def mutants() -> list[catalogue.Mutant]:
    return catalogue.load()


def test_each_mutant_is_a_point_in_the_model_and_each_point_a_mutant(mutants: list[catalogue.Mutant]) -> None:
    sources = [*(MUTANTS / "model").glob("*.py"), MUTANTS / "testee.py"]
    points = {name for source in sources for name in POINT.findall(source.read_text("utf-8"))}
    assert points == {mutant.name for mutant in mutants}


def test_mutants_break_requirements_that_exist(mutants: list[catalogue.Mutant]) -> None:
    requirements = Requirements.load()
    assert {id for mutant in mutants for id in mutant.breaks if id not in requirements} == set()
    assert all(mutant.breaks and mutant.fault for mutant in mutants)


def test_every_testable_must_has_a_mutant(mutants: list[catalogue.Mutant]) -> None:
    broken = {id for mutant in mutants for id in mutant.breaks}
    musts = {each.id for each in Requirements.load() if each.level == "MUST" and each.testable}
    # What still lacks one stands in a list that test_coverage.py lets only shrink.
    listed = {line.split()[0] for line in UNPROVED.read_text("utf-8").splitlines() if line.startswith("RIPC-")}
    assert musts - broken <= listed
    assert len(mutants) >= 80


def test_the_results_are_those_of_this_list(mutants: list[catalogue.Mutant]) -> None:
    rows = json.loads((MUTANTS / "results.json").read_text("utf-8"))["mutants"]
    judged = {row["name"]: (row["breaks"], row["caught_by"]) for row in rows}
    listed = {each.name: (list(each.breaks), list(each.caught_by)) for each in mutants}
    differ = {name for name in judged.keys() | listed.keys() if judged.get(name) != listed.get(name)}
    # What was added or changed since the last whole run. That run empties the list.
    assert differ == {line for line in UNJUDGED.read_text("utf-8").splitlines() if line and not line.startswith("#")}


def test_without_a_mutation_nothing_is_switched_on(mutants: list[catalogue.Mutant]) -> None:
    assert [mutant.name for mutant in mutants if mutation.mutant(mutant.name)] == []


async def test_the_model_speaks_the_testee_protocol() -> None:
    findings = await check([sys.executable, str(MUTANTS / "testee.py")], None)
    assert [finding for finding in findings if finding.verdict == "wrong"] == []


async def test_the_null_testee_is_told_apart_from_a_shim() -> None:
    findings = await check([sys.executable, str(MUTANTS / "null.py")], None)
    assert "unknown-method" in {finding.name for finding in findings if finding.verdict == "wrong"}


def test_names_of_checks_are_written_and_all_else_stays(tmp_path: Path) -> None:
    file = tmp_path / "mutants.yaml"
    two = "# Others\n- name: two\n  breaks: [X]\n  fault: f\n  caught-by:\n  - a/b/c\n"
    text = "# Names\n- name: one\n  breaks: [X]\n  fault: f\n  caught-by:{}\n" + two
    file.write_text(text.format(" []"))
    catalogue.write_caught_by({"one": ["a/b/x", "a/b/y"]}, file)
    assert file.read_text() == text.format("\n  - a/b/x\n  - a/b/y")
    catalogue.write_caught_by({"one": ["a/b/z"]}, file)
    assert file.read_text() == text.format("\n  - a/b/z")
    assert [mutant.caught_by for mutant in catalogue.load(file)] == [("a/b/z",), ("a/b/c",)]
