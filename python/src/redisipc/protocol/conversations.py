"""Conversations with Redis in which the next command depends on a reply: joining, recovering and leaving.

Each is a generator: it yields commands, is sent their replies, and raises ``Refused`` where it cannot go on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from . import commands, replies
from .commands import Command, Failure
from .core import Core
from .entry import parse
from .inbox import Inbox
from .names import Names
from .presence import Presence
from .responder import Responder

Talk = Generator[list[Command], list[Any], None]
_PAGE = 500


class Refused(Exception):
    """Redis answered with an error on which the conversation cannot go on."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def checked(answers: list[Any], *allowed: str) -> list[Any]:
    failure = replies.first_failure(answers)
    if failure is not None and failure.kind not in allowed:
        raise Refused(failure)
    return answers


def join(core: Core, presence: Presence, rename: Callable[[], Names]) -> Talk:
    """First connection: the group, an instance id that nobody has, both consumers, the registration (RIPC-LIFE-1 to 3)."""
    answers = yield [("TIME",), ("INFO", "server")]
    _learn_server(core, answers)
    names = core.names
    checked((yield [("XGROUP", "CREATE", names.stream, names.group, "$", "MKSTREAM")]), "BUSYGROUP")
    while True:
        # RIPC-NAME-7, RIPC-NAME-8
        answers = checked((yield [_create_consumer(names, names.dispatcher)]))
        if answers[0] != 0 or core.without("rule10"):
            break
        names = rename()
    lines = [_create_consumer(names, names.consumer), *presence.registration()]
    if core.settings.wakeups:
        lines.append(("PUBLISH", names.group_wakeup, b""))
    _check_registration((yield lines), core)
    answers = checked((yield [("XINFO", "GROUPS", names.stream)]))
    for row in answers[0]:
        if replies.lookup(row, b"name") == names.group:
            core.last_read = replies.as_bytes(replies.lookup(row, b"last-delivered-id"))


def recover(core: Core, presence: Presence, responder: Responder, inbox: Inbox, read_running: bool) -> Talk:
    """After a lost connection or a lost group, in this order: the group, what is in progress, registration, the own lists.

    RIPC-RECOV-3 to 6.
    """
    # Another member may run by now what was to be given back: what is still ours is found again.
    core.outbox.returned.clear()
    names = core.names
    answers = yield [("TIME",), ("INFO", "server")]
    _learn_server(core, answers)
    yield from _make_group(core)
    if not core.without("rule3"):
        yield from _claim_again(core, responder)
    lines = [_create_consumer(names, names.dispatcher), _create_consumer(names, names.consumer)]
    lines += presence.registration()
    _check_registration((yield lines), core)
    yield from _settle(core, responder)
    if not core.without("rule2"):
        yield from relist(core, inbox, read_running)


def _make_group(core: Core) -> Talk:
    """Create the group again where it is gone: at the last ID read, or from the start where the stream is a new one.

    RIPC-RECOV-8, RIPC-RECOV-9.
    """
    names = core.names
    start = core.last_read if not core.without("rule11") else b"$"
    answers = yield [("XGROUP", "CREATE", names.stream, names.group, start, "MKSTREAM")]
    checked(answers, "BUSYGROUP")
    if isinstance(answers[0], Failure) or start == b"$":
        return
    answers = checked((yield [("XINFO", "STREAM", names.stream)]))
    last = replies.as_bytes(replies.lookup(answers[0], b"last-generated-id"))
    if replies.id_parts(last) < replies.id_parts(start):
        core.last_read = b"0"
        checked((yield [("XGROUP", "SETID", names.stream, names.group, "0")]))


def _claim_again(core: Core, responder: Responder) -> Talk:
    """Early, so that nobody reclaims what we are running; only what is still ours (RIPC-RECOV-5, RIPC-GROUP-11)."""
    names = core.names
    held = core.inflight.values()
    ids = [incoming.entry_id for incoming in held if incoming.state != "unsure" and not incoming.stranded]
    for start in range(0, len(ids), _PAGE):
        chunk = ids[start : start + _PAGE]
        answers = checked(
            (yield [commands.pending_of(names.stream, names.group, names.dispatcher, 1, id, id) for id in chunk])
        )
        mine = [id for id, reply in zip(chunk, answers, strict=True) if reply]
        if mine:
            checked((yield [commands.keep(names.stream, names.group, names.dispatcher, mine)]))
        kept = set(mine)
        for id in [id for id in chunk if id not in kept]:
            responder.lost(id, "another member took the request over, or it is gone")


def _settle(core: Core, responder: Responder) -> Talk:
    """Answers of which nobody knows: written if the request is no longer pending for us (RIPC-RESP-14)."""
    names = core.names
    unsure = responder.answers.unsure()
    for start in range(0, len(unsure), _PAGE):
        chunk = unsure[start : start + _PAGE]
        answers = checked(
            (
                yield [
                    commands.pending_of(
                        names.stream, names.group, names.dispatcher, 1, incoming.entry_id, incoming.entry_id
                    )
                    for incoming in chunk
                ]
            )
        )
        for incoming, reply in zip(chunk, answers, strict=True):
            responder.answers.settle(incoming, bool(reply))


