"""Callers, and testees that do one thing at a time: the scenarios of the profile ask find what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.conftest import MODEL, events, settings
from redisipc_conformance.engine.run import Engine
from redisipc_conformance.requirements import Requirements
from redisipc_conformance.results import RunStarted, ScenarioEnded, ScenarioResult, Verdict
from redisipc_conformance.scenario.corpus import corpus
from redisipc_conformance.server import Server
from redisipc_conformance.verdict.judge import Judge

BLOCKING = (sys.executable, str(Path(__file__).with_name("blocking_caller.py")))
MEMBER = (sys.executable, str(Path(__file__).with_name("blocking_member.py")))
SCENARIOS = {scenario.id: scenario for scenario in corpus()}
PAGE = Path(__file__).parents[3] / "docs" / "requester-in-one-page.md"
"""All that one needs to write this caller."""


async def results(command: tuple[str, ...], server: Server, *ids: str, scale: float = 1.0) -> dict[str, ScenarioResult]:
    chosen = [SCENARIOS[id] for id in ids]
    engine = Engine(settings(command, time_scale=scale), server, chosen, Judge(Requirements.load()))
    return {each.result.id: each.result for each in await events(engine) if isinstance(each, ScenarioEnded)}


def without(verdict: Verdict, result: ScenarioResult) -> set[str]:
    return {check.name for check in result.checks if check.verdict is not verdict}


async def test_a_caller_that_does_one_thing_at_a_time_passes(server: Server) -> None:
    found = await results(BLOCKING, server, *(id for id, each in SCENARIOS.items() if each.profile == "ask"))
    failed = {id: [each.name for each in result.checks if each.verdict is Verdict.FAIL] for id, result in found.items()}
    assert failed == {id: [] for id in found}
    passed = [each for result in found.values() for each in result.checks if each.verdict is Verdict.PASS]
    assert len(found) > 20
    assert len(passed) > 90


def test_it_has_under_150_lines_with_its_testee_as_the_page_says() -> None:
    lines = [line for line in Path(BLOCKING[1]).read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) < 150
    assert "under 150 lines" in " ".join(PAGE.read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("fault", "id", "check"),
    [
        ("makes-the-stream", "ask/no-stream", "not-made"),
        ("leaves-its-response", "ask/deletes-its-response", "deleted"),
        ("for-anybody", "ask/its-response", "group"),
    ],
)
async def test_a_wrong_one_fails_the_check_of_its_fault(server: Server, fault: str, id: str, check: str) -> None:
    found = await results((*BLOCKING, fault), server, id, scale=0.3)
    assert check in {each.name for each in found[id].checks if each.verdict is Verdict.FAIL}


async def test_the_model_with_one_role_is_told_to_be_so_and_the_rest_is_left_out(server: Server) -> None:
    claims = '{"profiles": ["base"], "features": [], "roles": ["requester"], "serial": true}'
    chosen = [SCENARIOS[id] for id in ("entry/six-fields", "responder/once", "requester/side-by-side", "ask/request")]
    told = await events(Engine(settings((*MODEL, "--claims", claims)), server, chosen, Judge(Requirements.load())))
    started = next(each for each in told if isinstance(each, RunStarted))
    assert (started.testee.roles, started.testee.serial) == (("requester",), True)
    assert started.scenarios == ("entry/six-fields",)
    reasons = {each.result.id: each.result.reason for each in told if isinstance(each, ScenarioEnded)}
    assert "role responder" in reasons["responder/once"]
    assert "serial" in reasons["requester/side-by-side"]
    assert "profile ask" in reasons["ask/request"]


async def test_a_member_that_reads_nothing_while_a_handler_runs_passes_and_each_fence_is_decided(
    server: Server,
) -> None:
    ids = ("content/no-utf8", "entry/any-id-and-instance", "entry/field-order-read", "odd/extra-field")
    found = await results(MEMBER, server, *ids, "responder/failure-without-text", "timeout/slow-reply")
    assert {id: without(Verdict.PASS, result) for id, result in found.items()} == {id: set() for id in found}
    assert sum(len(result.checks) for result in found.values()) > 50


async def test_a_member_that_never_acknowledges_the_entries_of_others_breaks_the_statement_about_them(
    server: Server,
) -> None:
    found = await results((*MEMBER, "keeps-others-pending"), server, "route/settle-in-time", scale=0.3)
    failed = [each for each in found["route/settle-in-time"].checks if each.verdict is Verdict.FAIL]
    assert ["RIPC-ROUTE-2"] in [list(each.requirements) for each in failed if each.name == "always-acknowledges"]
