"""Commands of consumer groups except claims: creation, reads, acknowledgements, pending lists."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from redisipc.protocol.commands import Arg, Command

from . import model as model_module
from .arguments import Refused, entry_key, need, number, range_end, range_start, raw, syntax, word
from .data import Consumer, Group, Key, Pending, Stream, show
from .model import Blocked, Model, handles


def consumer_of(group: Group, name: bytes, now: int) -> Consumer:
    consumer = group.consumers.get(name)
    if consumer is None:
        consumer = group.consumers[name] = Consumer(name, now)
    return consumer


def seen(consumer: Consumer, now: int) -> None:
    consumer.seen = now


def start_of(value: Arg, stream: Stream) -> Key:
    return stream.last if value in ("$", b"$") else entry_key(value)


@handles("XGROUP")
def _xgroup(model: Model, command: Command) -> Any:
    need(command, 4)
    action, key, name = word(command[1]), raw(command[2]), raw(command[3])
    stream = model.get(key, Stream)
    if action == "CREATE":
        return _create(model, command, stream, key, name)
    if stream is None:
        raise Refused("ERR", "The XGROUP subcommand requires the key to exist.")
    if action == "DESTROY":
        if stream.groups.pop(name, None) is None:
            return 0
        model.tell_vanished(key, name, model.profile.destroyed)
        return 1
    need(command, 5)
    group = stream.groups.get(name)
    if group is None:
        raise Refused("NOGROUP", f"No such consumer group '{name.decode()}' for key name '{key.decode()}'")
    if action == "SETID":
        group.last = start_of(command[4], stream)
        return b"OK"
    consumer = raw(command[4])
    if action == "CREATECONSUMER":
        if consumer in group.consumers:
            return 0
        group.consumers[consumer] = Consumer(consumer, model.wall())
        return 1
    if action == "DELCONSUMER":
        old = group.consumers.pop(consumer, None)
        if old is None:
            return 0
        for id in old.pending:
            del group.pending[id]
        if model.observer is not None:
            model.observer.dropped(name, consumer, list(old.pending))
        return len(old.pending)
    raise syntax()


def _create(model: Model, command: Command, stream: Stream | None, key: bytes, name: bytes) -> Any:
    need(command, 5)
    options = [word(part) for part in command[5:]]
    if any(option != "MKSTREAM" for option in options):
        raise syntax()
    if stream is None:
        if not options:
            raise Refused("ERR", "The XGROUP subcommand requires the key to exist.")
        start = start_of(command[4], Stream())
        stream = model.keys[key] = Stream()
    else:
        start = start_of(command[4], stream)
    if name in stream.groups:
        raise Refused("BUSYGROUP", "Consumer Group name already exists")
    stream.groups[name] = Group(name, start)
    if model.observer is not None:
        model.observer.made(name)
    return b"OK"


@lru_cache(maxsize=512)
def _read_options(command: Command) -> tuple[bytes, bytes, int, int, bytes, Key | None]:
    """Group, consumer, COUNT (0: all), BLOCK (-1: not at all), key, and the ID to start after (None: what is new)."""
    count, block, position = 0, -1, 4
    while position + 1 < len(command):
        option = word(command[position])
        if option == "COUNT":
            count = max(0, number(command[position + 1]))
        elif option == "BLOCK":
            block = number(command[position + 1])
        elif option == "STREAMS":
            break
        else:
            raise syntax()
        position += 2
    else:
        raise syntax()
    if len(command) != position + 3:
        raise Refused("ERR", "the model reads one stream at a time")
    key, start = raw(command[position + 1]), command[position + 2]
    return raw(command[2]), raw(command[3]), count, block, key, None if start in (">", b">") else entry_key(start)


@handles("XREADGROUP")
def _xreadgroup(model: Model, command: Command) -> Any:
    need(command, 7)
    name, consumer_name, count, block, key, start = _read_options(command)
    stream, group = model.group(key, name, " in XREADGROUP with GROUP option")
    if start is not None:
        return _read_own(model, group, key, consumer_name, start, count, stream)
    if stream.last > group.last:
        rows = read_new(model, stream, group, consumer_name, count)
        if rows:
            return [[key, rows]]
    consumer = group.consumers.get(consumer_name)
    if consumer is not None:
        consumer.seen = model.wall()
    elif model.profile.blocked_creates:
        consumer_of(group, consumer_name, model.wall())
    if block < 0:
        return None
    return Blocked(key, name, consumer_name, count, block)


def read_new(model: Model, stream: Stream, group: Group, consumer_name: bytes, count: int) -> list[Any]:
    now = model.wall()
    found = stream.after(group.last, count)
    if not found:
        return []
    consumer = group.consumers.get(consumer_name) or consumer_of(group, consumer_name, now)
    consumer.seen = consumer.active = now
    alive = model.clock()
    for id, key, _ in found:
        group.give(id, key, consumer, now, alive)
    group.last = found[-1][1]
    return [[id, body] for id, _, body in found]


def _serve(model: Model, stream: Stream, group: Group, blocked: Blocked) -> list[Any]:
    return read_new(model, stream, group, blocked.consumer, blocked.count)


model_module.SERVE = _serve


def _read_own(
    model: Model, group: Group, key: bytes, name: bytes, after: Key, count: int, stream: Stream
) -> list[list[Any]]:
    now = model.wall()
    consumer = consumer_of(group, name, now)
    seen(consumer, now)
    rows: list[Any] = []
    if consumer.pending:
        for pending in consumer.in_order():
            if pending.key <= after:
                continue
            body = stream.bodies.get(pending.id)
            if body is not None:
                pending.time = now
                pending.alive = model.clock()
                pending.count += 1
            rows.append([pending.id, body])
            if len(rows) == count:
                break
    return [[key, rows]]


@handles("XACK")
def _xack(model: Model, command: Command) -> Any:
    need(command, 4)
    stream = model.get(raw(command[1]), Stream)
    group = stream.groups.get(raw(command[2])) if stream is not None else None
    if group is None:
        return 0
    done = 0
    for given in command[3:]:
        if group.drop(given):  # type: ignore[arg-type]
            done += 1
        else:
            done += group.drop(show(entry_key(given)))
    return done


@handles("XPENDING")
def _xpending(model: Model, command: Command) -> Any:
    need(command, 3)
    if len(command) == 3:
        _, group = model.group(raw(command[1]), raw(command[2]))
        return _summary(group)
    position, least = 3, 0
    if word(command[3]) == "IDLE":
        need(command, 8)
        least, position = number(command[4]), 5
    if len(command) not in (position + 3, position + 4):
        raise syntax()
    count = max(0, number(command[position + 2]))
    start, end = range_start(command[position]), range_end(command[position + 1])
    _, group = model.group(raw(command[1]), raw(command[2]))
    consumer: Consumer | None = None
    if len(command) == position + 4:
        consumer = group.consumers.get(raw(command[position + 3]))
        if consumer is None:
            return []
    return _extended(model, group, consumer, start, end, count, least)


def _extended(
    model: Model, group: Group, consumer: Consumer | None, start: Key, end: Key, count: int, least: int
) -> list[Any]:
    now = model.wall()
    if start == end:
        one = (group if consumer is None else consumer).pending.get(show(start))
        items = [one] if one is not None else []
    elif consumer is not None:
        items = consumer.in_order()
    else:
        items = [item for item in group.pending.values() if now - item.time >= least] if least else group.in_order()
        if least:
            items.sort(key=_key_of)
    rows: list[Any] = []
    for item in items:
        if len(rows) == count:
            break
        idle = max(0, now - item.time)
        if start <= item.key <= end and idle >= least:
            rows.append([item.id, item.consumer.name, idle, item.count])
    return rows


def _key_of(item: Pending) -> Key:
    return item.key


def _summary(group: Group) -> list[Any]:
    if not group.pending:
        return [0, None, None, None]
    order = group.in_order()
    owners = [
        [name, b"%d" % len(consumer.pending)] for name, consumer in sorted(group.consumers.items()) if consumer.pending
    ]
    return [len(order), order[0].id, order[-1].id, owners]