def relist(core: Core, inbox: Inbox, read_running: bool) -> Talk:
    """Read the own pending list: a reply that got lost left its entries there, and ``>`` never shows them again (RIPC-RECOV-3).

    XPENDING and XRANGE, not XREADGROUP from 0, which would count as a delivery and so as a start (RIPC-GROUP-20).
    """
    names = core.names
    start = b"-"
    while True:
        answers = checked((yield [commands.pending_of(names.stream, names.group, names.dispatcher, _PAGE, start)]))
        rows = list(replies.pending_entries(answers[0]))
        # What waits to be acknowledged or deleted was dealt with: only Redis does not know yet.
        known = core.inflight.keys() | {*core.outbox.acknowledge, *core.outbox.delete, *core.outbox.returned}
        fresh = [row for row in rows if row.id not in known and row.idle < commands.GIVEN_BACK]
        if fresh:
            answers = checked((yield [commands.one(names.stream, row.id) for row in fresh]))
            now = core.now
            for row, reply in zip(fresh, answers, strict=True):
                if not reply:
                    core.outbox.clean(row.id, None, now)
                elif row.id not in core.inflight:
                    # RIPC-RECOV-4
                    if read_running:
                        inbox.relisted.add(row.id)
                    inbox.take(parse(row.id, reply[0][1]), now, max(1, row.deliveries), row.deliveries > 1)
        if len(rows) < _PAGE:
            return
        start = b"(" + rows[-1].id


def leave(core: Core, read_ended: bool) -> Talk:
    """Deregister first, so that nobody hands over more; then empty and delete the own consumers (RIPC-LIFE-19 to 22)."""
    names = core.names
    yield [
        *commands.atomic([("LREM", names.registration, 0, names.consumer)]),
        ("DEL", names.announcement),
    ]
    answers = yield [
        commands.pending_of(names.stream, names.group, names.dispatcher, _PAGE),
        commands.pending_of(names.stream, names.group, names.consumer, _PAGE),
    ]
    if isinstance(answers[0], Failure) or isinstance(answers[1], Failure):
        return
    ours = [row for row in replies.pending_entries(answers[0]) if row.id not in core.inflight]
    handed = list(replies.pending_entries(answers[1]))
    back = [row.id for row in ours + handed if row.idle < commands.GIVEN_BACK]
    if back:
        # Requests that nobody started, and responses to whom it may concern: whoever lives on decides at once.
        lines = [commands.give_back(names.stream, names.group, names.dispatcher, back)]
        if core.settings.wakeups:
            lines.append(("PUBLISH", names.group_wakeup, b""))
        yield lines
    answers = yield [
        commands.pending_of(names.stream, names.group, names.dispatcher, 1),
        commands.pending_of(names.stream, names.group, names.consumer, 1),
    ]
    lines = []
    if answers[0] == [] and read_ended:
        lines.append(("XGROUP", "DELCONSUMER", names.stream, names.group, names.dispatcher))
    if answers[1] != []:
        if lines:
            yield lines
        return
    # A sibling that had looked into the list before we left it may hand over until the last moment: what goes with the consumer
    # is told by the same MULTI. These are responses that nobody waits for, and without their pending entry nobody would find them.
    look = commands.pending_of(names.stream, names.group, names.consumer, _PAGE)
    remove = ("XGROUP", "DELCONSUMER", names.stream, names.group, names.consumer)
    answers = yield lines + commands.atomic([look, remove])
    if isinstance(answers[-1], list) and isinstance(answers[-1][0], list):
        dropped = [row.id for row in replies.pending_entries(answers[-1][0])]
        if dropped:
            yield [commands.delete(names.stream, dropped)]


def _create_consumer(names: Names, consumer: bytes) -> Command:
    return ("XGROUP", "CREATECONSUMER", names.stream, names.group, consumer)


def _check_registration(answers: list[Any], core: Core) -> None:
    for reply in answers:
        failure = replies.first_failure([reply])
        # Out of memory refuses LPUSH: without a registration we still read our own responses, and try again soon.
        if failure is not None and failure.kind not in ("OOM", "MISCONF", "EXECABORT", "NOPERM"):
            # A MULTI that is not allowed makes EXEC fail as well: the first refusal says why.
            raise Refused(replies.first_failure(answers) or failure)
    if core.settings.wakeups and isinstance(answers[-1], Failure) and answers[-1].kind == "NOPERM":
        core.outbox.wakeups = False


def _learn_server(core: Core, answers: list[Any]) -> None:
    time, info = answers
    if isinstance(time, Failure):
        raise Refused(time)
    core.server_offset = replies.seconds(time) - core.now
    if isinstance(info, Failure):
        return
    text = info.decode("utf-8", "replace") if isinstance(info, bytes) else str(info)
    for line in text.splitlines():
        if line.startswith("redis_version:"):
            major, minor = line.partition(":")[2].split(".")[:2]
            core.server_version = (int(major), int(minor))
