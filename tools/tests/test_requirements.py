"""A mistake in the form of a statement, in an id or in a citation is found and reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from citations import citations
from requirements import all_given, as_json, given, reused, strange_features, unknown
from spec import ROOT, SPEC, Retired, read

HEAD = "# RedisIPC 1.0: x\n\n## 4 The entry\n\n"
GOOD = "- **RIPC-ENTRY-1** (sender, base) An entry MUST have six fields. (A gem drops others.)\n"


def faults(*lines: str) -> str:
    return "\n".join(read(HEAD + "".join(lines)).faults)


def test_a_statement_is_taken_apart() -> None:
    [statement] = read(HEAD + GOOD.replace("MUST", "MUST NOT")[:-1] + " *Not tested: nobody can.*\n").statements
    assert (statement.id, statement.word, statement.level) == ("RIPC-ENTRY-1", "MUST NOT", "MUST")
    assert (statement.role, statement.profile, statement.section) == ("sender", "base", "4 The entry")
    assert statement.text == "An entry MUST NOT have six fields. (A gem drops others.)"
    assert (statement.testable, statement.reason) == (False, "nobody can.")
    assert (statement.feature, statement.anchor) == (None, "ripc-entry-1")


def test_a_feature_stands_in_the_brackets_and_is_one_of_the_registry() -> None:
    spec = read(HEAD + GOOD.replace("base)", "ask; feature wakeup)").replace("sender", "caller"))
    assert spec.faults == []
    [statement] = spec.statements
    assert (statement.role, statement.profile, statement.feature) == ("caller", "ask", "wakeup")
    assert list(strange_features(spec, {"wakeup"})) == []
    assert "no feature 'wakeup'" in next(strange_features(spec, {"cancel"}))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GOOD, "a second time"),
        ("- **RIPC-ENTRY-02** (sender, base) It MUST be.\n", "is not an id"),
        ("- **RIPC-ENTRY-3** (sender, base) It MUST be.\n", "RIPC-ENTRY-2 is missing"),
        ("- **RIPC-ENTRY-2** (somebody, base) It MUST be.\n", "no role 'somebody'"),
        ("- **RIPC-ENTRY-2** (sender, best) It MUST be.\n", "no profile 'best'"),
        ("- **RIPC-ENTRY-2** It MUST be.\n", "(role, profile)"),
        ("- **RIPC-ENTRY-2** (sender, base) It is.\n", "not none"),
        ("- **RIPC-ENTRY-2** (sender, base) It MUST be and SHOULD seem.\n", "not MUST, SHOULD"),
        ("- **RIPC-ENTRY-2** (sender, base) It SHALL be.\n", "not SHALL"),
        ("- **RIPC-ENTRY-2** (sender, base) It MUST be. *Not tested*\n", "Not tested: why"),
        ("- **RIPC-ENTRY-2** retired\n", "a retired id is written"),
        ("All of this MUST be.\n", "outside a numbered statement"),
    ],
)
def test_a_fault_of_form_is_found(line: str, said: str) -> None:
    assert faults(GOOD) == ""
    assert said in faults(GOOD, line)


def test_a_retired_id_fills_its_number() -> None:
    retired = "- **RIPC-ENTRY-2** retired in 1.1: it was the same as RIPC-ENTRY-1.\n"
    spec = read(HEAD + GOOD + retired + GOOD.replace("-1*", "-3*"))
    assert spec.faults == []
    assert spec.retired == [Retired("RIPC-ENTRY-2", "1.1", "it was the same as RIPC-ENTRY-1.")]
    assert spec.retired_ids == {"RIPC-ENTRY-2"}


def test_an_id_that_was_given_is_neither_lost_nor_used_again() -> None:
    before = given("# head\nRIPC-ENTRY-1 1.0 retired\nRIPC-ENTRY-2 1.0\n")
    spec = read(HEAD + GOOD)
    assert [each.split(" ")[0] for each in reused(spec, before)] == ["RIPC-ENTRY-1", "RIPC-ENTRY-2"]
    kept = given(all_given(spec, before))
    assert set(kept) == {"RIPC-ENTRY-1", "RIPC-ENTRY-2"}


def test_each_statement_says_where_it_stands_and_since_when() -> None:
    retired = "- **RIPC-ENTRY-2** retired in 1.1: it was twice.\n"
    spec = read(HEAD.replace("1.0", "1.1") + GOOD + retired + GOOD.replace("-1*", "-3*"))
    before = given("RIPC-ENTRY-1 1.0\nRIPC-ENTRY-2 1.0\n")
    found = json.loads(as_json(spec, given(all_given(spec, before))))
    assert [(each["anchor"], each["since"]) for each in found["requirements"]] == [
        ("ripc-entry-1", "1.0"), ("ripc-entry-3", "1.1")
    ]  # fmt: skip
    assert found["retired"] == [{"id": "RIPC-ENTRY-2", "since": "1.0", "retired": "1.1", "reason": "it was twice."}]


def test_citations_are_found_in_their_short_forms_too(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("RIPC-ODD-2, 3 and RIPC-ROUTE-9 to 11; RIPC-LIFE-13, 25 s; RIPC-REQ alone\n")
    found = sorted(each.id for each in citations(path))
    assert found == [
        "RIPC-LIFE-13", "RIPC-ODD-2", "RIPC-ODD-3", "RIPC-REQ", "RIPC-ROUTE-10", "RIPC-ROUTE-11", "RIPC-ROUTE-9"
    ]  # fmt: skip


def test_a_citation_of_what_there_is_not_is_found(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("# RIPC-ENTRY-1\n# RIPC-ENTRY-7\n# RIPC-ENTRY\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_made_up.py").write_text("# RIPC-NOWHERE-1\n")
    assert list(unknown(read(HEAD + GOOD), tmp_path)) == [
        "code.py:2: there is no RIPC-ENTRY-7",
        "code.py:3: RIPC-ENTRY has no number; cite a statement",
    ]


def test_the_spec_itself_has_no_fault() -> None:
    spec = read(SPEC.read_text(encoding="utf-8"))
    assert spec.faults == []
    assert len(spec.statements) > 200
    assert list(unknown(spec, ROOT)) == []
