"""How much a group has to do: requests that wait, requests that run, and the age of the oldest."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from redisipc.cli.redis.client import Client
from redisipc.protocol.commands import Failure
from redisipc.protocol.entry import PENDING, Entry, parse
from redisipc.protocol.replies import id_parts, pending_entries

from .stream import Found, Group

MOST_EACH_SIDE = 500
"""Entries that are looked at on each side of the group's last read entry. Beyond, the numbers are "at least"."""


class Waiting(NamedTuple):
    """``waiting``: not read by anybody yet. ``running``: delivered and not answered. ``oldest``: seconds. ``more``: at least."""

    waiting: int
    running: int
    oldest: float | None
    more: bool


def waiting(client: Client, stream: str, group: Group, found: Found) -> Waiting:
    """Three looks: the entries behind the last read one, the pending list, and the bodies of what is pending."""
    now = found.now if found.now is not None else time.time()
    unread, pending = client.batch(
        [
            ("XRANGE", stream, f"({group.last_read}", "+", "COUNT", MOST_EACH_SIDE),
            ("XPENDING", stream, group.name, "-", "+", MOST_EACH_SIDE),
        ]
    )
    client.check([unread, pending], "NOGROUP")
    waits = [each for each in _entries(unread) if _is_for(each, group.name)]
    ids = [row.id for row in pending_entries([] if isinstance(pending, Failure) else pending)]
    runs = [each for each in bodies(client, stream, ids) if _is_for(each, group.name)]
    times = [id_parts(each.entry_id)[0] / 1000 for each in [*waits, *runs]]
    more = len(unread or ()) == MOST_EACH_SIDE or len(ids) == MOST_EACH_SIDE
    return Waiting(len(waits), len(runs), max(0.0, now - min(times)) if times else None, more)


def bodies(client: Client, stream: str, ids: list[bytes]) -> list[Entry]:
    """The well-formed entries among these; those that were deleted are left out."""
    replies = client.batch([("XRANGE", stream, id, id) for id in ids]) if ids else []
    client.check(replies)
    return [entry for reply in replies for entry in _entries(reply)]


def _entries(reply: Any) -> list[Entry]:
    rows = [] if isinstance(reply, Failure) else reply or []
    parsed = [parse(row[0], row[1]) for row in rows if row[1] is not None]
    return [each for each in parsed if isinstance(each, Entry)]


def _is_for(entry: Entry, group: str) -> bool:
    return entry.status == PENDING and entry.destination_group == group.encode("utf-8", "surrogateescape")
