"""Commands on lists, strings and any key: the availability list, the announcement, expiry."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.commands import Command

from .arguments import Refused, need, number, raw, syntax, word
from .model import Model, handles


@handles("DEL")
def _del(model: Model, command: Command) -> Any:
    need(command, 2)
    return sum(model.exists(raw(key)) and model.remove(raw(key)) for key in command[1:])


@handles("EXISTS")
def _exists(model: Model, command: Command) -> Any:
    need(command, 2)
    return sum(model.exists(raw(key)) for key in command[1:])


@handles("EXPIRE")
def _expire(model: Model, command: Command) -> Any:
    need(command, 3)
    key, seconds = raw(command[1]), number(command[2])
    if not model.exists(key):
        return 0
    if seconds <= 0:
        model.remove(key)
    else:
        model.expires[key] = model.wall() + seconds * 1000
    return 1


@handles("TTL")
def _ttl(model: Model, command: Command) -> Any:
    need(command, 2)
    key = raw(command[1])
    if not model.exists(key):
        return -2
    if key not in model.expires:
        return -1
    return (model.expires[key] - model.wall() + 500) // 1000


@handles("SET", needs_memory=True)
def _set(model: Model, command: Command) -> Any:
    need(command, 3)
    key, options = raw(command[1]), command[3:]
    expiry: int | None = None
    if options:
        if len(options) != 2 or word(options[0]) != "EX":
            raise syntax()
        expiry = number(options[1])
        if expiry <= 0:
            raise Refused("ERR", "invalid expire time in 'set' command")
    model.exists(key)
    model.remove(key)
    model.keys[key] = raw(command[2])
    if expiry is not None:
        model.expires[key] = model.wall() + expiry * 1000
    return b"OK"


@handles("GET")
def _get(model: Model, command: Command) -> Any:
    need(command, 2)
    return model.get(raw(command[1]), bytes)


@handles("LPUSH", needs_memory=True)
def _lpush(model: Model, command: Command) -> Any:
    need(command, 3)
    key = raw(command[1])
    items = model.get(key, list)
    if items is None:
        items = model.keys[key] = []
    for value in command[2:]:
        items.insert(0, raw(value))
    return len(items)


@handles("LREM")
def _lrem(model: Model, command: Command) -> Any:
    need(command, 4)
    key, count, value = raw(command[1]), number(command[2]), raw(command[3])
    items = model.get(key, list)
    if items is None:
        return 0
    order = range(len(items)) if count >= 0 else range(len(items) - 1, -1, -1)
    hits = [index for index in order if items[index] == value]
    if count:
        hits = hits[: abs(count)]
    for index in sorted(hits, reverse=True):
        del items[index]
    if not items:
        model.remove(key)
    return len(hits)


@handles("LRANGE")
def _lrange(model: Model, command: Command) -> Any:
    need(command, 4)
    items = model.get(raw(command[1]), list) or []
    start, stop = number(command[2]), number(command[3])
    size = len(items)
    start = max(0, start + size if start < 0 else start)
    stop = stop + size if stop < 0 else stop
    return items[start : stop + 1] if stop >= start else []


@handles("LPOS")
def _lpos(model: Model, command: Command) -> Any:
    need(command, 3)
    rank, options = 1, command[3:]
    if options:
        if len(options) != 2 or word(options[0]) != "RANK" or number(options[1]) < 1:
            raise syntax()
        rank = number(options[1])
    items = model.get(raw(command[1]), list) or []
    hits = [index for index, item in enumerate(items) if item == raw(command[2])]
    return hits[rank - 1] if len(hits) >= rank else None
