"""Known failures excuse what they say and nothing else, and fail the run when they are no longer true."""

from dataclasses import replace
from pathlib import Path

import pytest

from redisipc_conformance.requirements import Requirements
from redisipc_conformance.results import CheckResult, ScenarioResult, ServerInfo, Verdict
from redisipc_conformance.verdict.judge import Judge
from redisipc_conformance.verdict.known import KnownFailures, KnownFailuresError, parse

REDIS_6 = ServerInfo("Redis", "6.2.14", "local", "")
REDIS_7 = ServerInfo("Redis", "7.0.15", "local", "")
VALKEY_8 = ServerInfo("Valkey", "8.1.0", "local", "")


def check(name: str, verdict: Verdict, message: str = "") -> CheckResult:
    return CheckResult(name, f"{name} holds", ("RIPC-ENTRY-1",), "MUST", verdict, message)


def result(*checks: CheckResult, verdict: Verdict | None = None, reason: str = "") -> ScenarioResult:
    order = list(Verdict)
    worst = verdict or max((each.verdict for each in checks), key=order.index)
    return ScenarioResult("entry/fields", "Fields", "entry", "base", worst, 0.1, checks, reason=reason)


def known(text: str) -> KnownFailures:
    return KnownFailures("known.yaml", tuple(parse("known_failures:\n" + text, "known.yaml")))


def judged(entries: KnownFailures, result: ScenarioResult, server: ServerInfo) -> ScenarioResult:
    return Judge(Requirements(), known=entries).judged(result, server)


DECLARED = {"entry/fields", "entry/fields/order", "entry/fields/names"}
FAILED = check("order", Verdict.FAIL, "another order: id first")
PASSED = check("order", Verdict.PASS)
ONE = "  - id: entry/fields/order\n    reason: not done yet\n"


def test_an_entry_excuses_its_check_and_keeps_the_message():
    found = judged(known(ONE), result(FAILED), REDIS_7)
    assert found.verdict is Verdict.KNOWN
    assert found.checks[0].verdict is Verdict.KNOWN
    assert found.checks[0].known == "not done yet"
    assert found.checks[0].message == FAILED.message
    assert known(ONE).problems([found], REDIS_7, DECLARED) == []


def test_an_entry_of_one_check_excuses_no_other():
    found = judged(known(ONE), result(FAILED, check("names", Verdict.FAIL, "five fields")), REDIS_7)
    assert [each.verdict for each in found.checks] == [Verdict.KNOWN, Verdict.FAIL]
    assert found.verdict is Verdict.FAIL


def test_an_entry_of_a_scenario_excuses_all_its_checks():
    entries = known("  - {id: entry/fields, reason: no entries yet}\n")
    found = judged(entries, result(FAILED, check("names", Verdict.INCONCLUSIVE, "crashed")), REDIS_7)
    assert found.verdict is Verdict.KNOWN


def test_a_scenario_that_fails_outside_its_checks_is_excused_only_as_a_whole():
    broken = result(PASSED, verdict=Verdict.FAIL, reason="the testee died")
    assert judged(known(ONE), broken, REDIS_7).verdict is Verdict.FAIL
    whole = known("  - {id: entry/fields, reason: dies, message: the testee}\n")
    found = judged(whole, broken, REDIS_7)
    assert found.verdict is Verdict.KNOWN
    assert whole.problems([found], REDIS_7, DECLARED) == []
    other = known("  - {id: entry/fields, reason: dies, message: something else}\n")
    assert judged(other, broken, REDIS_7).verdict is Verdict.FAIL
    assert "in another way" in other.problems([judged(other, broken, REDIS_7)], REDIS_7, DECLARED)[0]


def test_a_suite_error_is_never_excused():
    found = judged(known(ONE), result(check("order", Verdict.SUITE_ERROR, "Redis is gone")), REDIS_7)
    assert found.verdict is Verdict.SUITE_ERROR


def test_another_message_is_another_failure():
    entries = known(ONE + "    message: five fields\n")
    found = judged(entries, result(FAILED), REDIS_7)
    assert found.verdict is Verdict.FAIL
    [problem] = entries.problems([found], REDIS_7, DECLARED)
    assert problem.startswith("known.yaml:2: entry/fields/order fails in another way than known")
    assert "another order" in problem
    assert "five fields" in problem


def test_the_beginning_of_the_message_is_enough():
    entries = known(ONE + "    message: another order\n")
    assert judged(entries, result(FAILED), REDIS_7).verdict is Verdict.KNOWN


