"""From checks to profiles and exit codes: nothing is green that was not shown."""

from dataclasses import replace

import pytest

import synthetic
from redisipc_conformance.results import CheckResult, Level, ScenarioResult, Verdict
from redisipc_conformance.verdict.profiles import (
    Exit,
    State,
    fails,
    gravest,
    probably_the_shim,
    profiles,
    run_exit,
)
from redisipc_conformance.verdict.run import Run


def check(verdict: Verdict, level: Level = "MUST", *, late: bool = False) -> CheckResult:
    return CheckResult("c", "it holds", ("RIPC-ENTRY-1",), level, verdict, late=late)


def run(*checks: CheckResult, **changed: object) -> Run:
    results = [
        ScenarioResult(f"entry/s{number}", "S", "entry", "base", each.verdict, 0.1, (each,))
        for number, each in enumerate(checks)
    ]
    return replace(synthetic.run(rows=2, bad=0.0), results=results, **changed)  # type: ignore[arg-type]


def base(of: Run) -> State:
    return next(each.state for each in profiles(of) if each.profile == "base")


PASS = check(Verdict.PASS)


@pytest.mark.parametrize(
    ("one", "plain", "strict"),
    [
        (PASS, False, False),
        (check(Verdict.FAIL), True, True),
        (check(Verdict.SUITE_ERROR), True, True),
        (check(Verdict.INCONCLUSIVE), True, True),
        (check(Verdict.INCONCLUSIVE, "SHOULD"), False, True),
        (check(Verdict.WARNING, "SHOULD"), False, True),
        (check(Verdict.WARNING, "MAY"), False, False),
        (check(Verdict.KNOWN), False, False),
        (check(Verdict.NOT_APPLICABLE), False, False),
        (check(Verdict.FAIL, late=True), False, False),
    ],
)
def test_what_fails_a_run(one: CheckResult, plain: bool, strict: bool):
    assert (fails(one, False), fails(one, True)) == (plain, strict)
    assert run_exit(run(PASS, one, strict=strict)) is not Exit.CONFORMANT if plain else True
    held = one.verdict is not Verdict.KNOWN
    assert (base(run(PASS, one)) is not State.NOT_CONFORMANT) is (held and not plain)


def test_a_profile_of_which_only_late_checks_ran_is_not_decided():
    assert base(run(check(Verdict.PASS, late=True))) is State.INCOMPLETE
    assert base(run(check(Verdict.PASS, late=True), PASS)) is State.CONFORMANT


def test_the_verdict_says_what_was_not_claimed():
    whole = run(PASS)
    testee = replace(whole.started.testee, roles=("requester",), serial=True)
    less = replace(whole, started=replace(whole.started, testee=testee))
    assert [each.why for each in profiles(less) if each.profile == "base"] == ["as requester, serial"]


def test_conformant_is_said_of_a_whole_run_alone():
    assert base(run(PASS)) is State.CONFORMANT
    assert base(run(PASS, selection="-k entry")) is State.INCOMPLETE
    assert base(run(PASS, interrupted=True)) is State.INCOMPLETE
    left_out = replace(run().started, left_out={"entry/x": "needs a server of its own"})
    assert base(run(PASS, started=left_out)) is State.INCOMPLETE
    assert run_exit(run(PASS, started=left_out)) is Exit.CONFORMANT
    assert run_exit(run(PASS, started=left_out, strict=True)) is Exit.NOT_CONFORMANT
    assert base(run()) is State.INCOMPLETE


def test_a_known_failure_is_one_unless_it_is_of_a_should_or_counts_later():
    assert base(run(PASS, check(Verdict.KNOWN))) is State.NOT_CONFORMANT
    assert run_exit(run(PASS, check(Verdict.KNOWN))) is Exit.CONFORMANT
    assert base(run(PASS, check(Verdict.KNOWN, "SHOULD"))) is State.EXCEPT_KNOWN
    assert base(run(PASS, check(Verdict.KNOWN, late=True))) is State.EXCEPT_KNOWN


