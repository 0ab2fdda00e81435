"""An act that is a scenario's question is decided by a check: a port that refuses it fails, and is not *inconclusive*.

A refused act ends its row. If no check names the act, every check of the row says only that it was not reached.
An act that may be refused (``refused: perhaps``) ends no row.
"""

from __future__ import annotations

from collections.abc import Iterator

from redisipc_conformance.scenario.corpus import corpus

WITH_A_ROW = frozenset({"fulfill", "reject", "raise"})
"""Acts that are the question itself where a row gives their content."""
ALWAYS = frozenset({"cancel", "block", "fork"})
"""Acts that only a testee which claims a feature is asked for."""


def undecided() -> Iterator[str]:
    for scenario in corpus():
        for step in scenario.walk():
            asked = step.word in ALWAYS or (step.word in WITH_A_ROW and "${row." in str(step.arguments))
            ends_its_row = step.arguments.get("refused") != "perhaps" if isinstance(step.arguments, dict) else True
            if asked and ends_its_row and not step.checks:
                yield f"{scenario.id}, line {step.line}: {step.word}"


def test_an_act_that_is_the_question_has_a_check() -> None:
    assert list(undecided()) == []
