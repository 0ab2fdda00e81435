"""The quick reading of content, and another one that goes character by character, are equal for whatever comes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from redisipc.errors import ContentError
from redisipc.protocol import json_fast, json_text
from redisipc.protocol.content import decode, encode

from .content_oracle import read, sendable

TEXTS = 20_000
PIECES = [
    *('"', "[", "]", "{", "}", ",", ":", " ", "\\", "\\\\", '\\"', "\\n", "\\u00e9", "\\u0022", "\\u005c", "\\u005b"),
    *("\\ud83d", "\\ude00", "\\uD83D\\uDE00", "\\udc00", "\\ud800", "\\uDbFf", "a", "é", "\U0001f600", "\n", "\\x41"),
    *("0", "-1", "1.5", "1e3", "01", "true", "null", "nul", "NaN", '"k":', '"k":1', '"]"', '"[{"', "\xff"),
]
STRINGS = ["", "k", "[{", "]", "a\\", 'q"', "é", "\U0001f600", "line\n", "9" * 20]
PAD = "x" * 9000
EMOJI = "\U0001f600"
SOME = [{"id": number} for number in range(1200)]
CODE = [{"line": number, "code": "if (a[i]) { return {b: c[j]}; }"} for number in range(200)]
JSON_INSIDE = [{"id": number, "json": '{"a": ["b:", {"c":1}]}'} for number in range(200)]
TEXTS_IN_ROWS = [{"text": "y" * 500} for _ in range(40)]


@pytest.fixture(autouse=True, params=["json", "orjson"])
def by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads and writes."""
    json_fast.seek()
    if request.param == "json":
        monkeypatch.setattr(json_fast, "orjson", None)
    elif json_fast.orjson is None:
        pytest.skip("orjson is not installed")


