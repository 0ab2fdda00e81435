"""Finding siblings, and deleting the consumers of those that are gone (sections 6, 11 and 18)."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable
from typing import Any, NoReturn

from .giving import mark
from .mutation import mutant
from .ports import EndpointPort
from .resp import Command, Lost, RedisError
from .wire import PENDING, instance_of, parse

_DEAD_CONSUMER_MS = 120_000
_CONNECTED_BEFORE_DELETE = 100.0
_JUST_GIVEN_MS = 10_000
_ASKED_EVERY = 3
"""A known sibling is asked at every third look: each costs two commands (RIPC-LIFE-14)."""
Consumer = tuple[bytes, int, int]
"""Name, number of pending entries, idle time in ms."""


class Siblings:
    """The half of ``Group`` that looks at others."""

    def __init__(self, endpoint: EndpointPort) -> None:
        self.endpoint = endpoint
        self.siblings: set[bytes] = set()
        """Other registered instances."""
        self.responding: set[bytes] = set()
        """Those of them that may run handlers."""
        self._turn = 0
        self._told: dict[bytes, tuple[float, tuple[Any, dict[str, Any]]]] = {}
        """Only for a mutant: what each instance said, and when."""

    async def find_siblings(self) -> None:
        endpoint, names = self.endpoint, self.endpoint.names
        rows = (await endpoint.write(("XINFO", "CONSUMERS", names.stream, names.group)))[0]
        if isinstance(rows, RedisError):
            raise rows
        found: dict[bytes, list[Consumer]] = {}
        for row in rows:
            info = dict(zip(row[0::2], row[1::2], strict=True))
            instance = instance_of(info[b"name"])
            if instance is not None and instance != names.instance:
                found.setdefault(instance, []).append((info[b"name"], info[b"pending"], info[b"idle"]))
        self._turn += 1
        siblings, responding = set(), set()
        for index, (instance, consumers) in enumerate(found.items()):
            skipped = (index + self._turn) % _ASKED_EVERY and not mutant("asks-all-siblings")
            if skipped and instance in self.siblings:
                siblings.add(instance)
                responding |= {instance} & self.responding
                continue
            listed, said = await self._ask(instance)
            if listed:
                siblings.add(instance)
                if mutant("roles-as-first-seen") and instance in self.siblings:
                    responding |= {instance} & self.responding
                elif "responder" in _list_of(said, "roles", ["responder"]) or mutant("roles-ignored"):
                    responding.add(instance)
            await self._delete_abandoned(consumers, bool(listed))
        self.siblings, self.responding = siblings, responding
        if not mutant("what-waits-not-shared"):
            endpoint.responder.start_more()

    async def look_up(self, instance: bytes) -> tuple[Any, bool]:
        """Its available consumers, and whether it listens to wake-ups."""
        at, told = self._told.get(instance, (float("-inf"), ([], {})))
        known = mutant("trusts-a-list-for-40-s") and told[0] and time.monotonic() - at < 40
        listed, said = told if known else await self._ask(instance)
        return listed, "wakeup" in _list_of(said, "features", [])

    async def _ask(self, instance: bytes) -> tuple[Any, dict[str, Any]]:
        """Its available consumers, and what it announces."""
        names = self.endpoint.names
        listed, announced = await self.endpoint.write(
            ("LRANGE", names.key(b"consumers", instance), 0, -1), ("GET", names.key(b"announce", instance))
        )
        if isinstance(listed, RedisError):
            raise listed
        if mutant("idle-time-as-proof-of-life"):
            listed = await self._recently_used(instance)
        said: Any = {}
        if mutant("ends-at-odd-announcements") and announced and not announced.startswith(b'{"spec"'):
            os._exit(1)
        if mutant("chokes-on-odd-announcements") and announced:
            said = json.loads(announced)
            said["features"]
        elif isinstance(announced, bytes):
            with contextlib.suppress(ValueError):
                text = announced if mutant("guesses-the-encoding") else announced.decode()
                said = json.loads(text, parse_constant=float if mutant("announced-words-of-python") else _no_constant)
        if not isinstance(said, dict):
            said = {}
        spec = said.get("spec")
        odd = not isinstance(spec, str) and not mutant("odd-version-believed")
        if odd or (str(spec).partition(".")[0] not in ("1", "None") and not mutant("any-version-believed")):
            said = {}
        if mutant("wants-an-announcement") and not announced:
            return [], {}
        self._told[instance] = (time.monotonic(), (listed, said))
        return listed, said

    async def _recently_used(self, instance: bytes) -> list[bytes]:
        """Only for mutants: the consumers of an instance that were used in the last 30 s."""
        names = self.endpoint.names
        rows = (await self.endpoint.write(("XINFO", "CONSUMERS", names.stream, names.group)))[0]
        infos = [dict(zip(row[0::2], row[1::2], strict=True)) for row in rows]
        return [i[b"name"] for i in infos if i[b"name"] == b"consumer_%b_0" % instance and i[b"idle"] < 30_000]

    # deleting consumers

    async def _delete_abandoned(self, consumers: list[Consumer], registered: bool) -> None:
        """Consumers of an instance that is gone for long (RIPC-LIFE-23)."""
        young = self.endpoint.connected_for < (1 if mutant("buries-when-just-connected") else _CONNECTED_BEFORE_DELETE)
        if registered or young or not all(idle > _DEAD_CONSUMER_MS for _, _, idle in consumers):
            return
        if not any(pending for _, pending, _ in consumers) or mutant("buries-what-holds-entries"):
            for name, _, _ in consumers:
                await self.delete(name)

    async def delete(self, consumer: bytes) -> None:
        """With what its list has by then restored or settled (RIPC-LIFE-22, RIPC-LIFE-25)."""
        names = self.endpoint.names
        listing = ("XPENDING", names.stream, names.group, "-", "+", 100, consumer)
        deletion = ("XGROUP", "DELCONSUMER", names.stream, names.group, consumer)
        if mutant("deletes-without-listing"):
            await self.endpoint.write(deletion)
            return
        replies = await self.endpoint.transaction(listing, deletion)
        if isinstance(replies, RedisError) or isinstance(replies[0], RedisError):
            return
        if not mutant("deletes-what-was-pending"):
            await self._restore(replies[0], consumer)

    async def _restore(self, rows: Iterable[list[Any]], consumer: bytes) -> None:
        names, gone = self.endpoint.names, instance_of(consumer)
        for id, _, idle, count in rows:
            body = await self.endpoint.claims.body(id)
            if not isinstance(body, list) or not body:
                continue
            entry = parse(id, body[0][1])
            if not entry.problem and entry.destination != names.group and not mutant("restores-what-is-for-others"):
                continue
            if gone not in (None, names.instance) and idle < _JUST_GIVEN_MS:
                await self.endpoint.write((
                    "XCLAIM", names.stream, names.group, consumer, 0, id, "RETRYCOUNT", count, "FORCE", "JUSTID"
                ))  # fmt: skip
                continue
            if entry.status != PENDING and entry.instance == gone and not mutant("restores-what-nobody-waits-for"):
                await self.endpoint.write(("XDEL", names.stream, id))
                continue
            idle = mark(response=not entry.problem and entry.status != PENDING)
            line: Command = ("XCLAIM", names.stream, names.group, names.dispatcher, 0, id, "IDLE", idle)
            if mutant("restores-whole-starts"):
                count = 3 * -(-count // 3)
            counted = () if mutant("restores-without-the-count") else ("RETRYCOUNT", count)
            await self.endpoint.write((*line, *counted, "FORCE", "JUSTID"))

    async def delete_own(self) -> None:
        """Its own consumers, as far as nothing is pending (RIPC-LIFE-21)."""
        endpoint, names = self.endpoint, self.endpoint.names
        rows = (await endpoint.write(("XPENDING", names.stream, names.group)))[0]
        if isinstance(rows, RedisError):
            return
        busy = {row[0] for row in rows[3] or []}
        for consumer in (names.dispatcher, names.consumer):
            if mutant("leaves-its-consumers"):
                continue
            with contextlib.suppress(Lost):
                if consumer not in busy:
                    await self.delete(consumer)
                elif mutant("deletes-consumers-with-pending"):
                    # Not with `delete`, which would restore what was pending.
                    await endpoint.write(("XGROUP", "DELCONSUMER", names.stream, names.group, consumer))


def _list_of(said: dict[str, Any], key: str, otherwise: list[str]) -> list[Any]:
    value = said.get(key, otherwise)
    return value if isinstance(value, list) else otherwise


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)
