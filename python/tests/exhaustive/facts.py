"""The changes of one input at Redis, as facts that the properties are about: found by comparing its data before and after."""

from __future__ import annotations

from typing import Any, NamedTuple

GIVEN_BACK_HERE_MS = 12 * 3_600_000
"""Idle time from which on an entry counts as given back in here: the mark of every version is longer."""

Data = tuple[Any, ...]


class Fact(NamedTuple):
    """``kind``: added, deleted, or moved. ``entry`` is an entry ID, ``owner`` and ``other`` are consumers before and after.

    ``idle_ms`` is the idle time before a move. ``detail`` holds the fields, or the group and whether it had been given back.
    """

    kind: str
    entry: bytes
    owner: bytes = b""
    other: bytes = b""
    idle_ms: int = 0
    detail: Any = None


def changes(before: Data, after: Data, wall_ms: int) -> list[Fact]:
    """Entries that are gone, however that came about, and entries that changed hands."""
    left = {id for _, stream in streams(after) for id, _ in stream[2]}
    facts = [Fact("deleted", id) for _, stream in streams(before) for id, _ in stream[2] if id not in left]
    old = _groups(before)
    for name, group in _groups(after).items():
        if old.get(name) != group:
            facts += _moves(old.get(name), group, wall_ms)
    return facts


def streams(data: Data) -> list[tuple[bytes, Data]]:
    """The streams among the keys, frozen as ``("stream", last ID, bodies, groups)``."""
    return [(key, value) for key, value in data if not isinstance(value, bytes) and value and value[0] == "stream"]


def _groups(data: Data) -> dict[tuple[bytes, bytes], Data]:
    return {(key, group[0]): group for key, stream in streams(data) for group in stream[3]}


def _moves(old: Data | None, new: Data, wall_ms: int) -> list[Fact]:
    facts: list[Fact] = []
    held = {row[0]: row for row in old[2]} if old is not None else {}
    for row in new[2]:
        id, owner = row[0], row[2]
        was = held.get(id)
        if was is None:
            facts.append(Fact("moved", id, b"", owner, 0, (new[0], False)))
        elif was[2:] != row[2:]:
            idle_ms = wall_ms - was[3]
            facts.append(Fact("moved", id, was[2], owner, idle_ms, (new[0], idle_ms >= GIVEN_BACK_HERE_MS)))
    return facts
