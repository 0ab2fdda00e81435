"""The sentences of ``check-testee`` of shims, good and odd."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from redisipc_conformance.files import suite_folder
from redisipc_conformance.testee import check as module
from redisipc_conformance.testee.check import TITLES, Finding, check, first_wrong

pytestmark = pytest.mark.slow

SHIM = Path(__file__).with_name("odd_shim.py")
MODEL = (sys.executable, str(suite_folder() / "mutants" / "testee.py"))


NEVER_ANSWERS = ("no-flush", "reads-all")


@pytest.fixture(autouse=True)
def _impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only these shims are waited for in vain. On a busy machine, a good one may need several seconds to start."""
    if any(fault in request.node.name for fault in NEVER_ANSWERS):
        monkeypatch.setattr(module, "START", 3.0)


async def findings_of(*faults: str) -> dict[str, Finding]:
    return {finding.name: finding for finding in await check([sys.executable, str(SHIM), *faults], None)}


async def test_a_correct_shim_has_nothing_wrong_and_what_needs_redis_is_skipped() -> None:
    findings = await findings_of()
    assert first_wrong(list(findings.values())) is None, findings
    skipped = {name for name, finding in findings.items() if finding.verdict == "skipped"}
    assert skipped == {"nonsense-option", "converse"}
    assert list(findings) == list(TITLES)


@pytest.mark.parametrize(
    ("fault", "name", "words"),
    [
        ("dies", "hello", "cannot import name 'Stream'"),
        ("no-flush", "hello", "flush stdout after each line"),
        ("reads-all", "hello", "read stdin line by line"),
        ("no-profiles", "hello", "there is no profiles"),
        ("telepathy", "hello", "'telepathy'; expected one of 'cancel'"),
        ("any-method", "unknown-method", "must be refused with the error -32601"),
        ("wrong-code", "invalid-params", "the code must be -32602"),
        ("crash", "invalid-params", "exit status 7 while connect was outstanding"),
        ("takes-all", "not-claimed", "cancel, a feature that hello does not claim, was answered with {}"),
        ("one-at-a-time", "out-of-order", "in a thread or task of its own"),
        ("ignores-eof", "end-of-input", "after stdin was closed"),
        ("greets", "stdout", "odd shim ready"),
        ("twice", "stdout", "an answer with the id 2"),
        ("lingers", "shutdown", "after it answered shutdown"),
        ("exit-3", "shutdown", "exit status 3"),
    ],
)
async def test_an_odd_shim_is_told_what_is_wrong(fault: str, name: str, words: str) -> None:
    finding = (await findings_of(fault))[name]
    assert finding.verdict == "wrong"
    assert words in finding.sentence
    assert "\n" not in finding.sentence


async def test_a_program_that_does_not_exist_is_said_so_and_nothing_else() -> None:
    findings = await check(["no-such-program-anywhere"], None)
    assert findings[0].verdict == "wrong"
    assert "no-such-program-anywhere cannot be started" in findings[0].sentence
    assert {finding.verdict for finding in findings[1:]} == {"skipped"}


async def test_a_shim_that_reports_what_redis_has_not_seen_is_caught(redis_url: str) -> None:
    findings = await check([sys.executable, str(SHIM)], redis_url)
    finding = next(finding for finding in findings if finding.name == "nonsense-option")
    assert finding.verdict == "wrong"
    assert "took the option frobnicate" in finding.sentence
    assert next(finding for finding in findings if finding.name == "converse").verdict == "wrong"


@pytest.mark.parametrize(
    "claims",
    [
        {"profiles": ["ask"], "features": [], "serial": True},
        {"profiles": ["base"], "features": [], "roles": ["requester"]},
        {"profiles": ["base"], "features": [], "roles": ["responder"], "serial": True},
        {"profiles": ["base", "ask"], "features": []},
    ],
)
async def test_who_claims_one_role_or_has_no_group_converses_with_the_runner(
    claims: dict[str, Any], redis_url: str
) -> None:
    findings = {each.name: each for each in await check([*MODEL, "--claims", json.dumps(claims)], redis_url)}
    assert [each for each in findings.values() if each.verdict == "wrong"] == []
    assert findings["converse"].verdict == "ok"
    assert findings["out-of-order"].verdict == ("skipped" if claims.get("serial") else "ok")


async def test_a_claim_that_lacks_what_it_builds_on_is_told() -> None:
    findings = {
        each.name: each for each in await check([*MODEL, "--claims", '{"profiles": ["base", "resilient"]}'], None)
    }
    assert "the profile resilient without group" in findings["hello"].sentence


async def test_the_time_scale_of_a_run_holds_for_the_check_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START", 0.3)
    monkeypatch.setattr(module, "SOON", 0.3)
    command = ["sh", "-c", f"sleep 1; exec {sys.executable} {SHIM}"]
    late = first_wrong(await check(command, None))
    assert late is not None
    assert late.name == "hello"
    assert first_wrong(await check(command, None, 20.0)) is None
