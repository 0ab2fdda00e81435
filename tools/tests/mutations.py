"""Every valid example with one part changed, so that two validators are compared on values that nobody chose."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from schemas import SchemaFile

MOST = 20
"""The most parts of one example that are changed: examples of reports have thousands of parts, but of few kinds."""


class Mutation(NamedTuple):
    """A value that was made from a valid example, and the change."""

    schema: SchemaFile
    about: str
    value: Any


def mutations(file: SchemaFile) -> Iterator[Mutation]:
    """All of one schema, valid or not."""
    for example in file.examples:
        if not example.valid:
            continue
        whole = example.value
        paths = list(_parts(whole))
        for path in paths[:: max(1, len(paths) // MOST)]:
            for change, value in _changes(_at(whole, path)):
                yield Mutation(file, f"{example.path.stem}: {path} {change}", _with(whole, path, value))


def _parts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from _parts(part, (*path, key))


def _changes(part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, str):
        for about, end in [("LF", "\n"), ("CR", "\r"), ("U+2028", "\u2028"), ("U+0085", "\u0085"), ("NUL", "\0")]:
            yield f"with {about} behind", part + end
            yield f"with {about} before", end + part
        yield "in capitals", part.upper()
        yield "empty", ""
        yield "an Arabic digit", "\u0661"
        yield "U+FEFF", "\ufeff"
        yield "U+001C", "\x1c"
        yield "U+0085", "\u0085"
    elif isinstance(part, bool):
        yield "as a number", int(part)
    elif isinstance(part, (int, float)):
        yield "as a float", float(part)
        yield "negative", -1
        yield "huge", 1e300
        yield "a fraction", 0.5
        yield "true", True
    elif isinstance(part, list):
        yield "empty", []
        yield "twice the first", [*part[:1], *part]
    elif isinstance(part, dict):
        yield "empty", {}
        yield "with __proto__", {**part, "__proto__": {}}
        yield "with $ref", {**part, "$ref": "#"}
    yield "null", None


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _with(value: Any, path: tuple[str | int, ...], part: Any) -> Any:
    if not path:
        return part
    whole = copy.deepcopy(value)
    _at(whole, path[:-1])[path[-1]] = part
    return whole
