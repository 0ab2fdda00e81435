"""Each hole of the review has its statements, and a stored plan or another test that shows what they are for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..support_shared import SHARED
from ..switches import RULES
from .holes import HOLES, plans

TESTS = Path(__file__).parents[1]


def test_every_hole_is_here() -> None:
    assert list(HOLES) == [f"H{number}" for number in range(1, 23)]


@pytest.mark.parametrize("number", HOLES)
def test_a_hole_has_statements_and_something_that_shows_what_they_are_for(number: str) -> None:
    hole = HOLES[number]
    text = (SHARED / "schemas" / "requirements.json").read_text(encoding="utf-8")
    known = {requirement["id"] for requirement in json.loads(text)["requirements"]}
    assert {f"RIPC-{id}" for id in hole.statements} <= known
    assert set(hole.rules) <= RULES.keys()
    if hole.rules:
        assert plans(hole)
    else:
        assert (TESTS / hole.elsewhere).is_file()