def test_an_entry_that_passes_is_stale():
    [problem] = known(ONE).problems([judged(known(ONE), result(PASSED), REDIS_7)], REDIS_7, DECLARED)
    assert "stale" in problem


def test_an_unknown_id_is_told_with_its_present_name():
    entries = known("  - {id: entry/old-name/order, reason: x}\n")
    [problem] = entries.problems([], REDIS_7, DECLARED, {"entry/old-name/order": "entry/fields/order"})
    assert "it is entry/fields/order now" in problem
    [problem] = entries.problems([], REDIS_7, DECLARED)
    assert "there is no such scenario or check" in problem


def test_what_did_not_run_is_not_stale():
    assert known(ONE).problems([], REDIS_7, DECLARED) == []
    left_out = result(check("order", Verdict.NOT_APPLICABLE))
    assert known(ONE).problems([left_out], REDIS_7, DECLARED) == []


@pytest.mark.parametrize(
    ("when", "server", "excused"),
    [
        ('{redis: "<7"}', REDIS_6, True),
        ('{redis: "<7"}', REDIS_7, False),
        ('{redis: "==7.0"}', REDIS_7, True),
        ('{redis: ">=6.2,<8"}', VALKEY_8, False),
        ("{brand: valkey}", VALKEY_8, True),
        ("{brand: valkey}", REDIS_7, False),
        ('{brand: Redis, redis: ">=7"}', REDIS_7, True),
    ],
)
def test_when_names_the_servers(when: str, server: ServerInfo, excused: bool):
    entries = known(ONE + f"    when: {when}\n")
    assert (judged(entries, result(FAILED), server).verdict is Verdict.KNOWN) is excused
    # Where it does not apply, it is not stale either.
    stale = entries.problems([judged(entries, result(PASSED), server)], server, DECLARED)
    assert bool(stale) is excused


def test_two_entries_may_name_one_check_with_different_servers():
    text = ONE + '    when: {redis: "<7"}\n' + ONE.replace("not done yet", "another bug") + '    when: {redis: ">=7"}\n'
    assert judged(known(text), result(FAILED), REDIS_7).checks[0].known == "another bug"


def test_the_specification_s_reference_is_shown():
    entries = known(ONE + "    spec: appendix A, D-3\n")
    assert judged(entries, result(FAILED), REDIS_7).checks[0].known == "not done yet (specification: appendix A, D-3)"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("known_failures:\n  - id: entry/fields\n", "k.yaml:2: known_failures.0: 'reason' is a required"),
        ("known_failures:\n  - {id: entry, reason: x}\n", "k.yaml:2: known_failures.0.id: 'entry' does not match"),
        (
            "known_failures:\n  - id: a/b\n    reason: x\n    when: {redis: 7}\n",
            "k.yaml:4: known_failures.0.when.redis",
        ),
        ("- a\n", "k.yaml:1: the file"),
        ("known_failures: [\n", "k.yaml:2: not YAML"),
    ],
)
def test_a_file_that_breaks_the_schema_is_refused_with_its_line(text: str, where: str):
    with pytest.raises(KnownFailuresError) as raised:
        parse(text, "k.yaml")
    assert str(raised.value).startswith(where)


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(KnownFailuresError, match="cannot be read"):
        KnownFailures.load(tmp_path / "none.yaml")


def test_a_file_s_entries_know_their_lines(tmp_path: Path):
    path = tmp_path / "known.yaml"
    path.write_text("# top\nknown_failures:\n  # one\n" + ONE + "\n  # two\n" + ONE.replace("order", "names"))
    entries = KnownFailures.load(path).entries
    assert [(entry.line, entry.last_line) for entry in entries] == [(4, 5), (8, 9)]
    assert replace(entries[0], line=0, last_line=0, id="") == replace(entries[1], line=0, last_line=0, id="")


def test_a_generated_reason_is_named():
    assert known("  - {id: entry/fields, reason: 'TODO: say why'}\n").unreasoned() == ["entry/fields"]


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS + "known_failures: []\n",
        "known_failures: &a [*a]\n",
        "known_failures: " + "[" * 3000 + "]" * 3000 + "\n",
        "known_failures: [\x00]\n",
        "",
    ],
    ids=["laughs", "recursive", "deep", "nul", "empty"],
)
def test_an_odd_file_is_refused_in_a_sentence_and_at_once(text: str):
    with pytest.raises(KnownFailuresError, match=r"k\.yaml"):
        parse(text, "k.yaml")
