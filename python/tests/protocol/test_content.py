"""Content survives the way to any reader: values as JSON, plain text plain, what could be taken for JSON encoded."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from redisipc.errors import ContentError
from redisipc.protocol import content, json_fast, json_large, json_value
from redisipc.protocol.content import MAX_DEPTH, decode, encode

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_every_json_value_arrives_as_it_was_sent(value: Any) -> None:
    assert decode(encode(value)) == value


@given(st.text())
def test_a_string_arrives_as_a_string_whatever_it_looks_like(text: str) -> None:
    assert decode(encode(text)) == text
    assert type(decode(encode(text))) is str


@given(st.text())
@example("\x000")
def test_no_reader_that_tries_json_first_takes_a_string_for_anything_else(text: str) -> None:
    def refuse(word: str) -> None:
        # NaN and Infinity are words of Python's reader, and none of JSON (RIPC-CONTENT-5).
        raise ValueError(word)

    try:
        # Contents are UTF-8. From bytes, Python's reader would guess: it takes "\\x000" for UTF-16.
        seen = json.loads(encode(text).decode(), parse_constant=refuse)
    except ValueError:
        return
    assert seen == text


@given(st.binary())
def test_any_bytes_can_be_read(raw: bytes) -> None:
    decode(raw)


@pytest.mark.parametrize(
    "text", ["Hello!", "No! <Tantrum>", "", "   ", "x", "ä", "+1", ".5", "NaN", "Infinity", "\ufeff1"]
)
def test_plain_text_stays_plain(text: str) -> None:
    assert encode(text) == text.encode()


@pytest.mark.parametrize(
    "text", ["123", " 1 ", "null", "true", "{}", "[", '"x"', "-", "/* c */ 1", "\n\t[1]", "nothing"]
)
def test_text_that_could_be_json_is_encoded(text: str) -> None:
    assert encode(text) == json.dumps(text).encode()


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"NaN", "NaN"),
        (b"[NaN]", "[NaN]"),
        (b"-Infinity", "-Infinity"),
        (b"01", "01"),
        (b"[1,]", "[1,]"),
        (b'"\\ud800"', '"\\ud800"'),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b"/* c */ 1", "/* c */ 1"),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'"a\nb"', '"a\nb"'),
        (b" 1 ", 1),
        (b"1e400", math.inf),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b'"\xff"', '"\ufffd"'),
        (b"{" * 5, "{" * 5),
    ],
)
def test_what_is_json_is_decided_as_every_port_does(raw: bytes, value: Any) -> None:
    assert decode(raw) == value


def test_a_hundred_levels_are_read_and_one_more_is_text() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert decode(deep.encode()) != deep
    deeper = f"[{deep}]"
    assert decode(deeper.encode()) == deeper
    assert decode(('["' + "[" * 200 + '"]').encode()) == ["[" * 200]


def test_many_brackets_side_by_side_are_not_deep() -> None:
    wide: list[Any] = [[] for _ in range(500)]
    assert decode(encode(wide)) == wide


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": [1, {"b": math.nan}]}, "$.a[1].b"),
        ([math.inf], "$[0]"),
        ({"a": b"x"}, "$.a"),
        ({1: 2}, "$"),
        ({"a": {"b": {2: 3}}}, "$.a.b"),
        ("\ud800", "$"),
        (["\udfff"], "$[0]"),
        ({"x": object()}, "$.x"),
    ],
)
def test_what_is_no_json_is_refused_with_its_path(value: Any, path: str) -> None:
    with pytest.raises(ContentError) as caught:
        encode(value)
    assert caught.value.path == path


def test_deeper_than_a_hundred_levels_is_refused() -> None:
    encode(nested(MAX_DEPTH))
    with pytest.raises(ContentError, match="deeper"):
        encode(nested(MAX_DEPTH + 1))
    with pytest.raises(ContentError, match="deeper"):
        encode(nested(100_000))


def test_an_integer_that_python_will_not_write_is_refused_with_the_reason() -> None:
    with pytest.raises(ContentError, match=r"^the number has over 4300 digits, .*; send a string \(at \$\.a\[1\]\)$"):
        encode({"a": [1, 10**5000]})


ROWS = json.dumps([{"id": number, "name": "n"} for number in range(2000)])


@pytest.mark.parametrize(
    "value",
    [
        {"text": ROWS},
        ["{[" * 20] * 2000,
        [ROWS[:60]] * 2000,
        {"rows": "[" * 50_000},
        ["{}" * 50_000],
        {"code": "f() { return {} }\t" * 10_000},
        [{"text": "y" * 500} for _ in range(300)],
        [{"text": "{ " * 250} for _ in range(300)],
    ],
    ids=lambda _: "",
)
def test_brackets_inside_strings_cost_no_passes_over_the_text(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON within JSON is usual: the value shows sooner than the text that it is not deep."""

    def passes(*_: Any) -> bool:
        raise AssertionError("the whole text was looked at")

    monkeypatch.setattr(json_fast, "orjson", None)
    monkeypatch.setattr(content, "is_deep", passes)
    monkeypatch.setattr(json_large, "breaks_rule", passes)
    assert decode(encode(value)) == value


