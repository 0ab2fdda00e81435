"""Each of the core's thirteen rules, switched off: the simulation sees the defect that it is there to prevent."""

from __future__ import annotations

import pytest

from ..switches import RULES as SWITCHES
from .rules import RULES, compare, shown

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def test_every_rule_that_can_be_switched_off_has_its_worlds() -> None:
    assert set(RULES) <= set(SWITCHES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_switched_off_shows_its_defect_and_the_same_worlds_with_it_do_not(name: str) -> None:
    off, on = compare(name)
    assert shown(name, off), f"nothing of {sorted(RULES[name].breaks)} broke in {off.seeds} worlds without {name}"
    assert on.violations == []
