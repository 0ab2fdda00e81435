"""All entries of a stream, and for each whether somebody will still take it."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from redisipc.cli.redis.client import Client
from redisipc.protocol.commands import Failure
from redisipc.protocol.entry import PENDING, Entry, Malformed, parse
from redisipc.protocol.names import CALLER
from redisipc.protocol.replies import PendingEntry, id_parts, pending_entries

from .stream import Found, Group

MOST_SWEPT = 10_000
"""Entries that are read at most."""
SWEEP_PAGE = 500
LONGEST_SWEEP = 2.0
"""Seconds that reading may take at most."""
RESPONSE_GRACE = 15.0
"""Seconds for which a response may rightly lie there: members keep it for 12 s (RIPC-ROUTE-8)."""
SETTLE = 0.3
"""Seconds after which an entry that was just answered is acknowledged, too."""

ORPHANS = {
    "request-without-group": "a request to a group that does not exist",
    "request-left": "a request that its group acknowledged and did not delete",
    "response-without-group": "a response to a group that does not exist",
    "response-left": "a response that its group acknowledged and did not delete",
    "response-to-caller": "a response to a caller that has gone",
    "malformed": "an entry that is not a RedisIPC entry",
}
"""Classes of entries that nobody will take."""


class Kept(NamedTuple):
    """An entry that lies there. ``kind``: a class of ``ORPHANS``, or ``waits``, ``runs``, ``travels``. ``age`` in seconds."""

    kind: str
    entry: Entry | Malformed
    age: float
    pending: PendingEntry | None

    @property
    def id(self) -> str:
        return self.entry.entry_id.decode()


class Sweep(NamedTuple):
    """``more``: there are entries that were not read. ``bodiless``: pending entries by group whose body is gone."""

    kept: list[Kept]
    more: bool
    bodiless: dict[str, list[PendingEntry]]
    pending: dict[str, list[PendingEntry]]

    def orphans(self) -> dict[str, list[Kept]]:
        """The orphans by class."""
        found: dict[str, list[Kept]] = {}
        for each in self.kept:
            if each.kind in ORPHANS:
                found.setdefault(each.kind, []).append(each)
        return found


def sweep(client: Client, found: Found, most: int = MOST_SWEPT) -> Sweep:
    """Read the stream from its beginning, at most ``most`` entries, and the pending lists."""
    now = found.now if found.now is not None else time.time()
    rows, more = _read(client, found.name, most)
    lines: list[Any] = [("XPENDING", found.name, each.name, "-", "+", most) for each in found.groups]
    replies = client.batch(lines) if lines else []
    client.check(replies, "NOGROUP")
    pending = {
        group.name: list(pending_entries([] if isinstance(reply, Failure) else reply))
        for group, reply in zip(found.groups, replies, strict=True)
    }
    held = {name: {each.id: each for each in entries} for name, entries in pending.items()}
    ids = {row[0] for row in rows}
    highest = id_parts(rows[-1][0]) if rows else (0, 0)
    bodiless = {
        # Behind the last entry that was read nothing is known.
        name: [each for each in entries if each.id not in ids and (not more or id_parts(each.id) <= highest)]
        for name, entries in pending.items()
    }
    groups = {each.name: each for each in found.groups}
    kept = [_judge(parse(row[0], row[1]), groups, held, now) for row in rows]
    return Sweep(kept, more, _still_bodiless(client, found.name, bodiless), pending)


def _still_bodiless(client: Client, stream: str, seen: dict[str, list[PendingEntry]]) -> dict[str, list[PendingEntry]]:
    """Leaves out what came while the stream was read, and what was just answered: its deletion and its XACK are two commands."""
    rows = [(name, each) for name, entries in seen.items() for each in entries]
    replies = client.batch([("XRANGE", stream, each.id, each.id) for _, each in rows]) if rows else []
    rows = [row for row, reply in zip(rows, replies, strict=True) if not reply]
    if not rows:
        return {}
    time.sleep(SETTLE)
    asked = client.batch([("XPENDING", stream, name, each.id, each.id, 1) for name, each in rows])
    left: dict[str, list[PendingEntry]] = {}
    for (name, _), reply in zip(rows, asked, strict=True):
        for each in pending_entries([] if isinstance(reply, Failure) else reply):
            left.setdefault(name, []).append(each)
    return left


def _read(client: Client, stream: str, most: int) -> tuple[list[Any], bool]:
    rows: list[Any] = []
    end, start = time.monotonic() + LONGEST_SWEEP, "-"
    while True:
        page = client.ask("XRANGE", stream, start, "+", "COUNT", min(SWEEP_PAGE, most - len(rows)))
        rows += page
        if len(page) < SWEEP_PAGE:
            return rows, len(rows) >= most
        if len(rows) >= most or time.monotonic() > end:
            return rows, True
        start = f"({page[-1][0].decode()}"


def _judge(
    entry: Entry | Malformed, groups: dict[str, Group], held: dict[str, dict[bytes, PendingEntry]], now: float
) -> Kept:
    age = max(0.0, now - id_parts(entry.entry_id)[0] / 1000)
    name = entry.destination_group.decode("utf-8", "surrogateescape")
    owner = held.get(name, {}).get(entry.entry_id)
    if isinstance(entry, Malformed):
        return Kept("malformed", entry, age, owner)
    request = entry.status == PENDING
    group = groups.get(name)
    if owner is not None:
        return Kept("runs" if request else "travels", entry, age, owner)
    if group is not None and id_parts(entry.entry_id) > id_parts(group.last_read.encode()):
        return Kept("waits" if request else "travels", entry, age, None)
    if age <= RESPONSE_GRACE:
        return Kept("waits" if request else "travels", entry, age, None)
    if request:
        return Kept("request-left" if group else "request-without-group", entry, age, None)
    if name.startswith(CALLER):
        return Kept("response-to-caller", entry, age, None)
    return Kept("response-left" if group else "response-without-group", entry, age, None)