def test_brackets_of_one_string_are_no_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "is_deep", lambda *_: 1 / 0)
    assert decode(json.dumps("[" * 20_000).encode()) == "[" * 20_000


FEW_ROWS = [{"id": number, "name": "n"} for number in range(150)]
FILE = "QUJD" * 20_000


@pytest.mark.parametrize(
    "value",
    [
        {"rows": FEW_ROWS, "file": FILE},
        {"file": FILE, "rows": FEW_ROWS},
        {"rows": FEW_ROWS, "file": f"data:image/png;base64,{FILE}"},
        {"rows": FEW_ROWS, "code": "if (a[i]) { return {b: c[j]}; }\n" * 3000},
        [part for row in FEW_ROWS for part in (row, FILE[:2000])],
        ["[worker] {a: 1} " * 100] * 200,
    ],
    ids=["rows, a file", "a file, rows", "rows, a URL", "rows, code", "rows and texts by turns", "long texts"],
)
def test_a_small_value_with_long_strings_is_looked_at_and_not_its_text(
    value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def passes(*_: Any) -> int:
        raise AssertionError("the whole text was looked at")

    monkeypatch.setattr(json_fast, "orjson", None)
    monkeypatch.setattr(json_value, "openings", passes)
    monkeypatch.setattr(json_value, "is_deep", passes)
    monkeypatch.setattr(content, "is_deep", passes)
    monkeypatch.setattr(json_large, "breaks_rule", passes)
    assert decode(encode(value)) == value


@pytest.mark.parametrize("where", ["in itself", "in a row", "in each row", "in a part", "in a tuple"])
@pytest.mark.parametrize("by", ["json", "orjson"])
def test_rows_that_contain_themselves_are_refused(where: str, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if by == "json":
        monkeypatch.setattr(json_fast, "orjson", None)
    rows: list[Any] = [{"id": number} for number in range(1000)]
    inside: Any = (rows,) if where == "in a tuple" else {"a": [rows]} if where == "in a part" else rows
    if where == "in itself":
        rows.append(rows)
    else:
        for row in rows if where == "in each row" else rows[-1:]:
            row["rows"] = inside
    for value in (rows, {"rows": rows}, {"of": {"rows": rows}}):
        with pytest.raises(ContentError, match="contains itself"):
            encode(value)


@pytest.mark.parametrize("odd", [{1: 2}, {"a": math.nan}, {"a": b""}, {"a": {2: 1}}, {"a": nested(99)}, {"\ud800": 1}])
def test_an_odd_row_among_many_is_refused(odd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_fast, "orjson", None)
    for rows in ([{"id": number} for number in range(1000)], [["x" * 100] for _ in range(300)]):
        for value in ([*rows, odd], {"rows": [odd, *rows]}, [rows, {"rows": [*rows, odd]}]):
            with pytest.raises(ContentError):
                encode(value)
