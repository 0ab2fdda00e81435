"""Replaces references in schemas by their targets: looking one up costs more than checking its content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def inlined(schema: Mapping[str, Any], find: Callable[[str], Any]) -> dict[str, Any]:
    """The schema without any `$ref`, except one that leads into itself. `find` returns the target of a reference."""
    return _inlined(schema, find, ())  # type: ignore[no-any-return]


def _inlined(part: Any, find: Callable[[str], Any], around: tuple[str, ...]) -> Any:
    if isinstance(part, list):
        return [_inlined(each, find, around) for each in part]
    if not isinstance(part, dict):
        return part
    reference = part.get("$ref")
    if isinstance(reference, str) and reference not in around:
        target = _inlined(find(reference), find, (*around, reference))
        beside = {key: _inlined(value, find, around) for key, value in part.items() if key != "$ref"}
        return (
            {**target, **beside}
            if isinstance(target, dict) and not set(target) & set(beside)
            else {"allOf": [target, beside] if beside else [target]}
        )
    return {key: value if key == "$defs" else _inlined(value, find, around) for key, value in part.items()}
