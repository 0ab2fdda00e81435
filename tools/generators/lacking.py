"""Valid examples without one of their required members."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

from schemas import SchemaFile

_CONDITIONAL = frozenset(("if", "then", "else", "anyOf", "oneOf", "not", "dependentRequired", "dependentSchemas"))


class Lacking(NamedTuple):
    """A valid example without one of its members. ``member`` is its path, as ``params/endpoint``."""

    example: str
    member: str
    value: Any


def lacking(file: SchemaFile) -> Iterator[Lacking]:
    """Each valid example of the schema without each member that it must have.

    A member that is required only under a condition is left out: a type cannot say that.
    """
    validator = Draft202012Validator(file.content)
    for example in file.examples:
        if example.valid:
            for path in _members(example.value):
                value = _without(example.value, path)
                if any(_lacks(error) for error in validator.iter_errors(value)):
                    yield Lacking(example.path.stem, "/".join(map(str, path)), value)


def _lacks(error: Any) -> bool:
    if error.validator == "oneOf" and len(error.absolute_schema_path) == 1:
        # The whole value is one of several kinds. None of them accepts it any more.
        return any(each.validator == "required" for each in error.context)
    return error.validator == "required" and not _CONDITIONAL & set(map(str, error.absolute_schema_path))


def _members(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    # For a list, the first two items are enough, since all items have one schema.
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, part in items:
        if isinstance(value, dict):
            yield (*path, key)
        yield from _members(part, (*path, key))


def _without(value: Any, path: tuple[str | int, ...]) -> Any:
    whole = copy.deepcopy(value)
    part = whole
    for key in path[:-1]:
        part = part[key]
    del part[path[-1]]
    return whole
