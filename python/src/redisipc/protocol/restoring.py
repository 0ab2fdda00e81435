"""Deletes consumers without losing their pending entries, which are given back or settled.

RIPC-LIFE-22, RIPC-LIFE-25.
"""

from __future__ import annotations

from . import commands, replies
from .commands import Command, Failure
from .endpoint_state import EndpointState, Procedure
from .entry import PENDING, Entry, Malformed, parse
from .names import instance_of
from .ownership import checked
from .replies import PendingEntry
from .settings import NEVER

PENDING_PAGE = 500
"""The most pending entries that one look lists."""
JUST_GIVEN = 10_000
"""An entry that was idle for fewer milliseconds belongs to its owner. A reclaim has the same bound (RIPC-GROUP-13)."""
CONSUMERS_A_BATCH = 100
"""How many consumers one batch deletes: a group whose programs crashed for days has thousands."""


def delete_consumers(shared: EndpointState, consumers: list[bytes], until: float = NEVER) -> Procedure[None]:
    """Each in one MULTI with a list of what is pending for it; a consumer with pending entries is left alone.

    ``until``: after this moment, the look that showed them as unused is too old (RIPC-LIFE-23).
    """
    if shared.singly:
        return
    for start in range(0, len(consumers), CONSUMERS_A_BATCH):
        yield from _delete_some(shared, consumers[start : start + CONSUMERS_A_BATCH], until)


def _delete_some(shared: EndpointState, consumers: list[bytes], until: float) -> Procedure[None]:
    names = shared.names
    answers = checked((yield [commands.pending_of(names.stream, names.group, name, 1) for name in consumers]))
    empty = [name for name, rows in zip(consumers, answers, strict=True) if not rows]
    if not empty or max(shared.now, shared.pauses.writes.until) > until:
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

    No consumer has them now, so no member would find them.
    """
    names = shared.names
    for start in range(0, len(dropped), shared.sizes.count(PENDING_PAGE)):
        chunk = dropped[start : start + shared.sizes.count(PENDING_PAGE)]
        bodies = checked((yield [commands.one(names.stream, row.id) for row in chunk]))
        lines: list[Command] = []
        nobodys: list[bytes] = []
        for row, body in zip(chunk, bodies, strict=True):
            entry = parse(row.id, body[0][1]) if body else None
            if entry is None or (isinstance(entry, Entry) and entry.destination_group != names.group):
                # It is for another group: its reader would only acknowledge it, and may have done so by now.
                continue
            waited_for_by = _waited_for_by(entry)
            if _just_given(row, shared):
                # Its instance was away for long, and is back. It may start the request now, and would not notice that
                # others took it. It waits for the response.
                lines.append(commands.return_to(names.stream, names.group, row.consumer, row.id, row.deliveries))
            elif waited_for_by == (instance_of(row.consumer) or b""):
                # A response for the instance that is gone.
                nobodys.append(row.id)
            else:
                response = waited_for_by is not None
                lines.append(
                    commands.restore(names.stream, names.group, names.dispatcher, row.id, row.deliveries, response)
                )
        if nobodys:
            lines.append(commands.delete(names.stream, nobodys))
        if lines:
            checked((yield lines))


def _just_given(row: PendingEntry, shared: EndpointState) -> bool:
    """Whether another instance got the entry within the last seconds: it read the request, or was handed the response."""
    return instance_of(row.consumer) not in (None, shared.names.instance) and row.idle < JUST_GIVEN


def _waited_for_by(entry: Entry | Malformed) -> bytes | None:
    """The instance that a response is for, None for anything else."""
    return entry.instance_id if isinstance(entry, Entry) and entry.status != PENDING else None
