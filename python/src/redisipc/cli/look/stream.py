"""A stream as it stands: what Redis says about it, its groups and their instances. At most four round trips."""

from __future__ import annotations

from typing import Any, NamedTuple

from redisipc.cli.exits import NOBODY, REDIS, Problem
from redisipc.cli.redis.client import Client
from redisipc.protocol.commands import Failure
from redisipc.protocol.replies import as_bytes, flat, seconds

from .instances import Consumer, Instance, commands_for, ids_of, instances_from


class Group(NamedTuple):
    """One group. ``lag``: entries that it has not read, None where Redis does not say. ``others``: consumers that are not ours."""

    name: str
    last_read: str
    pending: int
    lag: int | None
    consumers: list[Consumer]
    instances: list[Instance]

    @property
    def alive(self) -> list[Instance]:
        """Instances that give a sign of life and may run handlers."""
        return [each for each in self.instances if each.alive and each.serves]

    @property
    def last_seen(self) -> float | None:
        """Seconds since any instance gave a sign of life."""
        return min((each.seen for each in self.instances if each.seen is not None), default=None)


class Found(NamedTuple):
    """``added``: entries that were ever added, None before Redis 7. ``now``: Redis' clock in seconds, None without the right."""

    name: str
    length: int
    last_id: str
    added: int | None
    groups: list[Group]
    now: float | None

    def group(self, name: str) -> Group | None:
        return next((each for each in self.groups if each.name == name), None)


def fields(row: Any) -> dict[str, Any]:
    """A row of XINFO by its names."""
    parts = flat(row)
    return {as_bytes(parts[i]).decode("utf-8", "replace"): parts[i + 1] for i in range(0, len(parts) - 1, 2)}


def text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def look(client: Client, stream: str, only: str | None = None) -> Found | None:
    """The stream, with the instances of all groups, or of ``only`` this one. None where there is no such stream."""
    about, rows, time = client.batch([("XINFO", "STREAM", stream), ("XINFO", "GROUPS", stream), ("TIME",)])
    if isinstance(about, Failure) and "no such key" in about.message:
        return None
    if isinstance(about, Failure) and about.kind == "WRONGTYPE":
        raise _not_a_stream(client, stream, about)
    client.check([about, rows])
    named = [fields(row) for row in rows]
    wanted = [each for each in named if only is None or text(each["name"]) == only]
    lines = [("XINFO", "CONSUMERS", stream, each["name"]) for each in wanted]
    answers = client.batch(list(lines)) if lines else []
    client.check(answers, "NOGROUP")
    consumers = {text(each["name"]): _consumers(answer) for each, answer in zip(wanted, answers, strict=True)}
    looks: list[Any] = []
    for name, rows_of in consumers.items():
        looks += commands_for(stream, name, ids_of(rows_of))
    replies = client.batch(looks) if looks else []
    groups, at = [], 0
    for each in named:
        name = text(each["name"])
        own = consumers.get(name, [])
        size = 3 * len(ids_of(own))
        groups.append(_group(each, own, instances_from(own, replies[at : at + size])))
        at += size
    facts = fields(about)
    return Found(
        stream,
        int(facts["length"]),
        text(facts["last-generated-id"]),
        facts.get("entries-added"),
        groups,
        None if isinstance(time, Failure) else seconds(time),
    )


def _not_a_stream(client: Client, stream: str, refusal: Failure) -> Problem:
    [kind] = client.batch([("TYPE", stream)])
    if not isinstance(kind, bytes):
        return client.refused(refusal)
    return Problem(
        REDIS,
        f"the key {stream!r} in Redis {client.address}, database {client.address.db}, is a {kind.decode()} and not a stream; "
        "is --stream right? If it is, another program uses this key: give the stream another name",
    )


def _consumers(reply: Any) -> list[Consumer]:
    if isinstance(reply, Failure):
        return []
    rows = [fields(row) for row in reply]
    return [Consumer(row["name"], int(row["pending"]), int(row["idle"]) / 1000) for row in rows]


def _group(row: dict[str, Any], consumers: list[Consumer], instances: list[Instance]) -> Group:
    lag = row.get("lag")
    return Group(
        text(row["name"]),
        text(row["last-delivered-id"]),
        int(row["pending"]),
        lag if isinstance(lag, int) else None,
        consumers,
        instances,
    )


def no_stream(client: Client, stream: str) -> Problem:
    """Nobody ever connected there; the commonest cause is another Redis, so it says which one this is."""
    about = client.batch([("DBSIZE",)])[0]
    keys = f" This database has {about} keys." if isinstance(about, int) else ""
    return Problem(
        NOBODY,
        f"there is no stream {stream!r} in Redis {client.address}, database {client.address.db} ({client.source}): "
        f"nobody ever connected to it here.{keys} Does the other side use this Redis and this stream? "
        "The gem reads REDIS_HOST and REDIS_PORT, and not REDIS_URL.",
    )


def no_group(found: Found, name: str) -> str:
    """Why nobody can answer: the group does not exist."""
    import difflib

    names = [each.name for each in found.groups]
    there = f"groups here: {', '.join(sorted(names))}" if names else "there is no group here"
    near = difflib.get_close_matches(name, names, 1, 0.6)
    # Nothing near: the program that is missed runs elsewhere, if it runs.
    hint = (
        f"did you mean {near[0]!r}?"
        if near
        else "if its program runs, it is on another Redis or stream: redisipc doctor"
    )
    return f"there is no group {name!r} ({there}); {hint}"
