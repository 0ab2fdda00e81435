"""ACL: the commands that a server refuses. All connections are of the user ``default``."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.commands import Command, Failure

from .connection import Connection
from .redis_model.arguments import Refused, need, raw, word
from .redis_model.model import ENDS, HANDLERS

ALWAYS = frozenset(("ACL", "AUTH", "HELLO", "QUIT", *ENDS))
"""Commands that are always allowed: those that begin and end a connection or a transaction, and ACL itself."""


def refusal(connection: Connection, name: str) -> Failure | None:
    """The reply to a refused command. A transaction that contains it fails."""
    if name not in connection.server.denied or name in ALWAYS:
        return None
    if connection.client.queue is not None:
        connection.client.dirty = True
    return Failure("NOPERM", f"NOPERM this user has no permissions to run the '{name.lower()}' command")


def acl(connection: Connection, command: Command) -> Any:
    """ACL WHOAMI, and ACL SETUSER default with +NAME, -NAME, +@all and -@all."""
    need(command, 2)
    action, server = word(command[1]), connection.server
    if action == "WHOAMI":
        return b"default"
    if action != "SETUSER":
        raise Refused("ERR", f"unknown subcommand '{action}'")
    need(command, 3)
    if raw(command[2]) != b"default":
        raise Refused("ERR", "the model has one user, whose name is default")
    known = set(HANDLERS) | set(connection.own)
    denied = set(server.denied)
    for given in command[3:]:
        rule = word(given)
        names = known if rule[1:] == "@ALL" else {rule[1:]}
        if rule[:1] not in ("+", "-") or (rule[1:] not in known and rule[1:] not in ("@ALL", "PSUBSCRIBE")):
            raise Refused("ERR", f"Error in ACL SETUSER modifier '{raw(given).decode()}': the model does not know it")
        denied = denied - names if rule[0] == "+" else denied | names
    server.denied = denied
    return b"OK"
