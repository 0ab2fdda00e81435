"""Acknowledging and deleting: soon, together, and again until Redis has done it (RIPC-ROUTE-13, RIPC-RECOV-13)."""

from __future__ import annotations

import asyncio

from . import pauses
from .mutation import mutant
from .ports import EndpointPort
from .redis_errors import PERMANENT
from .resp import Command, Lost, RedisError

_LINGER = 0.005
_REPLACED = 0.8


class Cleaning:
    def __init__(self, endpoint: EndpointPort) -> None:
        self.endpoint = endpoint
        self.acknowledge: set[bytes] = set()
        self._delete: set[bytes] = set()
        self._dirty = asyncio.Event()
        self._refused, self._permanent = pauses.refused(), pauses.permanent()

    def settle(self, acknowledge: bytes | None, delete: bytes | None) -> None:
        if acknowledge is not None:
            self.acknowledge.add(acknowledge)
        if delete is not None:
            self._delete.add(delete)
        self._dirty.set()

    async def clean_all(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(3.0 if mutant("cleans-up-late") else _LINGER)
            while mutant("each-entry-puts-off-the-cleaning") and self._dirty.is_set():
                self._dirty.clear()
                await asyncio.sleep(0.2)
            await self.endpoint.up.wait()
            refused = await self.clean_now()
            if refused is None:
                self._refused.reset()
                self._permanent.reset()
            elif refused == "WRONGTYPE" and not mutant("pauses-grow-for-another-type"):
                # Any client may replace the stream, and delete what it put there.
                await asyncio.sleep(_REPLACED)
            elif refused in PERMANENT and not mutant("hammers-what-is-refused-for-good"):
                await self._permanent.wait()
            else:
                await self._refused.wait()

    async def clean_now(self) -> str | None:
        """Writes what ``settle`` collected. The kind of the error for which it has to be done again."""
        self._dirty.clear()
        names = self.endpoint.names
        acknowledge, delete = list(self.acknowledge), list(self._delete)
        if mutant("fifty-acknowledged-at-most"):
            self.acknowledge = set(acknowledge := sorted(acknowledge)[:50])
        lines: list[Command] = []
        if acknowledge:
            lines.append(("XACK", names.stream, names.group, *acknowledge))
        if delete:
            lines.append(("XDEL", names.stream, *delete))
        if not lines:
            return None
        try:
            if mutant("executed-means-cleaned"):
                executed = await self.endpoint.transaction(*lines)
                replies = [executed] if isinstance(executed, RedisError) else []
            else:
                replies = await self.endpoint.write(*lines)
        except Lost as lost:
            replies = [] if lost.sent and mutant("cleaning-without-a-reply-counts") else [RedisError("LOST")]
        if mutant("cleans-by-the-first-reply"):
            replies = replies[:1]
        refused = next((reply.kind for reply in replies if isinstance(reply, RedisError)), None)
        if mutant("cleans-up-once") or refused is None:
            self.acknowledge.difference_update(acknowledge)
            self._delete.difference_update(delete)
            return None
        if refused in ("LOADING", "READONLY") and mutant("deletions-end-with-an-outage"):
            self._delete.difference_update(delete)
        if mutant("a-hundred-cleanings-repeated"):
            self.acknowledge.difference_update(acknowledge[100:])
            self._delete.difference_update(delete[100:])
        self._dirty.set()
        return refused
