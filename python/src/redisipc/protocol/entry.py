"""The entry: builds its six fields for the wire and parses them, with a precise word for each error."""

from __future__ import annotations

from typing import NamedTuple

FIELDS = [b"id", b"instance_id", b"status", b"content", b"source_group", b"destination_group"]
PENDING, FULFILLED, REJECTED = b"pending", b"fulfilled", b"rejected"
STATUSES = frozenset((PENDING, FULFILLED, REJECTED))
_NAMES = frozenset(FIELDS)
_make = tuple.__new__
_NOT_EMPTY = ("id", "instance_id", "source_group", "destination_group")


class Entry(NamedTuple):
    """A well-formed entry as read: the Redis entry ID and the six fields, raw."""

    entry_id: bytes
    id: bytes
    instance_id: bytes
    status: bytes
    content: bytes
    source_group: bytes
    destination_group: bytes


class Malformed(NamedTuple):
    """A malformed entry: what is wrong with it, and its fields as Redis has them."""

    entry_id: bytes
    problem: str
    fields: list[tuple[bytes, bytes]]
    destination_group: bytes


def build(
    id: bytes, instance_id: bytes, status: bytes, content: bytes, source_group: bytes, destination_group: bytes
) -> tuple[bytes, ...]:
    """The fields of an entry as XADD takes them, in the order of the wire (RIPC-ENTRY-1, RIPC-ENTRY-2)."""
    return (
        b"id", id, b"instance_id", instance_id, b"status", status, b"content", content,
        b"source_group", source_group, b"destination_group", destination_group,
    )  # fmt: skip


def parse(entry_id: bytes, raw: list[bytes]) -> Entry | Malformed:
    """Parse the result of XREADGROUP or XRANGE: exactly the six fields, in any order.

    RIPC-ENTRY-11, RIPC-ENTRY-12, RIPC-ODD-1 to 5.
    """
    if raw[0::2] == FIELDS:
        # As Entry(...) does it, but without a call of a Python function: each entry comes by here.
        entry = _make(Entry, (entry_id, *raw[1::2]))
        if raw[5] in STATUSES and raw[1] and raw[3] and raw[9] and raw[11]:
            return entry
    else:
        pairs = list(zip(raw[0::2], raw[1::2], strict=True))
        fields = dict(pairs)
        problem = _shape_problem(pairs, fields)
        if problem:
            return Malformed(entry_id, problem, pairs, fields.get(b"destination_group", b""))
        entry = Entry(entry_id, *(fields[name] for name in FIELDS))
    if entry.status in STATUSES and entry.id and entry.instance_id and entry.source_group and entry.destination_group:
        return entry
    pairs = list(zip(raw[0::2], raw[1::2], strict=True))
    return Malformed(entry_id, _value_problem(entry), pairs, entry.destination_group)


def _shape_problem(pairs: list[tuple[bytes, bytes]], fields: dict[bytes, bytes]) -> str:
    missing = [name.decode() for name in FIELDS if name not in fields]
    if missing:
        return f"missing field {', '.join(missing)}"
    extra = sorted(name.decode("utf-8", "replace") for name in fields if name not in _NAMES)
    if extra:
        return f"unknown field {', '.join(extra)}: an entry has exactly six"
    if len(pairs) != len(FIELDS):
        return "a field stands in it twice"
    return ""


def _value_problem(entry: Entry) -> str:
    if entry.status not in STATUSES:
        return f"status {entry.status.decode('utf-8', 'replace')!r} is not one of pending, fulfilled, rejected"
    empty = [name for name in _NOT_EMPTY if not getattr(entry, name)]
    return f"empty field {', '.join(empty)}"
