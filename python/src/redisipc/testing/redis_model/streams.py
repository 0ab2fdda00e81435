"""Commands on the stream itself."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from redisipc.protocol.commands import Command

from .arguments import Refused, entry_key, need, number, range_end, range_start, raw, syntax, word
from .data import ZERO, Key, Stream, show
from .model import Blocked, Model, handles
from .trimming import read_trim

BYTES = {bytes}
AS_SENT = (("NOMKSTREAM", "*"), (b"NOMKSTREAM", b"*"))


@handles("XADD", needs_memory=True)
def _xadd(model: Model, command: Command) -> Any:
    need(command, 5)
    key, position, make, trim = raw(command[1]), 2, True, None
    if command[2:4] in AS_SENT:
        # As the library sends it, without a look at each word.
        make, position = False, 3
    while command[position] not in ("*", b"*"):
        option = word(command[position])
        if option == "NOMKSTREAM":
            make, position = False, position + 1
        elif option in ("MAXLEN", "MINID") and trim is None:
            trim, position = read_trim(command, position)
        else:
            break
        need(command, position + 3)
    given = command[position]
    fields: list[bytes] = list(command[position + 1 :])  # type: ignore[arg-type]
    if set(map(type, fields)) != BYTES:
        fields = [raw(part) for part in fields]
    if not fields or len(fields) % 2:
        raise Refused("ERR", "wrong number of arguments for 'xadd' command")
    explicit = None if given in ("*", b"*") else entry_key(given)
    if explicit == ZERO:
        raise Refused("ERR", "The ID specified in XADD must be greater than 0-0")
    stream = model.get(key, Stream)
    if stream is None and not make and model.observer is not None:
        model.observer.missed(key)
        stream = model.get(key, Stream)
    if stream is None:
        if not make:
            return None
        stream = model.keys[key] = Stream()
    ms, sequence = stream.last
    if explicit is None:
        now = model.wall()
        new = (now, 0) if now > ms else (ms, sequence + 1)
    elif explicit <= stream.last:
        raise Refused("ERR", "The ID specified in XADD is equal or smaller than the target stream top item")
    else:
        new = explicit
    model.touched = key
    id = stream.add(new, fields)
    if model.observer is not None:
        model.observer.added(id, fields)
    if trim is not None:
        trim.cut(stream)
    return id


@handles("XLEN")
def _xlen(model: Model, command: Command) -> Any:
    stream = model.get(raw(command[1]), Stream)
    return len(stream.bodies) if stream is not None else 0


@handles("XDEL")
def _xdel(model: Model, command: Command) -> Any:
    need(command, 3)
    stream = model.get(raw(command[1]), Stream)
    if stream is None:
        return 0
    gone = 0
    for given in command[2:]:
        if stream.delete(given):  # type: ignore[arg-type]
            gone += 1
            if model.observer is not None:
                model.observer.deleted(given)  # type: ignore[arg-type]
        else:
            gone += stream.delete(show(entry_key(given)))
    return gone


@handles("XRANGE")
def _xrange(model: Model, command: Command) -> Any:
    need(command, 4)
    if command[2] == command[3] and type(command[2]) is bytes and len(command) == 4:
        stream = model.get(raw(command[1]), Stream)
        if stream is not None and command[2] in stream.bodies:
            return [[command[2], stream.bodies[command[2]]]]
    return _ranged(model, command, range_start(command[2]), range_end(command[3]), backwards=False)


@handles("XREVRANGE")
def _xrevrange(model: Model, command: Command) -> Any:
    need(command, 4)
    return _ranged(model, command, range_start(command[3]), range_end(command[2]), backwards=True)


def _ranged(model: Model, command: Command, start: Key, end: Key, backwards: bool) -> Any:
    count = -1
    if len(command) == 6 and word(command[4]) == "COUNT":
        count = max(0, number(command[5]))
    elif len(command) != 4:
        raise syntax()
    stream = model.get(raw(command[1]), Stream)
    if stream is None:
        return []
    if count == 0:
        return None
    found: Iterable[tuple[bytes, Key, list[bytes]]] = stream.between(start, end)
    if backwards:
        found = reversed(list(found))
    return [[id, body] for id, _, body in islice(found, count if count > 0 else None)]


@handles("XREAD")
def _xread(model: Model, command: Command) -> Any:
    need(command, 4)
    count, block, position = 0, -1, 1
    while position + 2 < len(command) and (option := word(command[position])) != "STREAMS":
        if option == "COUNT":
            count = max(0, number(command[position + 1]))
        elif option == "BLOCK":
            block = number(command[position + 1])
        else:
            raise syntax()
        position += 2
    if len(command) != position + 3:
        raise Refused("ERR", "the model reads one stream at a time")
    key, start = raw(command[position + 1]), command[position + 2]
    stream = model.get(key, Stream)
    last = stream.last if stream is not None else ZERO
    after = last if start in ("$", b"$") else entry_key(start)
    found = stream.after(after, count) if stream is not None else []
    if found:
        return [[key, [[id, body] for id, _, body in found]]]
    return None if block < 0 else Blocked(key, b"", b"", count, block, after)


@handles("XTRIM")
def _xtrim(model: Model, command: Command) -> Any:
    need(command, 4)
    if word(command[2]) not in ("MAXLEN", "MINID"):
        raise syntax()
    trim, position = read_trim(command, 2)
    if position != len(command):
        raise syntax()
    stream = model.get(raw(command[1]), Stream)
    return trim.cut(stream) if stream is not None else 0


@handles("XINFO")
def _xinfo(model: Model, command: Command) -> Any:
    need(command, 3)
    kind, key = word(command[1]), raw(command[2])
    stream = model.get(key, Stream)
    if stream is None:
        raise Refused("ERR", "no such key")
    if kind == "STREAM":
        return [
            b"length", len(stream.bodies),
            b"last-generated-id", show(stream.last),
            b"groups", len(stream.groups),
        ]  # fmt: skip
    if kind == "GROUPS":
        return [
            [
                b"name", group.name,
                b"consumers", len(group.consumers),
                b"pending", len(group.pending),
                b"last-delivered-id", show(group.last),
            ]
            for _, group in sorted(stream.groups.items())
        ]  # fmt: skip
    if kind != "CONSUMERS":
        raise syntax()
    need(command, 4)
    name = raw(command[3])
    group = stream.groups.get(name)
    if group is None:
        raise Refused("NOGROUP", f"No such consumer group '{name.decode()}' for key name '{key.decode()}'")
    now = model.wall()
    rows = []
    for _, consumer in sorted(group.consumers.items()):
        row: list[Any] = [b"name", consumer.name, b"pending", len(consumer.pending)]
        row += [b"idle", max(0, now - consumer.seen)]
        if model.profile.inactive:
            row += [b"inactive", -1 if consumer.active < 0 else max(0, now - consumer.active)]
        rows.append(row)
    return rows
