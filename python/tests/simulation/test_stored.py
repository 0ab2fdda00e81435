"""Each rule of the core, switched off: a stored plan shows the defect that it is there to prevent, and passes with it."""

from __future__ import annotations

import pytest

from ..switches import RULES
from .reached import PLACES
from .stored import load, load_caused

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

STORED = load()
ELSEWHERE = {"claim-own-first", "late-claim-yields"}
"""Shown by the exhaustive runs alone: hold-after-connect and the keep-alive hide the first one here.

The second one needs a claim of a sibling between a look and a claim, which 480 worlds of one choreography did not show."""


def test_every_rule_has_its_plan_and_is_counted() -> None:
    assert {rule for stored in STORED.values() for rule in stored.rules} | ELSEWHERE == RULES.keys() == PLACES.keys()


@pytest.mark.parametrize("name", STORED)
def test_a_stored_plan_passes_and_fails_where_its_rules_are_switched_off(name: str) -> None:
    stored = STORED[name]
    off, on = stored.compare()
    assert stored.broken(off), f"nothing of {sorted(stored.breaks)} broke in {off.seeds} worlds without {stored.rules}"
    assert on.violations == []


@pytest.mark.parametrize("cause", load_caused())
def test_a_rare_cause_of_a_second_start_is_shown_and_nothing_is_violated(cause: str) -> None:
    result = load_caused()[cause].play_until(cause)
    assert result.second_runs[cause]
    assert result.violations == []
