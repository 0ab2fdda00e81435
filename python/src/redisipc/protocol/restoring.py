"""Deleting consumers without losing what is pending for them: what goes with one is given back or settled.

RIPC-LIFE-22, RIPC-LIFE-25.
"""

from __future__ import annotations

from typing import Any

from . import commands, replies
from .commands import Command, Failure
from .endpoint_state import EndpointState, Procedure
from .entry import PENDING, Entry, parse
from .names import instance_of
from .ownership import checked
from .replies import PendingEntry

PENDING_PAGE = 500
"""How many pending entries one look lists."""
JUST_READ = 10_000
"""Milliseconds of idle time below which an entry is its owner's: the bound of a reclaim, too (RIPC-GROUP-13)."""
CONSUMERS_A_BATCH = 100
"""How many consumers one batch deletes: a group whose programs crashed for days has thousands."""


def delete_consumers(shared: EndpointState, consumers: list[bytes]) -> Procedure[None]:
    """Each in one MULTI with a list of what is pending for it; a consumer with pending entries is left alone."""
    if shared.singly:
        return
    for start in range(0, len(consumers), CONSUMERS_A_BATCH):
        yield from _delete_some(shared, consumers[start : start + CONSUMERS_A_BATCH])


def _delete_some(shared: EndpointState, consumers: list[bytes]) -> Procedure[None]:
    names = shared.names
    answers = checked((yield [commands.pending_of(names.stream, names.group, name, 1) for name in consumers]))
    empty = [name for name, rows in zip(consumers, answers, strict=True) if not rows]
    if not empty:
        return
    lines: list[Command] = []
    for name in empty:
        lines += _delete(shared, name)
    answers = yield lines
    dropped: list[PendingEntry] = []
    for reply in answers:
        if isinstance(reply, list) and len(reply) == 2 and not isinstance(reply[0], Failure):
            dropped += replies.pending_entries(reply[0])
    if dropped:
        yield from restore(shared, dropped)


def _delete(shared: EndpointState, consumer: bytes) -> list[Command]:
    names = shared.names
    return commands.atomic(
        [
            commands.pending_of(names.stream, names.group, consumer, PENDING_PAGE),
            commands.delete_consumer(names.stream, names.group, consumer),
        ]
    )


def restore(shared: EndpointState, dropped: list[PendingEntry]) -> Procedure[None]:
    """Restore entries that a consumer got just before its deletion.

    They are pending with nobody now, so nobody would find them.
    """
    names = shared.names
    for start in range(0, len(dropped), shared.sizes.count(PENDING_PAGE)):
        chunk = dropped[start : start + shared.sizes.count(PENDING_PAGE)]
        bodies = checked((yield [commands.one(names.stream, row.id) for row in chunk]))
        lines: list[Command] = []
        nobodys: list[bytes] = []
        for row, body in zip(chunk, bodies, strict=True):
            if not body:
                continue
            if _just_read(row, shared):
                # Its instance was away for long, is back, and may start it now. It would not see that others took it.
                lines.append(commands.return_to(names.stream, names.group, row.consumer, row.id, row.deliveries))
            elif _waited_for_by(body, row, shared) == (instance_of(row.consumer) or b""):
                # A response to the instance that is gone.
                nobodys.append(row.id)
            else:
                lines.append(commands.restore(names.stream, names.group, names.dispatcher, row.id, row.deliveries))
        if nobodys:
            lines.append(commands.delete(names.stream, nobodys))
        if lines:
            checked((yield lines))


def _just_read(row: PendingEntry, shared: EndpointState) -> bool:
    """Whether the dispatcher of another instance showed a sign of life for the entry."""
    is_dispatcher = row.consumer.startswith(b"dispatcher_")
    return is_dispatcher and row.consumer != shared.names.dispatcher and row.idle < JUST_READ


def _waited_for_by(body: Any, row: PendingEntry, shared: EndpointState) -> bytes | None:
    """The instance that a response to its own group is for, None for anything else."""
    entry = parse(row.id, body[0][1])
    if isinstance(entry, Entry) and entry.status != PENDING and entry.destination_group == shared.names.group:
        return entry.instance_id
    return None
