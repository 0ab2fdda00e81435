"""Which scenarios a testee is asked, and what the others say of why not."""

from __future__ import annotations

import pytest

from redisipc_conformance.results import ServerInfo
from redisipc_conformance.scenario.corpus import corpus
from redisipc_conformance.scenario.demands import at_once, roles_of
from redisipc_conformance.testee.claims import Claims
from redisipc_conformance.verdict.applies import why_not

SERVER = ServerInfo("Redis", "7.0.15", "local", "Redis 7.0.15")
BOTH = frozenset({"requester", "responder"})
SCENARIOS = {scenario.id: scenario for scenario in corpus()}


@pytest.mark.parametrize(
    ("id", "claims", "words"),
    [
        ("entry/six-fields", Claims(frozenset({"base"})), ""),
        ("entry/six-fields", Claims(frozenset({"ask"}), roles=frozenset({"caller"})), "profile base"),
        ("entry/six-fields", Claims(frozenset({"base"}), roles=frozenset({"responder"})), "role requester"),
        ("requester/cancel", Claims(frozenset({"base"})), "feature cancel"),
        ("requester/side-by-side", Claims(frozenset({"base"}), serial=True), "serial, and this needs"),
    ],
)
def test_what_is_not_claimed_is_not_asked_and_the_reason_says_which_claim(id: str, claims: Claims, words: str) -> None:
    reason = why_not(SCENARIOS[id], claims, SERVER)
    assert (words in reason) if words else (reason == "")


def test_one_role_and_the_other_together_are_asked_all_that_one_role_can_show() -> None:
    alone = {
        role: {
            id
            for id, each in SCENARIOS.items()
            if not why_not(each, Claims(frozenset({"base"}), roles=frozenset({role})), SERVER)
        }
        for role in BOTH
    }
    base = {id for id, each in SCENARIOS.items() if not why_not(each, Claims(frozenset({"base"})), SERVER)}
    assert base - alone["requester"] - alone["responder"] == {id for id in base if roles_of(SCENARIOS[id]) == BOTH}


def test_a_serial_testee_is_asked_what_needs_one_thing_at_a_time() -> None:
    asked = {
        id for id, each in SCENARIOS.items() if not why_not(each, Claims(frozenset({"base"}), serial=True), SERVER)
    }
    assert asked
    assert all(at_once(SCENARIOS[id]) == "" for id in asked)
