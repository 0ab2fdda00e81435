"""Converts raw replies of Redis to plain data, the same for RESP2 lists and RESP3 maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .commands import COUNTS_A_START, Failure


class PendingEntry(NamedTuple):
    """One row of XPENDING: idle in milliseconds, deliveries as counted by Redis."""

    id: bytes
    consumer: bytes
    idle: int
    deliveries: int


class ConsumerInfo(NamedTuple):
    """One row of XINFO CONSUMERS: idle in milliseconds."""

    name: bytes
    pending: int
    idle: int


def as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def flat(value: Any) -> list[Any]:
    """A map as the list of its keys and values in turn."""
    if isinstance(value, dict):
        return [part for pair in value.items() for part in pair]
    return list(value)


def read_entries(reply: Any) -> list[Any]:
    """Entries of an XREADGROUP of one stream: ``[id, fields]`` each, fields None if the body is gone."""
    if not reply:
        return []
    if isinstance(reply, dict):
        return next(iter(reply.values())) or []
    return reply[0][1] or []


def pending_entries(reply: Any) -> Iterator[PendingEntry]:
    for row in reply or ():
        yield PendingEntry(row[0], row[1], int(row[2]), int(row[3]))


def consumers(reply: Any) -> Iterator[ConsumerInfo]:
    for row in reply or ():
        parts = flat(row)
        info = {as_bytes(parts[i]): parts[i + 1] for i in range(0, len(parts), 2)}
        yield ConsumerInfo(info[b"name"], int(info[b"pending"]), int(info[b"idle"]))


def lookup(reply: Any, key: bytes) -> Any:
    """A value of an XINFO reply by its name."""
    parts = flat(reply)
    for i in range(0, len(parts) - 1, 2):
        if as_bytes(parts[i]) == key:
            return parts[i + 1]
    return None


def seconds(reply: Any) -> float:
    """TIME as seconds."""
    return int(reply[0]) + int(reply[1]) / 1e6


def id_parts(id: bytes) -> tuple[int, int]:
    head, _, tail = id.partition(b"-")
    return int(head), int(tail or 0)


def comes_after(id: bytes, other: bytes) -> bool:
    """Whether an entry ID is higher than another one."""
    if len(id) == len(other) and id.find(b"-") == other.find(b"-"):
        # With equal numbers of digits, the order is that of the bytes.
        return id > other
    return id_parts(id) > id_parts(other)


def first_failure(replies: list[Any]) -> Failure | None:
    """The first error among replies, those inside an EXEC included.

    If a command of a MULTI was not queued, EXEC replies EXECABORT. The reason is in an earlier reply, so it comes
    first.
    """
    lists = [reply for reply in replies if type(reply) is list]
    if Failure not in map(type, replies) and not any(Failure in map(type, inner) for inner in lists):
        # The usual case. The steps below take ten times as long for each reply.
        return None
    for reply in replies:
        if isinstance(reply, Failure):
            return reply
        if isinstance(reply, list):
            for inner in reply:
                if isinstance(inner, Failure):
                    return inner
    return None


def group_row(reply: Any, name: bytes) -> Any:
    """The row of one group in XINFO GROUPS, or None."""
    return next((row for row in reply or () if lookup(row, b"name") == name), None)


def owner_row(reply: Any) -> PendingEntry | None:
    """XPENDING of one entry: who holds it, or None."""
    return next(pending_entries(reply), None)


def starts_of(row: PendingEntry) -> int:
    """How often an entry was started, by its delivery count: a port's start counts 3, as does a gem's.

    A delivery that was not started yet counts 1, and rounds up to the start to come (RIPC-GROUP-20).
    """
    return max(1, -(-row.deliveries // COUNTS_A_START))
