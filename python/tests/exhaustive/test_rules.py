"""Each rule taken out gives its counterexample, and each rule has its place here or a reason."""

from __future__ import annotations

import pytest

from ..switches import RULES as SWITCHES
from .configurations import CONFIGURATIONS
from .properties import PROPERTIES
from .rules import ELSEWHERE, RULES, without

LONG = frozenset(
    (
        "group-at-last-read", "late-claim-yields", "never-set-the-group", "claim-before-start", "look-before-start",
        "body-decides", "delete-before-look", "write-once", "claim-own-first", "hold-at-first-connect", "hold-after-refusal",
    )
)  # fmt: skip
"""Left to ``make model``: each takes half a second or more."""


def test_every_rule_has_a_configuration_or_a_reason() -> None:
    assert RULES.keys() | ELSEWHERE.keys() == SWITCHES.keys()
    assert not RULES.keys() & ELSEWHERE.keys()


def test_what_breaks_is_looked_for() -> None:
    for shown in RULES.values():
        assert shown.breaks in PROPERTIES
        assert shown.breaks in CONFIGURATIONS[shown.configuration].properties


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "rule", [pytest.param(rule, marks=pytest.mark.model if rule in LONG else ()) for rule in RULES]
)
def test_a_rule_taken_out_gives_its_counterexample_step_by_step(rule: str) -> None:
    shown, result = RULES[rule], without(rule)
    found = next((found for found in result.found if found.name == shown.breaks), None)
    assert found is not None, (
        f"{shown.breaks} holds in all {result.states} states of {shown.configuration} without {rule}"
    )
    assert any(f"!        {shown.breaks}: " in line for line in found.story)
    times = [float(line.split(maxsplit=1)[0]) for line in found.story]
    assert times == sorted(times)
