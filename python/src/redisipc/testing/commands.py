"""The commands that concern a connection, or the server as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redisipc.protocol.commands import Command
from redisipc.runtime.resp import MISSING

from .administration import ADMINISTRATION
from .connection import Connection
from .names import who
from .redis_model.arguments import Refused, number, raw, word
from .rights import acl


def _ping(connection: Connection, command: Command) -> Any:
    text = raw(command[1]) if len(command) > 1 else b""
    if connection.channels:
        return [b"pong", text]
    return text or b"PONG"


def _select(connection: Connection, command: Command) -> Any:
    connection.database = number(command[1])
    if not 0 <= connection.database < 16:
        connection.database = 0
        raise Refused("ERR", "DB index is out of range")
    return b"OK"


def _subscribe(connection: Connection, command: Command) -> Any:
    for channel in command[1:]:
        connection.subscribe(raw(channel))
        connection.say([b"subscribe", raw(channel), len(connection.channels)])
    return MISSING


def _unsubscribe(connection: Connection, command: Command) -> Any:
    named: list[bytes | None] = [raw(part) for part in command[1:]]
    for channel in named or list(connection.channels) or [None]:
        if channel is not None:
            connection.unsubscribe(channel)
        connection.say([b"unsubscribe", channel, len(connection.channels)])
    return MISSING


def _client(connection: Connection, command: Command) -> Any:
    server, action = connection.server, word(command[1])
    if action == "ID":
        return connection.number
    if action == "SETNAME":
        connection.name = raw(command[2]).decode()
        connection.who = who(connection.name)
    elif action == "GETNAME":
        return connection.name.encode() or None
    elif action == "UNBLOCK":
        other = server.connections.get(number(command[2]))
        return int(other is not None and other.unblock())
    elif action == "LIST":
        return b"".join(
            b"id=%d name=%b db=%d\n" % (one.number, one.name.encode(), one.database)
            for one in server.connections.values()
        )
    elif action == "KILL":
        return _kill(connection, command)
    elif action not in ("SETINFO", "NO-EVICT", "NO-TOUCH"):
        raise Refused("ERR", f"unknown subcommand '{action}'")
    return b"OK"


def _kill(connection: Connection, command: Command) -> int:
    if len(command) != 4 or word(command[2]) not in ("ID", "TYPE"):
        raise Refused("ERR", "the model knows CLIENT KILL ID and CLIENT KILL TYPE")
    number_or_kind = raw(command[3]).lower()
    hit = 0
    for one in list(connection.server.connections.values()):
        kind = b"pubsub" if one.channels else b"normal"
        if number_or_kind in (b"%d" % one.number, kind) and one is not connection:
            one.break_off("the connection was killed")
            hit += 1
    return hit


def _flush(connection: Connection, command: Command) -> Any:
    connection.server.empty(None if command[0] == "FLUSHALL" else connection.database)
    return b"OK"


def _quit(connection: Connection, _command: Command) -> Any:
    connection.say(b"OK")
    connection.flush()
    connection.break_off("the client said QUIT")
    return MISSING


OWN: dict[str, Callable[[Connection, Command], Any]] = {
    **ADMINISTRATION,
    "PING": _ping,
    "SELECT": _select,
    "SUBSCRIBE": _subscribe,
    "UNSUBSCRIBE": _unsubscribe,
    "CLIENT": _client,
    "FLUSHALL": _flush,
    "FLUSHDB": _flush,
    "QUIT": _quit,
    "ACL": acl,
}
