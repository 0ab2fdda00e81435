"""The suite's own reading of content, against the vectors that ports are given."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from redisipc_conformance import jsontext
from redisipc_conformance.files import suite_folder
from redisipc_conformance.scenario.content import decode, encode
from redisipc_conformance.scenario.matchers import differs
from redisipc_conformance.scenario.values import Maker

CASES = json.loads((suite_folder() / "vectors" / "content.json").read_text("utf-8"))["cases"]


def made(value: Any) -> Any:
    return Maker(lambda name: name, random.Random(1)).value(value)


def cases(use: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in CASES if use in case["use"]]


def raw(value: Any) -> bytes:
    text = made(value)
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.parametrize("case", cases("write"))
def test_a_value_is_written_as_the_vectors_say(case: dict[str, Any]) -> None:
    assert encode(made(case["value"])) == raw(case["text"])


@pytest.mark.parametrize("case", cases("read"))
def test_a_text_is_read_as_the_vectors_say(case: dict[str, Any]) -> None:
    assert differs(made(case["value"]), decode(raw(case["text"]))) is None


def test_infinity_and_deep_nesting_can_be_written() -> None:
    assert jsontext.dumps([float("inf"), -float("inf")]) == "[1e999,-1e999]"
    deep = made({"$nest": 100_000, "in": "list"})
    assert jsontext.dumps(deep) == "[" * 100_000 + "]" * 100_000
    while deep:
        deep = deep.pop()


def test_lone_surrogates_are_escaped_and_nothing_else_is() -> None:
    assert jsontext.dumps(["\ud800", "é\u2028"]) == '["\\ud800","é\u2028"]'


@pytest.mark.parametrize("text", ["NaN", "Infinity", "01", "[1,]", "'a'", ""])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Extra|not a JSON value|Illegal"):
        jsontext.loads(text)
