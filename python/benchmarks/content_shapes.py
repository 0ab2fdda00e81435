"""The shapes of content that ``benchmarks.content`` measures: each has a name, a value, and the text as others write it."""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

EMOJI = "\U0001f600"
CJK = "\u6f22\u5b57\u304b\u306a"
PROSE = (
    "D\u00e9j\u00e0 vu: un d\u00e9tail de l'audace f\u00e9conde. L'\u00e9t\u00e9 dernier, No\u00ebl "
    "\u00e9tait loin d'ici; Dominique, \u00e9mue, a dit adieu."
)
COMBINING = "e\u0301"
ARABIC = "\u0645\u0631\u062d\u0628\u0627"
Shape = tuple[str, Callable[[], Any], Callable[[Any], bytes]]


def shapes(size: int) -> Iterator[Shape]:
    """Names, makers of values whose texts have about ``size`` bytes, and writers of these texts."""
    for part in (_rows, _objects, _texts, _texts_in_rows, _strings, _escapes, _numbers, _depths):
        for name, make in part(size):
            yield name, make, _ascii
    for name, make in _as_they_are(size):
        yield name, make, _utf8
    rows = partial(_list, {"id": 4711, "name": "a thing", "tags": ["red", "blue"]}, size // 130)
    yield "rows, indented", rows, partial(_written, indent=2)
    yield "rows, indented by tabs", rows, partial(_written, indent="\t")
    yield (
        "rows, then white space",
        partial(_list, {"id": 1}, size // 20),
        lambda value: _ascii(value) + b" \n" * (size // 4),
    )
    yield "pairs in capitals", partial(_list, {"text": EMOJI * 4}, size // 65), _capitals
    yield "slashes, escaped", partial(_list, "https://example.org/a/b", size // 31), _slashes
    yield "rows with a key twice", partial(_list, {"a1": [2], "a2": 1}, size // 21), _equal_keys
    yield "rows with blanks before colons", rows, partial(_written, separators=(",", " : "))
    yield "white space, then a list", partial(_list, 1, 100), lambda value: b" " * size + _ascii(value)
    yield "line feeds, then a list", partial(_list, 1, 100), lambda value: b"\n" * size + _ascii(value)


def _rows(size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    row = {"id": 4711, "name": "a thing", "price": 12.5, "tags": ["red", "blue"], "sold": True}
    yield "rows", lambda: [{**row, "id": number} for number in range(size // 80)]
    yield "rows of two", lambda: [{"id": number, "name": "n"} for number in range(size // 26)]
    yield (
        "rows with quotes and line feeds",
        lambda: [{"id": number, "text": 'he said "no"\nand left'} for number in range(size // 54)],
    )
    yield "rows with escaped letters", lambda: [{"id": number, "text": "\u00e9" * 20} for number in range(size // 145)]
    yield "rows with an emoji", lambda: [{"id": number, "text": f"hi {EMOJI} there"} for number in range(size // 48)]
    yield "rows of emojis", lambda: [{"id": number, "text": EMOJI * 8} for number in range(size // 120)]
    yield "rows of nulls and booleans", lambda: [{"a": None, "b": True, "c": False} for _ in range(size // 40)]
    yield "rows of empty containers", lambda: [{"a": [], "b": {}, "c": ""} for _ in range(size // 30)]
    yield "rows with a row inside", lambda: [{"id": n, "of": {"a": {"b": n}}} for n in range(size // 44)]
    yield "rows with a key of 40 letters", lambda: [{"k" * 40: number} for number in range(size // 54)]
    yield "rows of prose with escaped letters", lambda: [{"id": n, "text": PROSE} for n in range(size // 220)]
    yield "rows with code", lambda: [{"line": n, "code": "if (a[i]) { return {b: c[j]}; }"} for n in range(size // 62)]
    yield "rows with a list of numbers", lambda: [{"id": n, "at": [n, 1.5, 2.5]} for n in range(size // 38)]
    yield "points of a map", lambda: [{"type": "Point", "at": [[8.5 + n, 47.25]]} for n in range(size // 46)]
    yield "rows of times", lambda: [{"at": "2026-11-30T12:00:00.000Z", "value": n / 8} for n in range(size // 56)]
    yield "objects by name", lambda: {f"id{n}": {"name": "a thing", "n": n} for n in range(size // 46)}
    yield "areas of a map", lambda: {"type": "FeatureCollection", "features": [_area(n) for n in range(size // 210)]}
    yield "matrices", lambda: [[[1, 0, n], [0, 1, 0], [0, 0, 1]] for n in range(size // 44)]
    yield "mixed lists", lambda: [[number, "ab", None, 1.5, [], {"a": 1}] for number in range(size // 44)]
    yield "lists of three numbers", lambda: [[number, number, number] for number in range(size // 26)]


def _objects(size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    chance = random.Random(2)
    yield "an object by number", lambda: {str(number): f"name {number}" for number in range(size // 26)}
    yield "an object by hex id", lambda: {f"{chance.getrandbits(64):016x}": 1 for _ in range(size // 23)}
    yield "objects by hex id", lambda: [{f"{chance.getrandbits(32):08x}": n} for n in range(size // 22)]
    yield "an object by UUID", lambda: {str(uuid.UUID(int=chance.getrandbits(128))): n for n in range(size // 50)}
    yield "objects by date", lambda: [{f"2026-11-{n % 30:02}": n, "x1": n} for n in range(size // 40)]
    yield "objects with keys like numbers", lambda: [{"1.5e3x": n, "-12-": n} for n in range(size // 36)]
    yield "an object by long keys", lambda: {f"{'k' * 200}{n}": n for n in range(size // 218)}
    yield "objects by one letter", lambda: [{"a": 1} for _ in range(size // 10)]
    yield "objects of nothing", lambda: [{} for _ in range(size // 4)]


def _texts(size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "base64", lambda: _file(size)
    yield "base64 in an object", lambda: {"name": "a.bin", "data": _file(size)}
    yield "150 rows, then base64", lambda: {"rows": _few(), "file": _file(size)}
    yield "base64, then 150 rows", lambda: {"file": _file(size), "rows": _few()}
    yield "files of base64 of 1 KiB", lambda: [{"data": _file(1024)} for _ in range(size // 1040)]
    yield "hex in an object", lambda: {"data": random.Random(3).randbytes(size // 2).hex()}
    yield "lines", lambda: "x\n" * (size // 3)
    yield "lines in an object", lambda: {"text": "word word word word\n" * (size // 21)}
    for length in (80, 200, 1000):
        yield f"lines of {length} letters in an object", partial(_lines, length, size)
    yield "a text that begins like JSON", lambda: "[" + "x" * size
    yield "spaces, then a text", lambda: " " * size + "x"
    yield "spaces, then a bracket", lambda: " " * size + "["
    yield "line feeds and tabs, then a bracket", lambda: "\n\t" * (size // 4) + "["
    yield "brackets in a string", lambda: ["[{" * (size // 2)]
    yield "round braces in a string", lambda: {"code": "f() { return {} }\t" * (size // 20)}
    yield "empty objects in a string", lambda: ["{}" * (size // 2)]
    yield "strings of brackets", lambda: ["{[" * 20] * (size // 44)
    yield "JSON within JSON", lambda: {"json": json.dumps(_few() * (size // 5000))}
    yield "JSON within JSON within JSON", lambda: {"json": json.dumps({"json": json.dumps(_few() * (size // 7500))})}
    yield "digits in a string", lambda: {"number": "0123456789" * (size // 10)}
    yield "a text of nulls", lambda: {"text": "null e0.0000 " * (size // 13)}


def _texts_in_rows(size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    row = {"id": 4711, "tags": ["red", "blue"]}
    yield (
        "rows with JSON inside",
        lambda: [{"id": n, "payload": json.dumps({**row, "n": n})} for n in range(size // 92)],
    )
    yield "strings of JSON", lambda: [json.dumps({**row, "n": n}) for n in range(size // 73)]
    yield "lines of a log", lambda: [f'12:00:00 INFO [worker-3] took {n} ms: {{"id": {n}}}' for n in range(size // 62)]
    yield "templates", lambda: [{"id": n, "text": "Hello {{name}}, see [this](url)"} for n in range(size // 56)]
    yield "regular expressions", lambda: [{"id": n, "re": r"^\d+[a-z]{2,3}\\$"} for n in range(size // 44)]
    yield "chats", lambda: [{"id": n, "text": f"{CJK} {ARABIC} {EMOJI}"} for n in range(size // 96)]
    yield "keys with escapes", lambda: [{'a "b"': n, "gr\u00f6\u00dfe": n} for n in range(size // 52)]
    yield "CSV in a string", lambda: {"csv": '4711,"Smith, John",12.5\r\n' * (size // 29)}
    yield "HTML in a string", lambda: {"html": '<div class="row"><a href="/x">text</a></div>\n' * (size // 50)}
    yield "tabs and line feeds in a string", lambda: {"text": "a\tbc\n" * (size // 7)}


def _strings(size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "short strings", lambda: ["ab"] * (size // 6)
    yield "strings of one letter", lambda: ["a"] * (size // 5)
    yield "empty strings", lambda: [""] * (size // 4)
    yield "different words", lambda: [f"word{n}" for n in range(size // 14)]
    yield "strings of 100 letters", lambda: [f"{n:0100}" for n in range(size // 104)]
    yield "strings of quotes", lambda: ['"'] * (size // 6)


def _escapes(size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "a text with an emoji", lambda: {"text": "x" * size, "mood": EMOJI}
    yield "a text of emojis", lambda: {"text": EMOJI * (size // 12)}
    yield "an emoji in each 100 letters", lambda: {"text": ("x" * 88 + EMOJI) * (size // 100)}
    yield "an emoji in each 1000 letters", lambda: {"text": ("x" * 988 + EMOJI) * (size // 1000)}
    yield "texts of emojis", lambda: [EMOJI * 40 for _ in range(size // 485)]
    yield "a text of escaped letters", lambda: {"text": "\u00e9" * (size // 6)}
    yield "CJK as escapes", lambda: [CJK * 10] * (size // 244)
    yield "combining marks", lambda: {"text": COMBINING * (size // 7)}
    yield "Korean as escapes", lambda: {"text": "\ud55c\uae00" * (size // 12)}
    yield "a text of quotes", lambda: [['\\"' * (size // 4)], *([[]] * 200)]
    yield "a text of backslashes", lambda: ["\\" * (size // 2)]
    yield "paths", lambda: ["C:\\users\\udo\\ud83d\\file.txt"] * (size // 36)
    yield "a quote in each 100 letters", lambda: {"text": ("x" * 98 + '"') * (size // 100)}
    yield "a backslash in each 200 letters", lambda: {"text": ("x" * 198 + "\\") * (size // 200)}
    yield "control characters", lambda: {"text": "\x01\x1f" * (size // 12)}
    yield "strings of control characters", lambda: ["\x00\x02 a"] * (size // 18)
    yield "slashes", lambda: ["https://example.org/a/b"] * (size // 27)


def _as_they_are(size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "umlauts, not escaped", lambda: {"text": "\u00e4\u00f6\u00fc \u00df" * (size // 9)}
    yield "rows of umlauts, not escaped", lambda: [{"id": n, "name": "M\u00fcller"} for n in range(size // 32)]
    yield "CJK, not escaped", lambda: {"text": CJK * (size // 12)}
    yield "strings of CJK, not escaped", lambda: [CJK] * (size // 16)
    yield "emojis, not escaped", lambda: {"text": EMOJI * (size // 4)}
    yield "strings with an emoji, not escaped", lambda: [f"hi {EMOJI}"] * (size // 11)
    yield "an emoji in much ASCII, not escaped", lambda: {"text": "x" * size + EMOJI}


def _numbers(size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    chance = random.Random(4)
    yield "numbers", lambda: list(range(size // 9))
    yield "small numbers", lambda: [1] * (size // 3)
    yield "large numbers", lambda: [2**62 + n for n in range(size // 21)]
    yield "larger numbers", lambda: [2**63 + n for n in range(size // 24)]
    yield "numbers near 2**53", lambda: [2**53 - n for n in range(size // 18)]
    yield "fractions", lambda: [number / 7 for number in range(size // 20)]
    yield "random fractions", lambda: [chance.random() for _ in range(size // 20)]
    yield "prices", lambda: [n + 0.25 for n in range(size // 11)]
    yield "tiny fractions", lambda: [n / 7e20 for n in range(1, size // 25)]
    yield "nulls", lambda: [None] * (size // 6)
    yield "nulls and booleans", lambda: [None, True, None, False] * (size // 25)
    yield "booleans", lambda: [True, False] * (size // 13)


def _depths(size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "lists of nothing", lambda: [[] for _ in range(size // 4)]
    yield "a hundred levels, again and again", lambda: [nested(99) for _ in range(size // 200)]
    yield "ten levels, again and again", lambda: [nested(10) for _ in range(size // 23)]
    yield "objects in objects, 99 levels", lambda: [_inside(99) for _ in range(size // 600)]
    yield "a hundred levels around a text", lambda: nested(100, "x" * size)
    yield "a hundred levels around rows", lambda: nested(98, [{"id": n, "name": "n"} for n in range(size // 26)])


def nested(levels: int, value: Any = 1) -> Any:
    """``value`` in so many lists."""
    for _ in range(levels):
        value = [value]
    return value


def _inside(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def _area(number: int) -> Any:
    ring = [[8.5417 + number / 1e6 + corner, 47.3769 - number / 1e6] for corner in range(4)]
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {"name": "a"}}


def _lines(length: int, size: int) -> Any:
    return {"text": ("x" * length + "\n") * (size // (length + 2))}


def _file(size: int) -> str:
    return base64.b64encode(random.Random(1).randbytes(size * 3 // 4)).decode()


def _few() -> list[Any]:
    return [{"id": number, "name": "n"} for number in range(150)]


def _list(part: Any, count: int) -> list[Any]:
    return [part] * count


def _ascii(value: Any) -> bytes:
    return json.dumps(value).encode()


def _utf8(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _written(value: Any, **options: Any) -> bytes:
    return json.dumps(value, **options).encode()


def _capitals(value: Any) -> bytes:
    return _ascii(value).replace(b"\\ud83d\\ude00", b"\\uD83D\\uDE00")


def _slashes(value: Any) -> bytes:
    return _ascii(value).replace(b"/", b"\\/")


def _equal_keys(value: Any) -> bytes:
    return _ascii(value).replace(b'"a2"', b'"a1"')
