"""Expected values: plain ones are compared as JSON, matchers allow several values. The answer: the first difference."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import jsontext
from .patterns import pattern

_SHOWN = 300
_EXACT = 2**53
"""Up to this size a double holds each integer exactly."""


class Matcher:
    """One matcher form with its evaluated arguments."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments

    def differs(self, seen: Any, path: str) -> str | None:
        for name, wanted in self.arguments.items():
            told = MATCHERS[name](wanted, seen, path)
            if told is not None:
                return told
        return None

    def __str__(self) -> str:
        return "{" + ", ".join(f"{name}: {show(wanted)}" for name, wanted in self.arguments.items()) + "}"


def widened(expected: Any, seconds: float) -> Any:
    """The same matcher, with upper bounds that are so many seconds higher."""
    if isinstance(expected, Matcher) and "$at_most" in expected.arguments:
        return Matcher({**expected.arguments, "$at_most": round(expected.arguments["$at_most"] + seconds, 3)})
    return expected


def beyond(expected: Any, seen: float) -> float:
    """By how much a number is above the bound; 0 if it is not above it."""
    if isinstance(expected, Matcher) and "$at_most" in expected.arguments:
        return max(seen - float(expected.arguments["$at_most"]), 0.0)
    return 0.0


def differs(expected: Any, seen: Any, path: str = "") -> str | None:
    """None where `seen` is as expected, else where and how it is not."""
    if isinstance(expected, Matcher):
        return expected.differs(seen, path)
    if isinstance(expected, dict) and isinstance(seen, dict):
        return _object(expected, seen, path)
    if isinstance(expected, list) and isinstance(seen, list):
        if len(expected) != len(seen):
            return _told(path, f"{len(expected)} members", f"{len(seen)}: {show(seen)}")
        for at, (want, have) in enumerate(zip(expected, seen, strict=True)):
            told = differs(want, have, f"{path}[{at}]")
            if told is not None:
                return told
        return None
    if _equal(expected, seen):
        return None
    return _told(path, show(expected), show(seen))


def _object(expected: dict[str, Any], seen: dict[str, Any], path: str) -> str | None:
    for key, want in expected.items():
        if key not in seen:
            return _told(path, f"the key {key!r}", f"only {', '.join(map(repr, seen)) or 'an empty object'}")
        told = differs(want, seen[key], f"{path}.{key}" if path else key)
        if told is not None:
            return told
    more = [key for key in seen if key not in expected]
    return _told(path, f"no key {more[0]!r}", show(seen)) if more else None


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, bytes) and isinstance(other, str):
        return one == other.encode("utf-8", "surrogatepass")
    if isinstance(one, float) and isinstance(other, int) and abs(other) > _EXACT:
        return _as_double(other) == one
    return bool(one == other)


def _as_double(integer: int) -> float:
    """Some languages write 1.5e300 with digits only. Such an integer is not the exact value of the double."""
    try:
        return float(integer)
    except OverflowError:
        return math.inf if integer > 0 else -math.inf


def _told(path: str, expected: str, seen: str) -> str:
    return (f"{path}: " if path else "") + f"expected {expected}, saw {seen}"


def show(value: Any) -> str:
    """A value in an error: its JSON text, shortened."""
    if isinstance(value, Matcher):
        return str(value)
    if isinstance(value, bytes):
        text = repr(value)[1:] + " (bytes)"
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{jsontext.dumps(str(key))}: {show(each)}" for key, each in value.items()) + "}"
    elif isinstance(value, list):
        text = "[" + ", ".join(map(show, value[:50])) + (", ...]" if len(value) > 50 else "]")
    elif isinstance(value, str) and len(value) > _SHOWN:
        return f"{jsontext.dumps(value[:_SHOWN])}... ({len(value)} characters)"
    else:
        try:
            text = jsontext.dumps(value)
        except (TypeError, ValueError):
            text = repr(value)
    return text if len(text) <= 2 * _SHOWN else f"{text[: 2 * _SHOWN]}... ({len(text)} characters)"


def _any(wanted: Any, seen: Any, path: str) -> str | None:
    return None


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}


