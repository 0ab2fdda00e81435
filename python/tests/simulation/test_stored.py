"""Each rule of the core, switched off: a stored plan shows the defect that it is there to prevent, and passes with it."""

from __future__ import annotations

import pytest

from ..switches import RULES
from .reached import PLACES
from .stored import load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

STORED = load()


def test_every_rule_has_its_plan_and_is_counted() -> None:
    assert {rule for stored in STORED.values() for rule in stored.rules} == RULES.keys() == PLACES.keys()


@pytest.mark.parametrize("name", STORED)
def test_a_stored_plan_passes_and_fails_where_its_rules_are_switched_off(name: str) -> None:
    stored = STORED[name]
    off, on = stored.compare()
    assert stored.broken(off), f"nothing of {sorted(stored.breaks)} broke in {off.seeds} worlds without {stored.rules}"
    assert on.violations == []
