"""Leaving: first out of the list, so that no more is handed over. Then its own consumers are emptied and deleted.

RIPC-LIFE-19 to 22.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from . import commands, replies
from .commands import GIVEN_BACK_FROM_MS, LATE_MS, Command, Failure
from .endpoint_state import EndpointState, Procedure
from .entry import PENDING, Entry, parse
from .replies import PendingEntry
from .restoring import PENDING_PAGE, delete_consumers
from .siblings import Siblings


def leave(
    shared: EndpointState, siblings: Siblings, read_ended: bool, responses: Callable[[], Collection[bytes]]
) -> Procedure[None]:
    """``read_ended``: no read can get entries any more. If one can, its consumer must stay.

    ``responses``: those that it has read and keeps for other instances.
    """
    names = shared.names
    removal: Command = ("LREM", names.registration, 0, names.consumer)
    yield [*([removal] if shared.singly else commands.atomic([removal])), ("DEL", names.announcement)]
    for consumer in (names.dispatcher, names.consumer):
        yield from _empty(shared, siblings, consumer, responses)
    # The consumer first: entries restored from it go to the dispatcher, which stays if it has any.
    yield from delete_consumers(shared, [names.consumer])
    if read_ended:
        yield from delete_consumers(shared, [names.dispatcher])


def _empty(
    shared: EndpointState, siblings: Siblings, consumer: bytes, responses: Callable[[], Collection[bytes]]
) -> Procedure[None]:
    """Give back its pending entries: requests that have not started, and responses for other instances."""
    names = shared.names
    start = b"-"
    while True:
        answers = yield [commands.pending_of(names.stream, names.group, consumer, PENDING_PAGE, start)]
        if isinstance(answers[0], Failure):
            return
        rows = list(replies.pending_entries(answers[0]))
        back = [row for row in rows if row.idle < GIVEN_BACK_FROM_MS and row.id not in shared.inflight]
        if back and not siblings:
            back = yield from _without_responses(shared, back)
        if not siblings:
            given = [row for row in rows if row.idle >= GIVEN_BACK_FROM_MS and row.id not in shared.inflight]
            yield from _settle_deleted(shared, given)
        if back:
            yield _give_back(shared, back, set(responses()))
        if len(rows) < PENDING_PAGE:
            return
        start = b"(" + rows[-1].id


def _settle_deleted(shared: EndpointState, rows: list[PendingEntry]) -> Procedure[None]:
    """Acknowledge what it gave back earlier and a requester deleted when its time was up: nobody else is there to do it."""
    names = shared.names
    step = shared.sizes.count(PENDING_PAGE)
    for first in range(0, len(rows), step):
        chunk = rows[first : first + step]
        bodies: list[Any] = yield [commands.one(names.stream, row.id) for row in chunk]
        gone = [row.id for row, body in zip(chunk, bodies, strict=True) if isinstance(body, list) and not body]
        if gone:
            yield [commands.acknowledge(names.stream, names.group, gone)]


def _give_back(shared: EndpointState, rows: list[PendingEntry], responses: set[bytes]) -> list[Command]:
    names = shared.names
    alike: dict[tuple[int, bool], list[bytes]] = {}
    for row in rows:
        alike.setdefault((LATE_MS if row.idle >= LATE_MS else 0, row.id in responses), []).append(row.id)
    lines: list[Command] = [
        commands.give_back(names.stream, names.group, names.dispatcher, ids, least, response)
        for (least, response), ids in sorted(alike.items())
    ]
    if shared.outbox.wakeups:
        lines.append(("PUBLISH", names.group_wakeup, b""))
    return lines


def _without_responses(shared: EndpointState, rows: list[PendingEntry]) -> Procedure[list[PendingEntry]]:
    """Without another instance, a response is settled: nobody could hand it over (RIPC-LIFE-28).

    Requests wait for the next instance.
    """
    names = shared.names
    left: list[PendingEntry] = []
    step = shared.sizes.count(PENDING_PAGE)
    for first in range(0, len(rows), step):
        chunk = rows[first : first + step]
        bodies: list[Any] = yield [commands.one(names.stream, row.id) for row in chunk]
        settled: list[bytes] = []
        for row, body in zip(chunk, bodies, strict=True):
            entry = parse(row.id, body[0][1]) if body and not isinstance(body, Failure) else None
            if isinstance(entry, Entry) and entry.status == PENDING:
                left.append(row)
            elif not isinstance(body, Failure):
                settled.append(row.id)
        if settled:
            yield [
                commands.acknowledge(names.stream, names.group, settled),
                commands.delete(names.stream, settled),
            ]
    return left