def _type(wanted: Any, seen: Any, path: str) -> str | None:
    return None if _TYPES[wanted](seen) else _told(path, f"a value of type {wanted}", show(seen))


def _text(check: Callable[[str, str], bool], words: str) -> Callable[[Any, Any, str], str | None]:
    def matcher(wanted: Any, seen: Any, path: str) -> str | None:
        text = seen.decode("utf-8", "surrogateescape") if isinstance(seen, bytes) else seen
        if isinstance(text, str) and check(str(wanted), text):
            return None
        return _told(path, f"a string {words} {show(wanted)}", show(seen))

    return matcher


def _length(wanted: Any, seen: Any, path: str) -> str | None:
    if not isinstance(seen, (str, bytes, list)):
        return _told(path, f"something of length {show(wanted)}", show(seen))
    return differs(wanted, len(seen), f"{path}.length" if path else "length")


def _range(words: str, holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any, str], str | None]:
    def matcher(wanted: Any, seen: Any, path: str) -> str | None:
        if _TYPES["number"](seen) and holds(seen, wanted):
            return None
        return _told(path, f"a number of {words} {show(wanted)}", show(seen))

    return matcher


def _one_of(wanted: list[Any], seen: Any, path: str) -> str | None:
    if any(differs(each, seen) is None for each in wanted):
        return None
    return _told(path, "one of " + ", ".join(map(show, wanted)), show(seen))


def _not(wanted: Any, seen: Any, path: str) -> str | None:
    return _told(path, f"anything but {show(wanted)}", show(seen)) if differs(wanted, seen) is None else None


def _all(wanted: list[Any], seen: Any, path: str) -> str | None:
    return next((told for each in wanted if (told := differs(each, seen, path)) is not None), None)


def _has(wanted: dict[str, Any], seen: Any, path: str) -> str | None:
    if not isinstance(seen, dict):
        return _told(path, f"an object with {', '.join(wanted)}", show(seen))
    return _object({**seen, **wanted}, seen, path) if set(wanted) <= set(seen) else _object(wanted, seen, path)


def _includes(wanted: Any, seen: Any, path: str) -> str | None:
    if isinstance(seen, list) and any(differs(wanted, each) is None for each in seen):
        return None
    return _told(path, f"a list with {show(wanted)}", show(seen))


def _excludes(wanted: Any, seen: Any, path: str) -> str | None:
    if isinstance(seen, list) and not any(differs(wanted, each) is None for each in seen):
        return None
    return _told(path, f"a list without {show(wanted)}", show(seen))


def _as_json(wanted: Any, seen: Any, path: str) -> str | None:
    try:
        text = seen.decode() if isinstance(seen, bytes) else seen
        value = jsontext.loads(text)
    except (ValueError, TypeError):
        return _told(path, f"the JSON text of {show(wanted)}", show(seen))
    return differs(wanted, value, f"{path} as JSON" if path else "as JSON")


def _bytes(wanted: Any, seen: Any, path: str) -> str | None:
    raw = seen.encode("utf-8", "surrogatepass") if isinstance(seen, str) else seen
    want = wanted.encode("utf-8", "surrogatepass") if isinstance(wanted, str) else wanted
    return None if raw == want else _told(path, f"the bytes {want!r}", show(seen))


MATCHERS: dict[str, Callable[[Any, Any, str], str | None]] = {
    "$any": _any,
    "$type": _type,
    "$match": _text(lambda wanted, text: pattern(wanted).search(text) is not None, "like"),
    "$prefix": _text(lambda wanted, text: text.startswith(wanted), "that begins with"),
    "$contains": _text(lambda wanted, text: wanted in text, "with"),
    "$length": _length,
    "$at_least": _range("at least", lambda seen, wanted: bool(seen >= wanted)),
    "$at_most": _range("at most", lambda seen, wanted: bool(seen <= wanted)),
    "$one_of": _one_of,
    "$not": _not,
    "$all": _all,
    "$has": _has,
    "$includes": _includes,
    "$excludes": _excludes,
    "$as_json": _as_json,
    "$bytes": _bytes,
}
