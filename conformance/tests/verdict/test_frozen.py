"""The frozen set counts what it counted when it was frozen, under whatever name."""

from pathlib import Path

from redisipc_conformance.requirements import Requirements
from redisipc_conformance.results import CheckResult, ScenarioResult, ServerInfo, Verdict
from redisipc_conformance.scenario.corpus import declared_ids, named_checks, renamed_ids
from redisipc_conformance.scenario.model import Check, Scenario
from redisipc_conformance.verdict.frozen import FrozenSet, former_ids, text
from redisipc_conformance.verdict.judge import Judge

REDIS = ServerInfo("Redis", "7.0.15", "local", "")


def scenario(id: str, *checks: Check, **more: object) -> Scenario:
    return Scenario(id=id, title="T", profile="base", checks=checks, steps=(), file="x.yaml", **more)  # type: ignore[arg-type]


def check(name: str, *formerly: str) -> Check:
    return Check(name, "It holds", ("RIPC-ENTRY-1",), formerly=formerly)


def result(id: str, *names: str) -> ScenarioResult:
    checks = tuple(CheckResult(name, "It holds", (), "MUST", Verdict.FAIL) for name in names)
    return ScenarioResult(id, "T", "entry", "base", Verdict.FAIL, 0.1, checks)


def frozen(folder: Path, *ids: str) -> FrozenSet:
    (folder / "1.0.yaml").write_text(text("1.0", ids))
    return FrozenSet.load("1.0", folder)


def late(some: FrozenSet, found: ScenarioResult, former: dict[str, tuple[str, ...]]) -> list[bool]:
    judged = Judge(Requirements(), frozen=some, former=former).judged(found, REDIS)
    return [each.late for each in judged.checks]


def test_a_check_that_is_not_in_the_set_is_late(tmp_path: Path):
    some = frozen(tmp_path, "entry/a/one", "entry/b/one")
    assert late(some, result("entry/a", "one", "two"), {}) == [False, True]


def test_without_a_set_everything_counts(tmp_path: Path):
    none = FrozenSet.load("9.9", tmp_path)
    assert late(none, result("entry/a", "one"), {}) == [False]
    assert none.missing([]) == []


def test_names_that_yaml_would_take_for_something_else_stay_names(tmp_path: Path):
    some = frozen(tmp_path, "content/numbers/1e5", "content/numbers/null", "content/numbers/no")
    assert some.checks == {"content/numbers/1e5", "content/numbers/null", "content/numbers/no"}


def test_a_renamed_check_or_scenario_still_counts(tmp_path: Path):
    some = frozen(tmp_path, "entry/old/one", "entry/old/before")
    moved = scenario("entry/new", check("one"), check("after", "before"), formerly=("entry/old",))
    assert some.missing([moved]) == []
    assert late(some, result("entry/new", "one", "after"), former_ids([moved])) == [False, False]
    assert renamed_ids([moved])["entry/old/before"] == "entry/new/after"


def test_a_check_that_is_gone_is_missed(tmp_path: Path):
    some = frozen(tmp_path, "entry/a/one", "entry/a/two")
    assert some.missing([scenario("entry/a", check("one"))]) == ["entry/a/two"]
    assert some.missing([]) == ["entry/a/one", "entry/a/two"]


def test_a_table_s_check_is_one_for_each_row():
    rows = ({"name": "int"}, {"name": "big"})
    table = scenario("content/numbers", check("same-${row.name}", "equal-${row.name}"), check("all"), rows=rows)
    assert [named.id for named in named_checks(table)] == [
        "content/numbers/same-int",
        "content/numbers/same-big",
        "content/numbers/all",
    ]
    assert "content/numbers" in declared_ids([table])
    assert renamed_ids([table])["content/numbers/equal-big"] == "content/numbers/same-big"
