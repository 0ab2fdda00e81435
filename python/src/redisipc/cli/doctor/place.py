"""Whether everybody uses this Redis, this database and this stream."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator

from redisipc.cli.exits import Problem
from redisipc.cli.look.stream import look
from redisipc.cli.output import ago
from redisipc.cli.redis.address import Address
from redisipc.cli.redis.client import Client
from redisipc.protocol.commands import Failure

from .finding import NOTE, PROBLEM, WARNING, Facts, Finding, command

YEAR = 365 * 86400
ANSWER_WITHIN = 0.5
"""Seconds that another server may take to answer."""


def there(facts: Facts) -> Iterator[Finding]:
    """Nothing is here: the names that are near, and the other databases of this server."""
    if facts.found is not None:
        return
    near = _near(facts)
    hint = f" Did you mean {near!r}?" if near else ""
    yield Finding(
        "no-stream", PROBLEM,
        f"there is no stream {facts.stream!r} in Redis {facts.client.address}, database {facts.client.address.db}",
        f"Nobody ever connected to it here, so every request that is sent here gets no answer.{hint}",
        "Compare the stream's name and the Redis of all programs. The gem reads REDIS_HOST and REDIS_PORT, not REDIS_URL.",
    )  # fmt: skip


def _near(facts: Facts) -> str | None:
    reply = facts.client.batch([("SCAN", 0, "COUNT", 1000, "TYPE", "stream")])[0]
    if isinstance(reply, Failure):
        return None
    names = [name.decode("utf-8", "replace") for name in reply[1]]
    return next(iter(difflib.get_close_matches(facts.stream, names, 1, 0.5)), names[0] if len(names) == 1 else None)


def other_databases(facts: Facts) -> Iterator[Finding]:
    """The same stream in another database of this server."""
    address = facts.client.address
    numbers = [int(name[2:]) for name in facts.info if name.startswith("db") and name[2:].isdigit()]
    for number in numbers:
        if number != address.db:
            yield from _elsewhere(facts, address._replace(db=number), f"database {number} of this server")


def other_servers(facts: Facts) -> Iterator[Finding]:
    """The same stream where a gem looks by default, or where REDIS_URL points."""
    own = facts.client.address
    places = {}
    host, port = os.environ.get("REDIS_HOST", "localhost"), os.environ.get("REDIS_PORT", "6379")
    if port.isdigit():
        where = (
            "REDIS_HOST and REDIS_PORT"
            if "REDIS_HOST" in os.environ or "REDIS_PORT" in os.environ
            else "the gem's default"
        )
        places[where] = Address("redis", host, int(port), 0, "", "", {})
    for name, place in places.items():
        if (_plain(place.host), place.port) != (_plain(own.host), own.port) or own.kind == "unix":
            yield from _elsewhere(facts, place, f"Redis {place} ({name})")


def _plain(host: str) -> str:
    return "127.0.0.1" if host in ("localhost", "::1", "") else host


def _elsewhere(facts: Facts, place: Address, words: str) -> Iterator[Finding]:
    client = Client(None, ANSWER_WITHIN)
    client.address = place
    try:
        other = look(client, facts.stream)
    except Problem:
        return
    finally:
        client.close()
    if other is None:
        return
    groups = ", ".join(repr(each.name) for each in other.groups) or "no group"
    alive = [each for group in other.groups for each in group.instances if each.alive]
    here = ", ".join(repr(each.name) for each in facts.found.groups) if facts.found else "nobody"
    yield Finding(
        "stream-elsewhere", PROBLEM if alive else WARNING,
        f"the stream {facts.stream!r} is also in {words}: {groups}, {len(alive)} living; here: {here}",
        "Programs on different servers or databases never meet: every request ends by its timeout. The gem reads "
        "REDIS_HOST and REDIS_PORT (and lets them win over a url), the Python library REDIS_URL.",
        "Give all programs the same server and database. If nobody uses the other one, delete its stream there.",
        (command("redis-cli", "-h", place.host, "-p", str(place.port), "-n", str(place.db), "DEL", facts.stream),)
        if not alive else (),
    )  # fmt: skip


def expiry(facts: Facts) -> Iterator[Finding]:
    """RIPC-REDIS-5, GEM-9."""
    left = facts.client.ask("PTTL", facts.stream) / 1000
    if left < 0 or facts.found is None:
        return
    if left > YEAR:
        yield Finding(
            "stream-expires", NOTE, f"the stream expires in {left / YEAR:.0f} years; a gem sets this (GEM-9)",
            "A policy of eviction that begins with volatile- may now evict the stream.",
            "Keep maxmemory-policy at noeviction. While a gem runs, PERSIST does not last.",
            (command("PERSIST", facts.stream),),
        )  # fmt: skip
        return
    yield Finding(
        "stream-expires", PROBLEM, f"the stream expires in {ago(left)}",
        "Then all requests and groups are gone. A gem does not recover from that (GEM-8).",
        "Take the expiry away, and find who sets it.", (command("PERSIST", facts.stream),),
    )  # fmt: skip


CHECKS = [there, other_databases, other_servers, expiry]
