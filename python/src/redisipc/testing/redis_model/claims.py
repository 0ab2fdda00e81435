"""XCLAIM and XAUTOCLAIM."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.commands import Command

from .arguments import Refused, entry_key, need, number, range_start, raw, syntax, word
from .data import Consumer, Group, Pending, Stream, show
from .groups import consumer_of
from .model import Model, handles

SCANNED_PER_COUNT = 10
"""XAUTOCLAIM looks at this many pending entries for each one that it may return."""


class _Options:
    """The options after the IDs of an XCLAIM."""

    __slots__ = ("force", "just_id", "last", "retries", "time")

    def __init__(self, command: Command, position: int, now: int) -> None:
        self.force = self.just_id = False
        self.retries = -1
        self.time = now
        self.last: tuple[int, int] | None = None
        while position < len(command):
            option = word(command[position])
            if option == "FORCE":
                self.force = True
            elif option == "JUSTID":
                self.just_id = True
            elif option in ("IDLE", "TIME", "RETRYCOUNT", "LASTID") and position + 1 < len(command):
                position += 1
                self._valued(option, command[position], now)
            else:
                raise Refused("ERR", f"Unrecognized XCLAIM option '{option}'")
            position += 1
        if self.time < 0 or self.time > now:
            self.time = now

    def _valued(self, option: str, value: str | bytes | int, now: int) -> None:
        if option == "IDLE":
            self.time = now - number(value)
        elif option == "TIME":
            self.time = number(value)
        elif option == "LASTID":
            self.last = entry_key(value)
        else:
            self.retries = number(value)
            if self.retries < 0:
                raise Refused("ERR", "Invalid RETRYCOUNT option argument for XCLAIM")


@handles("XCLAIM")
def _xclaim(model: Model, command: Command) -> Any:
    need(command, 6)
    stream, group = model.group(raw(command[1]), raw(command[2]))
    least = max(0, number(command[4]))
    end = 5
    size = len(command)
    while end < size and (command[end] in group.pending or _is_id(command[end])):
        end += 1
    if end == 5:
        entry_key(command[5])
    now = model.wall()
    options = _Options(command, end, now)
    if options.last is not None and options.last > group.last:
        group.last = options.last
    name = raw(command[3])
    consumer = group.consumers.get(name)
    if consumer is None and model.profile.claim_creates:
        consumer = consumer_of(group, name, now)
    if consumer is not None:
        consumer.seen = now
    rows: list[Any] = []
    for given in command[5:end]:
        id = given if given in group.pending else show(entry_key(given))
        pending = group.pending.get(id)
        body = stream.bodies.get(id)
        if body is None and model.profile.drops_gone:
            if pending is not None:
                group.drop(pending.id)
            continue
        fresh = False
        if pending is None:
            if not options.force or (body is None and model.profile.drops_gone):
                continue
            if body is None:
                continue
            consumer = consumer or consumer_of(group, name, now)
            key = entry_key(id)
            pending = Pending(show(key), key, consumer, now, 1, model.clock())
            group.pending[pending.id] = consumer.pending[pending.id] = pending
            fresh = True
        if not fresh and least and now - pending.time < least:
            continue
        consumer = consumer or consumer_of(group, name, now)
        _move(model, group, pending, consumer)
        pending.time = options.time
        if options.retries >= 0:
            pending.count = options.retries
        elif not options.just_id:
            pending.count += 1
        consumer.active = now
        rows.append(_row(pending, body, options.just_id))
    return rows


def _move(model: Model, group: Group, pending: Pending, consumer: Consumer) -> None:
    if pending.consumer is not consumer and model.observer is not None:
        model.observer.moved(group.name, pending, consumer.name)
    group.move(pending, consumer)
    pending.alive = model.clock()


def _is_id(value: Any) -> bool:
    try:
        entry_key(value)
    except Refused:
        return False
    return True


def _row(pending: Pending, body: list[bytes] | None, just_id: bool) -> Any:
    if just_id:
        return pending.id
    return [pending.id, body] if body is not None else None


@handles("XAUTOCLAIM")
def _xautoclaim(model: Model, command: Command) -> Any:
    need(command, 6)
    least = max(0, number(command[4]))
    start = range_start(command[5])
    count, just_id, position = 100, False, 6
    while position < len(command):
        option = word(command[position])
        if option == "COUNT" and position + 1 < len(command):
            position += 1
            count = number(command[position])
            if count <= 0:
                raise Refused("ERR", "COUNT must be > 0")
        elif option == "JUSTID":
            just_id = True
        else:
            raise syntax()
        position += 1
    stream, group = model.group(raw(command[1]), raw(command[2]))
    now = model.wall()
    name = raw(command[3])
    consumer = group.consumers.get(name)
    if consumer is None and model.profile.claim_creates:
        consumer = consumer_of(group, name, now)
    if consumer is not None:
        consumer.seen = now
    return _scan(model, stream, group, consumer, name, least, start, count, just_id)


def _scan(
    model: Model, stream: Stream, group: Group, consumer: Consumer | None, name: bytes, least: int,
    start: tuple[int, int], count: int, just_id: bool,
) -> list[Any]:  # fmt: skip
    now = model.wall()
    attempts = count * SCANNED_PER_COUNT
    order = [pending for pending in group.in_order() if pending.key >= start]
    rows: list[Any] = []
    gone: list[bytes] = []
    index = 0
    while index < len(order) and attempts and count:
        attempts -= 1
        pending = order[index]
        index += 1
        body = stream.bodies.get(pending.id)
        if body is None and model.profile.drops_gone:
            group.drop(pending.id)
            gone.append(pending.id)
            count -= 1
            continue
        if least and now - pending.time < least:
            continue
        consumer = consumer or consumer_of(group, name, now)
        _move(model, group, pending, consumer)
        pending.time = now
        if not just_id:
            pending.count += 1
        consumer.active = now
        rows.append(_row(pending, body, just_id))
        count -= 1
    cursor = order[index].id if index < len(order) else b"0-0"
    return [cursor, rows, gone] if model.profile.drops_gone else [cursor, rows]