def json_of(chance: random.Random, depth: int = 0) -> str:
    """A JSON text, or nearly one: with keys that stand twice, escapes of all kinds, and halves of pairs."""
    kind = chance.random()
    if depth > 4 or kind < 0.45:
        odd = "".join(chance.choices(PIECES[8:25], k=chance.randrange(5)))
        return chance.choice([json.dumps(chance.choice(STRINGS)), f'"{odd}"', "12", "-0.5", "true", "null"])
    parts = [json_of(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind < 0.7:
        return f"[{','.join(parts)}]"
    return "{" + ", ".join(f'"{chance.choice("aab")}": {part}' for part in parts) + "}"


def texts(chance: random.Random, count: int) -> Iterator[bytes]:
    """JSON, JSON with a flaw, and pieces in any order; some are nested around the limit."""
    for _ in range(count):
        text = json_of(chance)
        if chance.random() < 0.4:
            at = chance.randrange(len(text) + 1)
            text = text[:at] + chance.choice(PIECES) + text[at + chance.randrange(2) :]
        if chance.random() < 0.2:
            text = "".join(chance.choices(PIECES, k=chance.randrange(12)))
        if chance.random() < 0.1:
            levels = chance.randrange(94, 104)
            text = "[" * levels + text + "]" * levels
        yield text.encode(
            "latin-1" if chance.random() < 0.02 and text.isascii() is False and max(text) < "Ā" else "utf-8"
        )


def assert_read_equally(raw: bytes) -> None:
    seen, expected = decode(raw), read(raw)
    # repr tells 1 from 1.0 and from true.
    assert repr(seen) == repr(expected), raw[-300:]


def test_whatever_comes_is_read_as_by_the_slow_reader() -> None:
    for raw in texts(random.Random(18), TEXTS):
        assert_read_equally(raw)


AROUND = {
    "few objects": f'{{"pad":"{PAD}","v":%s}}',
    "many objects": f"[{json.dumps(SOME)},%s]",
    "texts in rows": f"[{json.dumps(TEXTS_IN_ROWS)},%s]",
    "texts in rows, with a colon": f'[{json.dumps(TEXTS_IN_ROWS)},":",%s]',
    "rows with code": f"[{json.dumps(CODE)},%s]",
    "rows with JSON inside": f"[{json.dumps(JSON_INSIDE)},%s]",
    "a key that ends like a string": f'[{json.dumps(CODE)},{{"k\\\\":["\\":"]}},%s]',
    "brackets in a string": f'{{"pad":"{"{}" * 4500}","v":%s}}',
    "an escape in each 100 letters": f"[{json.dumps(('x' * 98 + chr(10)) * 90)},%s]",
    "an escape in each 300 letters": f"[{json.dumps(('x' * 298 + chr(10)) * 30)},%s]",
    "an escape in each 900 letters": f"[{json.dumps(('x' * 898 + chr(92)) * 10)},%s]",
    "an emoji in each 50 letters": f"[{json.dumps(('x' * 38 + EMOJI) * 180)},%s]",
    "an emoji in each 900 letters": f"[{json.dumps(('x' * 888 + EMOJI) * 10)},%s]",
    "escaped letters": f"[{json.dumps('é' * 1500)},%s]",
    "white space": " " * 200 + "\n\t\r" * 20 + "%s" + "\n" * 100,
}


@pytest.mark.parametrize("around", AROUND)
def test_a_large_text_is_read_as_by_the_slow_reader(around: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "_PART", 16)
    # White space that only Python knows ends what JSON knows.
    ends = (b"", b"\v", b"\f", "\xa0".encode()) if around == "white space" else (b"",)
    for raw in texts(random.Random(19), 60):
        for end in ends:
            assert_read_equally(AROUND[around].encode().replace(b"%s", end + raw))


@pytest.mark.parametrize(
    "blanks", [" " * 100, "\n\t" * 50, " " * 100 + "\v", "\x1f" + " " * 100, " " * 100 + "\xa0 ", "\u3000" * 99]
)
@pytest.mark.parametrize("rest", ["", "[", "[1]", '"', "-", "x", "7", "\xa0[", "\u2003", "\x1c{"])
def test_a_string_behind_much_white_space_arrives(blanks: str, rest: str) -> None:
    text = blanks + rest
    could_be = text.lstrip(" \t\n\r")[:1] in tuple('{["-0123456789tfn/')
    written = encode(text)
    assert written == (json.dumps(text, ensure_ascii=False).encode() if could_be else text.encode())
    assert decode(written) == read(written) == text


@pytest.mark.parametrize(
    "text",
    [
        '{"a":"\\ud800","a":1}',
        '{"a" :"\\ud800","a":1}',
        '"\\\\ud83d\\ude00"',
        '["\\\\ud83d\\ude00",{"a":"\\ud83dx\\ude00"}]',
        '[{"k":["\\udc00"],"k":[]}]',
        '{"a":{"\\ud800":1},"a":2}',
        *('{"a"' + colon + "[" * 100 + "]" * 100 + ',"a":1}' for colon in (":", " :", "\n:", "\t \r:")),
        '{"k\\\\":' + "[" * 100 + "]" * 100 + ',"k\\\\":1,"b":"\\":"}',
    ],
)
@pytest.mark.parametrize("around", ["%s", *AROUND.values()], ids=["", *AROUND])
def test_what_an_equal_key_hides_still_breaks_a_rule(text: str, around: str) -> None:
    whole = around.replace("%s", text)
    assert decode(whole.encode()) == whole


@pytest.mark.parametrize(
    "text", ['"\\\\ud800"', '["\\\\\\\\ud800"]', '"\\ud83d\\ude00\\ud83d\\ude00"', '{"\\ud83d\\ude00":1}']
)
@pytest.mark.parametrize("around", ["%s", *AROUND.values()], ids=["", *AROUND])
def test_a_whole_pair_and_an_escaped_backslash_break_no_rule(text: str, around: str) -> None:
    whole = around.replace("%s", text)
    assert decode(whole.encode()) == json.loads(whole)


def values(chance: random.Random, depth: int = 0) -> Any:
    """Values, a few of which JSON cannot say."""
    kind = chance.random()
    if depth > 4 or kind < 0.5:
        odd = ["\ud800", float("nan")] if chance.random() < 0.05 else []
        return chance.choice([None, True, 0, -7, 2**70, 0.5, *STRINGS, *odd])
    parts = [values(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind < 0.75:
        return tuple(parts) if chance.random() < 0.2 else parts
    keys = ["1", "-2.5", "true", "null", "line9", *STRINGS]
    odd_keys = [1, -2, -2.5, 1e-7, 1e22, True, None, "\udfff"] if chance.random() < 0.1 else []
    return {chance.choice([*keys, *odd_keys]): part for part in parts}


@pytest.mark.parametrize("around", ["alone", "few objects", "many objects", "texts in rows", "brackets", "code"])
def test_what_json_can_say_is_written_and_nothing_else(around: str) -> None:
    chance = random.Random(20)
    for _ in range(2500 if around == "alone" else 60):
        value = values(chance)
        if chance.random() < 0.1:
            for _ in range(chance.randrange(94, 104)):
                value = [value]
        if around != "alone":
            value = {
                "few objects": {"pad": PAD, "v": value},
                "many objects": [SOME, value],
                "texts in rows": [TEXTS_IN_ROWS, value],
                "brackets": ["{}" * 4500, value, "[" * 300],
                "code": [CODE, value],
            }[around]
        if not sendable(value):
            with pytest.raises(ContentError):
                encode(value)
            continue
        text = encode(value)
        assert decode(text) == read(text)
        assert text == (json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) or isinstance(value, str)
