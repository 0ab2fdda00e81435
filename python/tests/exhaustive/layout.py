"""The elements of the graph of a core's objects: types that never change, attributes that say nothing, slots and dictionaries."""

from __future__ import annotations

import itertools
import types

ATOMS: set[type] = {
    type(None), bool, int, float, str, bytes, range, frozenset, type, types.CodeType, types.BuiltinFunctionType, types.ModuleType,
}  # fmt: skip
"""Types whose objects never change: a copy shares them, a fingerprint has them as they are. ``share`` adds to them."""
SKIPPED: set[tuple[type, str]] = set()
"""Attributes that do not tell two states apart. ``skip`` adds to them."""
_layouts: dict[type, tuple[tuple[str, ...], bool]] = {}


def share(kind: type) -> None:
    """Objects of this type never change once they are made."""
    ATOMS.add(kind)


def skip(kind: type, name: str) -> None:
    """This attribute does not tell two states apart."""
    SKIPPED.add((kind, name))


def layout(kind: type) -> tuple[tuple[str, ...], bool]:
    """The names of all slots of a class, and whether its objects have a ``__dict__`` too."""
    found = _layouts.get(kind)
    if found is None:
        names = {name for base in kind.__mro__ for name in _own_slots(base)}
        found = _layouts[kind] = tuple(sorted(names)), "__dict__" in dir(kind)
    return found


def _own_slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def next_of(counter: itertools.count[int]) -> int:
    """The next value of a counter."""
    return int(repr(counter)[len("count(") : -1])
