"""Keeping what is in progress, and the table of section 11 that says what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from .giving import LATE_AFTER
from .mutation import mutant
from .ports import EndpointPort, Kept
from .request import Request
from .resp import Command, Lost, RedisError
from .wire import parse


class Keeping:
    def __init__(self, endpoint: EndpointPort) -> None:
        self.endpoint = endpoint

    def in_progress(self) -> list[Kept]:
        kept: list[Kept] = list(self.endpoint.responder.held.values())
        if not mutant("graces-not-kept"):
            kept += self.endpoint.relay.graces.values()
        return kept

    async def keep_all(self) -> None:
        """Every 3 s each request in progress is claimed again."""
        now = asyncio.get_running_loop().time()
        while True:
            passed = 0.0 if mutant("pauses-behind-slow-replies") else asyncio.get_running_loop().time() - now
            await asyncio.sleep(max(0.0, (8.0 if mutant("keeps-every-8-s") else 3.0) - passed))
            await self.endpoint.up.wait()
            now = asyncio.get_running_loop().time()
            kept = [item for item in self.in_progress() if getattr(item, "state", "") != "unsure"]
            if mutant("keeps-the-first-only"):
                kept = kept[:1]
            if mutant("keeps-for-12-s-only"):
                kept = [item for item in kept if now - getattr(item, "received", now) < 12]
            if mutant("keeps-only-what-runs"):
                kept = [item for item in kept if getattr(item, "state", "running") == "running"]
            if kept and not mutant("no-keep-alive"):
                try:
                    await self.keep(kept)
                except (Lost, RedisError):
                    continue

    async def keep(self, kept: Sequence[Kept], look: bool = False) -> None:
        """Claims them again. ``look``: others may have taken some over since; so it is where the last claim is long ago."""
        now = asyncio.get_running_loop().time()
        blind = mutant("claims-blindly-after-a-pause")
        unsure = [item for item in kept if (look or now - item.claimed >= LATE_AFTER) and not blind]
        soon = [item for item in kept if item not in unsure]
        late: list[Kept] = []
        for item, idle in await self.look(unsure):
            if mutant("leaves-its-own-after-a-pause"):
                item.lost(False)
                continue
            (late if idle >= LATE_AFTER and not mutant("claims-after-a-pause-without-min-idle") else soon).append(item)
        await self._claim(soon, 0)
        await self._claim(late, int(LATE_AFTER * 1000))

    async def _claim(self, kept: Sequence[Kept], min_idle: int) -> None:
        if not kept:
            return
        endpoint, names = self.endpoint, self.endpoint.names
        now = asyncio.get_running_loop().time()
        ids = [item.entry_id for item in kept]
        line = ["XCLAIM", names.stream, names.group, names.dispatcher, min_idle, *ids]
        if not mutant("keeps-with-bodies"):
            line.append("JUSTID")
        reply, *bodies = await endpoint.write(line, *(("XRANGE", names.stream, id, id) for id in ids))
        if isinstance(reply, RedisError):
            raise reply
        if mutant("keeps-with-bodies"):
            return
        # Redis 6.2 still returns what was deleted.
        gone = [
            item
            for item, body in zip(kept, bodies, strict=True)
            if item.entry_id not in reply or (body == [] and not mutant("trusts-the-claim"))
        ]
        for item in kept:
            if item not in gone:
                item.claimed = now
        if mutant("takes-the-missing-for-gone"):
            for item in gone:
                item.lost(True)
        else:
            await self.look(gone)

    async def look(self, kept: Sequence[Kept]) -> list[tuple[Kept, float]]:
        """Those that are still this instance's, with their idle time in seconds; what became of the others is dealt with."""
        endpoint, names = self.endpoint, self.endpoint.names
        lines: list[Command] = []
        for item in kept:
            lines.append(("XPENDING", names.stream, names.group, item.entry_id, item.entry_id, 1))
            lines.append(("XRANGE", names.stream, item.entry_id, item.entry_id))
        replies = await endpoint.write(*lines) if lines else []
        mine = []
        for item, rows, body in zip(kept, replies[::2], replies[1::2], strict=True):
            if isinstance(rows, RedisError) or isinstance(body, RedisError):
                raise rows if isinstance(rows, RedisError) else body
            own = (names.dispatcher, names.dispatcher if mutant("own-consumer-is-another-owner") else names.consumer)
            if rows and rows[0][1] not in own:
                item.lost(False)
            elif body and self._is_another(item, body[0]):
                item.lost(False)
            elif not body:
                if not mutant("gone-requests-unnoticed"):
                    item.lost(bool(rows))
            elif rows:
                mine.append((item, rows[0][2] / 1000))
            elif mutant("pending-with-nobody-is-gone"):
                item.lost(False)
            elif await self._force(item):
                mine.append((item, 0.0))
        return mine

    def _is_another(self, item: Kept, found: list[Any]) -> bool:
        """After a flush another request may have its entry ID (RIPC-RECOV-4)."""
        if not isinstance(item, Request) or mutant("same-entry-id-same-body"):
            return False
        return parse(found[0], found[1]).id != item.entry.id

    async def _force(self, item: Kept) -> bool:
        """It is pending with nobody, as after the group was made again."""
        names = self.endpoint.names
        now = asyncio.get_running_loop().time()
        count = 3 * max(1, item.starts)
        line = ("XCLAIM", names.stream, names.group, names.dispatcher, 0, item.entry_id, "RETRYCOUNT", count)
        reply = (await self.endpoint.write((*line, "FORCE", "JUSTID")))[0]
        if isinstance(reply, RedisError):
            raise reply
        item.claimed = now
        return item.entry_id in reply

    async def is_ours(self, item: Kept) -> bool:
        """Before a start: whether its body is there and this instance owns it, claimed where its last claim is 3 s old."""
        mine = await self.look([item])
        if not mine or mutant("starts-before-it-claims"):
            return bool(mine)
        if mine[0][1] >= 3.0:
            await self._claim([item], int(LATE_AFTER * 1000) if mine[0][1] >= LATE_AFTER else 0)
            return bool(await self.look([item]))
        return True
