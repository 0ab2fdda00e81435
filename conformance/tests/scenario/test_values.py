"""Values, names in them, and matchers."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from redisipc_conformance.scenario.matchers import Matcher, differs, show
from redisipc_conformance.scenario.values import BadValue, Maker

NAMES: dict[str, Any] = {
    "n": 7,
    "text": "x",
    "list": [1, {"a": 2}],
    "none": None,
    "i": 1,
    "d.1": "second",
    "raw": b"ab",
}


def look_up(name: str) -> Any:
    if name not in NAMES:
        raise BadValue(f"nothing is called {name!r}")
    return NAMES[name]


def maker(seed: int = 1) -> Maker:
    return Maker(look_up, random.Random(seed))


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("plain", "plain"),
        ("${n}", 7),
        ("${none}", None),
        ("${list}", [1, {"a": 2}]),
        ("a${n}b${text}", "a7bx"),
        ("a${none}", "anull"),
        ("${d.${i}}", "second"),
        ("<${raw}>", "<ab>"),
        ({"${text}": "${n}"}, {"x": 7}),
        ({"$hex": "ff 00"}, b"\xff\x00"),
        ({"$base64": "/wA="}, b"\xff\x00"),
        ({"$repeat": "ab", "times": 3}, "ababab"),
        ({"$repeat": [1], "times": 2}, [1, 1]),
        ({"$nest": 3, "in": "list"}, [[[]]]),
        ({"$nest": 2, "in": "object"}, {"a": {}}),
        ({"$parse": "1267650600228229401496703205376"}, 1267650600228229401496703205376),
        ({"$parse": "1e400"}, float("inf")),
        ({"$text": {"a": [1, None]}}, '{"a":[1,null]}'),
        ({"a": [{"$repeat": "x", "times": "${i}"}]}, {"a": ["x"]}),
    ],
)
def test_a_value_is_made(written: Any, made: Any) -> None:
    value = maker().value(written)
    assert value == made
    assert type(value) is type(made)


@pytest.mark.parametrize("kind", ["hex", "text", "bytes", "json"])
def test_random_values_are_decided_by_the_seed(kind: str) -> None:
    form = {"$random": kind, "length": 21}
    assert maker(5).value(form) == maker(5).value(form)
    if kind != "json":
        assert len(maker(5).value(form)) == 21
        assert maker(5).value(form) != maker(6).value(form)


def test_a_phase_is_drawn_by_the_seed_and_lies_between_its_ends() -> None:
    form = {"$between": [0.2, 3]}
    drawn = {maker(seed).value(form) for seed in range(50)}
    assert maker(5).value(form) == maker(5).value(form)
    assert len(drawn) > 40
    assert all(0.2 <= phase <= 3 for phase in drawn)


def test_now_is_the_clock_of_the_runner() -> None:
    assert abs(maker().value({"$now": 10}) - time.time() - 10) < 1


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("${nothing}", "nothing is called 'nothing'"),
        ({"$what": 1}, r"\$what is not a form"),
        ({"$hex": "zz"}, r"\$hex"),
        ({"$repeat": "x", "time": 3}, "'time' does not belong"),
        ({"$any": True, "length": 1}, "'length' does not belong"),
        ({"a": {"$any": True}}, "a matcher stands where a value is needed"),
        ({"$parse": "{"}, r"\$parse"),
        ({"$random": "colour"}, "hex, text, bytes or json"),
        ({"$between": 3}, r"\$between"),
    ],
)
def test_what_makes_no_value_is_refused(written: Any, told: str) -> None:
    with pytest.raises(BadValue, match=told):
        maker().value(written)


HOLDS: list[tuple[Any, Any, bool]] = [
    (1, 1.0, True),
    (1, True, False),
    (0, False, False),
    (None, False, False),
    ("1", 1, False),
    ({"a": 1}, {"a": 1, "b": 2}, False),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ([1, 2], [2, 1], False),
    (b"ab", "ab", True),
    ({"$any": True}, None, True),
    ({"$type": "number"}, True, False),
    ({"$type": "number"}, 1.5, True),
    ({"$type": "object"}, [], False),
    ({"$match": "^[0-9a-f]{3}$"}, "0af", True),
    ({"$match": "^[0-9a-f]{3}$"}, "0aF", False),
    ({"$prefix": "ab"}, "abc", True),
    ({"$contains": "bc"}, "abcd", True),
    ({"$contains": "bc"}, 5, False),
    ({"$length": 3}, "abc", True),
    ({"$length": {"$at_least": 2}}, [1], False),
    ({"$at_least": 1, "$at_most": 2}, 1.5, True),
    ({"$at_least": 1, "$at_most": 2}, 3, False),
    ({"$at_least": 1}, True, False),
    ({"$one_of": ["a", {"$type": "null"}]}, None, True),
    ({"$one_of": ["a", {"$type": "null"}]}, "b", False),
    ({"$not": "a"}, "b", True),
    ({"$not": {"$type": "null"}}, None, False),
    ({"$all": [{"$prefix": "a"}, {"$length": 2}]}, "ab", True),
    ({"$all": [{"$prefix": "a"}, {"$length": 2}]}, "abc", False),
    ({"$has": {"a": {"$any": True}}}, {"a": 1, "b": 2}, True),
    ({"$has": {"a": 2}}, {"a": 1, "b": 2}, False),
    ({"$includes": {"$at_least": 3}}, [1, 3], True),
    ({"$excludes": 3}, [1, 3], False),
    ({"$as_json": {"a": 1}}, '{ "a" : 1.0 }', True),
    ({"$as_json": {"a": 1}}, "{", False),
    # A language with one type for numbers may write a double with digits only.
    ({"$as_json": 1.5e300}, "15" + 299 * "0", True),
    (1.5e300, 15 * 10**299 + 10**290, False),
    (1.5e300, 10**400, False),
    (9007199254740993, 9007199254740992.0, False),
    ({"$bytes": {"$hex": "ff"}}, b"\xff", True),
    ({"$bytes": "ab"}, "ab", True),
    ({"x": [{"$any": True}, 2]}, {"x": ["what", 2]}, True),
]


@pytest.mark.parametrize(("expected", "seen", "holds"), HOLDS, ids=[f"{e}-{s}"[:60] for e, s, _ in HOLDS])
def test_expected_values(expected: Any, seen: Any, holds: bool) -> None:
    assert (differs(maker().expected(expected), seen) is None) is holds


def test_the_first_difference_is_told_with_its_place() -> None:
    assert differs({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}) == "a[1].b: expected 2, saw 3"
    assert differs({"a": 1}, {"b": 1}) == "expected the key 'a', saw only 'b'"
    assert differs({"a": 1}, {"a": 1, "c": 1}) == 'expected no key \'c\', saw {"a": 1, "c": 1}'


def test_a_matcher_that_comes_by_a_row_is_noticed_where_a_value_is_needed() -> None:
    table = Maker(lambda name: Matcher({"$any": True}), random.Random(1))
    assert isinstance(table.expected("${row.value}"), Matcher)
    with pytest.raises(BadValue, match="matcher"):
        table.value({"a": "${row.value}"})


def test_large_values_are_shown_shortened() -> None:
    assert len(show("x" * 100000)) < 1000
    assert len(show([1] * 100000)) < 1000
    assert len(show({"a": b"x" * 100000})) < 2000


@pytest.mark.parametrize("written", ["^[0-9a-f]{3}$", "^(abx|[0-9a-f]{3}$)", "c$|z$"])
def test_the_end_of_a_pattern_is_the_end_of_the_text_and_not_the_place_before_a_line_feed(written: str) -> None:
    wanted = maker().expected({"$match": written})
    assert differs(wanted, "abc") is None
    assert differs(wanted, "abc\n") is not None
    assert differs(maker().expected({"$match": r"^a\$"}), "a$") is None


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("(", "not a regular expression"),
        ("^(a+)+$", "take for ever"),
        ("^((x*)y?)*$", "take for ever"),
        ("a{2,1}", "not a"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_named(written: str, problem: str) -> None:
    with pytest.raises(BadValue, match=problem):
        maker().expected({"$match": written})