def test_a_profile_is_not_conformant_where_one_that_it_builds_on_is_not():
    broken = run(check(Verdict.FAIL))
    group = ScenarioResult("group/s", "S", "group", "group", Verdict.PASS, 0.1, (PASS,))
    resilient = replace(group, id="reclaim/s", profile="resilient")
    states = {each.profile: each for each in profiles(replace(broken, results=[*broken.results, group, resilient]))}
    assert states["group"].state is State.NOT_CONFORMANT
    assert states["group"].why == "it builds on base, not conformant"
    assert states["resilient"].state is State.NOT_CONFORMANT


@pytest.mark.parametrize("changed", [{"time_scale": 5.0}, {"time_scale": 0.5}, {"no_timeouts": True}])
def test_time_limits_of_another_length_decide_nothing(changed: dict[str, object]):
    started = replace(run().started, **changed)  # type: ignore[arg-type]
    assert base(run(PASS, started=started)) is State.INCOMPLETE
    assert base(run(check(Verdict.FAIL), started=started)) is State.NOT_CONFORMANT


def test_a_profile_that_is_not_claimed_is_not_judged():
    states = {each.profile: each.state for each in profiles(synthetic.run(rows=100, bad=0.0))}
    assert states["channel"] is State.NOT_CLAIMED


def test_exit_codes():
    assert run_exit(run(PASS)) is Exit.CONFORMANT
    assert run_exit(run(check(Verdict.FAIL), PASS)) is Exit.NOT_CONFORMANT
    assert run_exit(run(PASS, problems=["stale"])) is Exit.NOT_CONFORMANT
    assert run_exit(run(check(Verdict.SUITE_ERROR), check(Verdict.FAIL))) is Exit.SUITE_ERROR
    assert run_exit(run()) is Exit.NOTHING_CHECKED
    assert run_exit(run(check(Verdict.NOT_APPLICABLE))) is Exit.NOTHING_CHECKED
    assert run_exit(run(check(Verdict.INCONCLUSIVE, "SHOULD"))) is Exit.NOTHING_CHECKED
    assert gravest([Exit.CONFORMANT, Exit.NOT_CONFORMANT, Exit.NO_REDIS]) is Exit.NO_REDIS
    assert gravest([Exit.SUITE_ERROR, Exit.INTERRUPTED]) is Exit.INTERRUPTED


def test_a_scenario_that_fails_outside_its_checks_fails_the_run():
    broken = ScenarioResult("entry/x", "X", "entry", "base", Verdict.FAIL, 0.1, (PASS,), reason="the testee died")
    of = run(PASS)
    of.results.append(broken)
    assert run_exit(of) is Exit.NOT_CONFORMANT
    assert [f.check.message for f in of.findings() if not f.check.name] == ["the testee died"]


def test_the_shim_is_suspected_when_all_fails():
    failed = [check(Verdict.FAIL)] * 5
    assert probably_the_shim(run(*failed))
    assert not probably_the_shim(run(*failed, PASS))
    assert not probably_the_shim(run(*failed[:4]))


def test_the_shim_is_not_suspected_when_one_scenario_runs_alone():
    failed = check(Verdict.FAIL)
    alone = ScenarioResult("entry/s", "S", "entry", "base", Verdict.FAIL, 0.1, (failed,) * 9)
    assert not probably_the_shim(replace(run(), results=[alone]))


def test_the_verdict_tells_what_fails_from_what_is_not_decided():
    why = {each.profile: each.why for each in profiles(run(check(Verdict.FAIL), *[check(Verdict.INCONCLUSIVE)] * 2))}
    assert why["base"] == "1 check fails, 2 are not decided"
    assert profiles(run(check(Verdict.INCONCLUSIVE)))[0].why == "1 is not decided"
