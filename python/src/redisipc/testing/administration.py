"""Commands about the server and its keys. Tests send them, the library does not."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from redisipc.protocol.commands import Command, Failure

from . import scripts
from .connection import Connection
from .redis_model.arguments import Refused, entry_key, need, number, raw, word
from .redis_model.data import Stream


def _keys(connection: Connection) -> list[bytes]:
    model = connection.server.model(connection.database)
    return [key for key in list(model.keys) if model.exists(key)]


def _matching(connection: Connection, pattern: bytes) -> list[bytes]:
    return [key for key in _keys(connection) if fnmatch.fnmatchcase(key.decode("latin-1"), pattern.decode("latin-1"))]


def _all_keys(connection: Connection, command: Command) -> Any:
    return _matching(connection, raw(command[1]))


def _scan(connection: Connection, command: Command) -> Any:
    """Returns all keys at once, with the cursor at its end."""
    options = {word(command[at]): raw(command[at + 1]) for at in range(2, len(command) - 1, 2)}
    found = _matching(connection, options.get("MATCH", b"*"))
    if "TYPE" in options:
        found = [key for key in found if _type_of(connection, key) == options["TYPE"].lower()]
    return [b"0", found]


def _size(connection: Connection, _command: Command) -> Any:
    return len(_keys(connection))


def _type_of(connection: Connection, key: bytes) -> bytes:
    model = connection.server.model(connection.database)
    value = model.keys[key] if model.exists(key) else None
    kinds = {type(None): b"none", Stream: b"stream", list: b"list", bytes: b"string"}
    return kinds[type(value)]


def _type(connection: Connection, command: Command) -> Any:
    return _type_of(connection, raw(command[1]))


def _shutdown(connection: Connection, command: Command) -> Any:
    save = len(command) < 2 or word(command[1]) != "NOSAVE"
    if connection.server.on_shutdown is None:
        raise Refused("ERR", "this hub is in the memory of a program, which alone can end it")
    connection.server.on_shutdown(save)
    connection.break_off("the server was shut down")
    return None


def _config(connection: Connection, command: Command) -> Any:
    """Store settings by name. Known names have an effect: with a maxmemory of 1 byte, there is no memory at all."""
    need(command, 3)
    server, action = connection.server, word(command[1])
    if action == "GET":
        found = [name for name in server.settings if fnmatch.fnmatchcase(name, raw(command[2]).decode().lower())]
        return [part.encode() for name in found for part in (name, server.settings[name])]
    if action == "SET":
        for at in range(2, len(command) - 1, 2):
            name, value = raw(command[at]).decode().lower(), raw(command[at + 1]).decode()
            if name not in server.settings:
                raise Refused("ERR", f"Unknown option or number of arguments for CONFIG SET - '{name}'")
            server.settings[name] = value
        server.settle()
    elif action != "RESETSTAT":
        raise Refused("ERR", f"unknown subcommand '{action}'")
    return b"OK"


def _hello(_connection: Connection, command: Command) -> Any:
    if len(command) > 1 and number(command[1]) != 2:
        return Failure("NOPROTO", "NOPROTO unsupported protocol version: the model speaks RESP2")
    return [b"server", b"redis", b"version", b"0.0.0", b"proto", 2]


def _age(connection: Connection, command: Command) -> Any:
    """MODEL.AGE stream group milliseconds: makes its consumers so much older. Returns their number."""
    stream = connection.server.model(connection.database).get(raw(command[1]), Stream)
    if stream is None or raw(command[2]) not in stream.groups:
        raise Refused("ERR", "no such stream or group")
    consumers, older = stream.groups[raw(command[2])].consumers, number(command[3])
    for consumer in consumers.values():
        consumer.seen -= older
        if consumer.active > 0:
            consumer.active -= older
    return len(consumers)


def _channels(connection: Connection, command: Command) -> Any:
    if word(command[1]) != "NUMSUB":
        raise Refused("ERR", f"unknown subcommand '{word(command[1])}'")
    subscribers = connection.server.model(0).subscribers
    return [part for key in command[2:] for part in (raw(key), len(subscribers.get(raw(key), [])))]


def _evaluate(connection: Connection, command: Command) -> Any:
    """Waiting reads are served after the script has ended, so no command comes in between."""
    need(command, 3)
    count = number(command[2])
    keys, arguments = [raw(part) for part in command[3 : 3 + count]], [raw(part) for part in command[3 + count :]]
    model, written = connection.server.model(connection.database), set()
    connection.server.writes(connection)

    def call(one: Command) -> Any:
        reply = connection.server.tell(connection, one, model.execute(one))
        written.add(model.touched)
        return reply

    try:
        return scripts.run(raw(command[1]).decode(), keys, arguments, call)
    finally:
        for key in written:
            model.serve(key)


def _milliseconds_left(connection: Connection, command: Command) -> Any:
    model, key = connection.server.model(connection.database), raw(command[1])
    if not model.exists(key):
        return -2
    return model.expires[key] - model.wall() if key in model.expires else -1


def _set_id(connection: Connection, command: Command) -> Any:
    stream = connection.server.model(connection.database).get(raw(command[1]), Stream)
    if stream is None:
        raise Refused("ERR", "no such key")
    stream.last = entry_key(command[2])
    return b"OK"


ADMINISTRATION: dict[str, Callable[[Connection, Command], Any]] = {
    "KEYS": _all_keys,
    "SCAN": _scan,
    "DBSIZE": _size,
    "TYPE": _type,
    "SHUTDOWN": _shutdown,
    "CONFIG": _config,
    "HELLO": _hello,
    "XSETID": _set_id,
    "MODEL.AGE": _age,
    "PUBSUB": _channels,
    "EVAL": _evaluate,
    "PTTL": _milliseconds_left,
}
