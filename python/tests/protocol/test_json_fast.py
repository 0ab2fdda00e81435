"""With orjson and without it contents are written and read alike, and what cannot be written is refused alike."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import math
import subprocess
import sys
import uuid
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from redisipc.errors import ContentError
from redisipc.protocol import content, json_fast
from redisipc.protocol.content import decode, encode

pytest.importorskip("orjson")
json_fast.seek()


class Color(enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


class Text(str): ...


class Table(dict[str, int]): ...


@dataclasses.dataclass
class Point:
    x: int = 1


ODD = [
    Color.RED, Number.ONE, Text("a"), Table(a=1), Point(), uuid.UUID(int=7), datetime.date(2026, 1, 2),
    datetime.datetime(2026, 1, 2), decimal.Decimal("1.5"), b"bytes", {1, 2}, 1j, object, float("nan"), math.inf,
    "\ud800", "half \udfff", 2**63, 2**64, -(2**63) - 1, 1e16, 1e22, 1e-5, 1e-7, 5e-324, -0.0, "null", "1e5", "0.00001",
]  # fmt: skip
NUMBERS = some.integers(-(2**70), 2**70) | some.floats()
STRINGS = some.text() | some.sampled_from(["null", "0e0", "\\ud800", "[", "9" * 25, "\ufeff", "\u2028"])
PARTS = some.none() | some.booleans() | NUMBERS | STRINGS | some.sampled_from(ODD)
KEYS = STRINGS | some.sampled_from([1, 1.5, True, None, "\udc00", Text("k"), Number.ONE])
VALUES = some.recursive(
    PARTS, lambda inner: some.lists(inner) | some.tuples(inner) | some.dictionaries(KEYS, inner), max_leaves=20
)
FLAWS = some.sampled_from([
    "", "1e999", "-1e999", "1e-999", "18446744073709551616", "-9223372036854775809", "-0", "-0.0", "01", "+1", "1.",
    '{"a":1,"a":2}', '{"b":1,"a":2,"b":3}', '"\\ud800"', '"\\ud83d\\ude00"', "NaN", "[1,]", "\ufeff1", " \n1\t",
    "[" * 100 + "]" * 100, "[" * 101 + "]" * 101, "[" * 2000, '"a\nb"', '"\\x41"', "nul", '"[[[["', "{}x",
])  # fmt: skip


def outcome(work: Any, given: Any) -> str:
    """The result, as a text that distinguishes 1 from 1.0 and from true."""
    try:
        return repr(work(given))
    except ContentError as error:
        return f"{type(error).__name__}: {error}"


def both(work: Any, given: Any) -> tuple[str, str]:
    with mock.patch.object(json_fast, "orjson", None):
        plain = outcome(work, given)
    return outcome(work, given), plain


@settings(max_examples=200, deadline=None)
@given(VALUES)
@example({"a": [Color.RED]})
@example([uuid.UUID(int=1)])
@example({"deep": [[[[None]]]]})
def test_written_alike_or_refused_alike(value: Any) -> None:
    fast, plain = both(encode, value)
    assert fast == plain


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("around", [lambda v: v, lambda v: [v], lambda v: {"k": {"k": v}}], ids=["", "list", "dict"])
def test_odd_values_are_written_alike_or_refused_alike(value: Any, around: Any) -> None:
    fast, plain = both(encode, around(value))
    assert fast == plain


@settings(max_examples=200, deadline=None)
@given(
    some.binary(max_size=40) | STRINGS.map(lambda text: text.encode("utf-8", "surrogatepass")) | FLAWS.map(str.encode)
)
def test_any_text_is_read_alike(raw: bytes) -> None:
    fast, plain = both(decode, raw)
    assert fast == plain


@settings(max_examples=200, deadline=None)
@given(VALUES, some.booleans(), FLAWS, some.integers(0, 1000))
def test_json_with_a_flaw_is_read_alike(value: Any, escapes: bool, flaw: str, at: int) -> None:
    try:
        text = json.dumps(value, ensure_ascii=escapes)
    except (TypeError, ValueError):
        text = "[]"
    at %= len(text) + 1
    fast, plain = both(decode, (text[:at] + flaw + text[at:]).encode("utf-8", "surrogatepass"))
    assert fast == plain


def test_it_is_used_where_it_is_there_and_json_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Any] = []
    true = json_fast.orjson

    class Counting:
        @staticmethod
        def dumps(value: Any) -> bytes:
            used.append(value)
            return bytes(true.dumps(value))

    monkeypatch.setattr(json_fast, "orjson", Counting)
    assert encode({"a": 1}) == b'{"a":1}'
    assert used == [{"a": 1}]
    monkeypatch.setattr(json_fast, "orjson", None)
    assert encode({"a": 1}) == b'{"a":1}'
    assert len(used) == 1


def in_itself(by: str) -> Any:
    rows: list[Any] = [{"id": number} for number in range(300)]
    rows[-1]["rows"] = {"list": rows, "tuple": (rows,), "tuples": ((), ((rows, 1), 2)), "object": {"a": (1, rows)}}[by]
    return rows


def in_tuples(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = (value,)
    return value


# A process of its own: orjson would end it without a word.
REFUSED = """
import sys
from redisipc.protocol.content import encode
from redisipc.errors import ContentError
from tests.protocol.test_json_fast import in_itself, in_tuples
for value in [*map(in_itself, ("list", "tuple", "tuples", "object")), *map(in_tuples, (101, 300, 1900, 3000, 100_000))]:
    for around in (value, [value], {"a": "x", "b": (value, "(")}):
        try:
            encode(around)
        except ContentError as error:
            assert "nested deeper" in str(error), error
        else:
            sys.exit("it was written")
assert encode(in_tuples(100)) == b"[" * 100 + b"1" + b"]" * 100
"""


def test_what_contains_itself_through_a_tuple_is_refused_and_ends_no_process() -> None:
    done = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("text", ["(", ")", "a (b) c", "\u2029", "\u00a9 \u00a8"])
def test_brackets_of_strings_are_no_tuples(text: str) -> None:
    fast, plain = both(encode, [{"a": text, text: [text, 41, 40, 0x2928, (1, "b")]}] * 50)
    assert fast == plain


@pytest.mark.parametrize("value", ["QUJ0e0.0000null" * 9000, {"a": 1, "file": "QUJ0e0.0000null" * 9000}])
def test_letters_of_a_long_string_are_taken_for_no_number(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def dumps(_: Any) -> Any:
        raise AssertionError("json wrote it again")

    expected = json.dumps([value], separators=(",", ":")).encode()
    monkeypatch.setattr(content, "_dumps", dumps)
    assert encode([value]) == expected


@pytest.mark.parametrize("odd", [*ODD, {1: 2}, {Text("k"): 1}])
def test_an_odd_part_beside_a_long_string_is_written_alike_or_refused_alike(odd: Any) -> None:
    for value in ({"file": "QUJ0e" * 20_000, "odd": odd}, ["x" * 200_000, [odd]]):
        fast, plain = both(encode, value)
        assert fast == plain
