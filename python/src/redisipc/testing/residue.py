"""Lists what is left on a hub at the end: entries, and traces of clients that have gone."""

from __future__ import annotations

from redisipc.protocol.entry import Entry, parse
from redisipc.protocol.names import instance_of

from .names import short
from .redis_model.data import LAST_KEY, ZERO, Stream
from .server import Server

ENDPOINTS = (":write", ":read")
"""How the names of an endpoint's connections end. Those of a ``Caller``, and of the hub's own peers, have other ends."""


def residue(server: Server) -> list[str]:
    """One line for each. Hold the server's lock."""
    living = {one.who.rpartition("/")[2] for one in server.connections.values()}
    found: list[str] = []
    for model in server.models.values():
        for key, value in sorted(model.keys.items()):
            if not model.exists(key):
                continue
            name = key.decode("utf-8", "replace")
            if isinstance(value, Stream):
                found += _of_stream(name, value, living)
            elif name.count(":") < 3 or name.rsplit(":", 2)[1] not in living:
                found.append(f"the key {name!r}, whose instance is not connected any longer")
    return found


def connected(server: Server) -> list[str]:
    """Each instance of a group once. Hold the server's lock."""
    return sorted({one.who for one in server.connections.values() if one.name.endswith(ENDPOINTS)})


def _of_stream(name: str, stream: Stream, living: set[str]) -> list[str]:
    found = []
    for id, _, fields in stream.between(ZERO, LAST_KEY):
        holders = [
            f"{group.name.decode('utf-8', 'replace')} ({group.pending[id].consumer.name.decode('utf-8', 'replace')})"
            for group in stream.groups.values()
            if id in group.pending
        ]
        held = f", pending with {' and '.join(holders)}" if holders else ""
        found.append(f"{_what(parse(id, fields))} on stream {name!r}, entry {id.decode()}{held}")
    for group in stream.groups.values():
        label = group.name.decode("utf-8", "replace")
        for pending in group.in_order():
            if pending.id not in stream.bodies:
                found.append(f"entry {pending.id.decode()} pending with group {label!r} on {name!r}, which was deleted")
        for consumer in group.consumers:
            instance = instance_of(consumer)
            if instance is None or instance.decode() not in living:
                found.append(f"the consumer {consumer.decode('utf-8', 'replace')!r} of group {label!r} on {name!r}")
    return found


def _what(entry: object) -> str:
    if not isinstance(entry, Entry):
        return "what is not an entry of RedisIPC"
    kind = "a request" if entry.status == b"pending" else f"a {entry.status.decode()} response"
    between = f"{entry.source_group.decode('utf-8', 'replace')} -> {entry.destination_group.decode('utf-8', 'replace')}"
    return f"{kind} {between} {short(entry.content)}"
