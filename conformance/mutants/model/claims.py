"""Keeping, taking over and giving back (section 11)."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any

from . import routing
from .mutation import mutant
from .resp import Lost, RedisError
from .wire import PENDING, Entry, parse

if TYPE_CHECKING:
    from .endpoint import Endpoint
    from .responder import Request

GIVEN_BACK = 157_680_000_000
_PAGE = 100


class Claims:
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.hold_until = 0.0
        self.offset = 0.0
        self._suspects: dict[bytes, tuple[bytes, float]] = {}
        self._hint = asyncio.Event()

    def redis_time(self) -> float:
        return time.time() + self.offset

    async def body(self, id: bytes) -> Any:
        """What XRANGE has under this entry ID: a list of one, or an empty one."""
        return (await self.endpoint.write(("XRANGE", self.endpoint.names.stream, id, id)))[0]

    async def is_ours(self, id: bytes) -> bool:
        names = self.endpoint.names
        line = ("XPENDING", names.stream, names.group, id, id, 1, names.dispatcher)
        return bool((await self.endpoint.write(line))[0])

    # keeping

    async def keep_all(self) -> None:
        """Every 3 s each request in progress is claimed again."""
        last = time.monotonic()
        while True:
            await asyncio.sleep(8.0 if mutant("keeps-every-8-s") else 3.0)
            await self.endpoint.up.wait()
            late = time.monotonic() - last > 5.0
            last = time.monotonic()
            requests = list(self.endpoint.responder.held.values())
            if mutant("keeps-the-first-only"):
                requests = requests[:1]
            if mutant("keeps-for-12-s-only"):
                requests = [r for r in requests if asyncio.get_running_loop().time() - r.received < 12]
            if mutant("keeps-only-what-runs"):
                requests = [r for r in requests if r.state == "running"]
            if requests and not mutant("no-keep-alive"):
                try:
                    await self.keep(requests, late and not mutant("claims-blindly-after-a-pause"))
                except Lost:
                    continue

    async def keep(self, requests: list[Request], look_first: bool) -> None:
        """``look_first``: others may have taken some over; those are left to them."""
        endpoint, names = self.endpoint, self.endpoint.names
        if look_first:
            mine = []
            for request in requests:
                if await self.is_ours(request.entry.entry_id):
                    mine.append(request)
                else:
                    endpoint.responder.lost(request)
            requests = mine
        if not requests:
            return
        ids = [request.entry.entry_id for request in requests]
        claim = ["XCLAIM", names.stream, names.group, names.dispatcher, 0, *ids]
        if not mutant("keeps-with-bodies"):
            claim.append("JUSTID")
        replies = await endpoint.write(claim, *(("XRANGE", names.stream, id, id) for id in ids))
        if isinstance(replies[0], RedisError) or mutant("keeps-with-bodies"):
            return
        for request, body in zip(requests, replies[1:], strict=True):
            id = request.entry.entry_id
            gone = id not in replies[0] or (body == [] and not mutant("trusts-the-claim"))
            if gone and not mutant("gone-requests-unnoticed"):
                if request.state != "answering":
                    endpoint.settle(id)
                endpoint.responder.lost(request)

    # taking over

    async def look_all(self) -> None:
        """Two looks, at least 3 s apart, then a claim."""
        while True:
            await asyncio.sleep(random.uniform(3.05, 3.3))
            await self.endpoint.up.wait()
            if mutant("never-reclaims"):
                continue
            if time.monotonic() < self.hold_until and not mutant("reclaims-right-after-a-reconnect"):
                continue
            try:
                await self._look()
            except (Lost, RedisError):
                continue

    async def _look(self) -> None:
        names, held = self.endpoint.names, self.endpoint.responder.held
        suspects: dict[bytes, tuple[bytes, float]] = {}
        start = b"-"
        while True:
            idle = 3000 if mutant("reclaims-after-5-s") else 7000
            rows = (
                await self.endpoint.write(("XPENDING", names.stream, names.group, "IDLE", idle, start, "+", _PAGE))
            )[0]
            if isinstance(rows, RedisError):
                raise rows
            for id, owner, idle_ms, count in rows:
                if id not in held and idle_ms < GIVEN_BACK:
                    await self._suspect(suspects, id, owner, idle_ms, count)
            if len(rows) < _PAGE or mutant("looks-at-one-page"):
                break
            start = b"(" + rows[-1][0]
        self._suspects = suspects

    async def _suspect(
        self, suspects: dict[bytes, tuple[bytes, float]], id: bytes, owner: bytes, idle_ms: int, count: int
    ) -> None:
        now = time.monotonic()
        known, since = self._suspects.get(id, (owner, now))
        if known != owner and not mutant("owner-not-compared"):
            since = now
        suspects[id] = (owner, since)
        least = 5000 if mutant("reclaims-after-5-s") else 10_000
        if mutant("reclaims-at-the-first-look"):
            since = 0.0
        if now - since >= 3.0 and idle_ms >= least:
            starts = self._starts(owner, count)
            await self._claim(id, least, starts if mutant("starts-not-counted") else starts + 1, True)

    @staticmethod
    def _starts(owner: bytes, count: int) -> int:
        if owner.startswith(b"consumer_") and mutant("gem-deliveries-not-divided"):
            return count
        return -(-count // 3)

    async def _claim(self, id: bytes, min_idle: int, starts: int, counted: bool) -> None:
        endpoint, names = self.endpoint, self.endpoint.names
        body = await self.body(id)
        if isinstance(body, RedisError):
            return
        if not body:
            if not mutant("bodiless-of-the-dead-left"):
                endpoint.settle(id)
            return
        entry = parse(id, body[0][1])
        is_request = not entry.problem and entry.status == PENDING and entry.destination == names.group
        if is_request and self._no_room():
            return
        count = ("RETRYCOUNT", 3 * starts) if counted and not mutant("starts-not-written") else ()
        if mutant("take-back-counts-as-a-start") and not counted:
            starts += 1
            count = ("RETRYCOUNT", 3 * starts)
        claim = ("XCLAIM", names.stream, names.group, names.dispatcher, min_idle, id, *count, "JUSTID")
        reply = (await endpoint.write(claim))[0]
        if isinstance(reply, list) and id in reply:
            self._took(entry, body[0][1], starts, counted, is_request)

    def _took(self, entry: Entry, raw: list[bytes], starts: int, counted: bool, is_request: bool) -> None:
        endpoint = self.endpoint
        if is_request:
            endpoint.responder.take(entry, starts, counted)
        elif mutant("reclaimed-response-acknowledged"):
            endpoint.settle(entry.entry_id)
        elif mutant("reclaimed-response-dropped"):
            endpoint.settle(entry.entry_id, entry.entry_id)
        else:
            routing.take(endpoint, entry.entry_id, raw)

    def _no_room(self) -> bool:
        responder = self.endpoint.responder
        if self.endpoint.group.siblings:
            return responder.room <= 0
        return responder.room + self.endpoint.options.queue <= 0

    async def claim_again(self) -> None:
        """After a reconnect: what is in progress and still ours, before anything else."""
        held = [r for r in self.endpoint.responder.held.values() if r.state != "unsure"]
        if held and not mutant("never-claims-again"):
            await self.keep(held, True)

    # giving back

    def give_back(self, requests: list[Request]) -> None:
        """What this instance cannot start goes to a sibling that can."""
        for request in requests:
            request.state = "gone"
            self.endpoint.responder.held.pop(request.entry.entry_id, None)
        self.endpoint.spawn(self._give_back([request.entry.entry_id for request in requests]))

    async def _give_back(self, ids: list[bytes]) -> None:
        try:
            await self.write_back(ids)
        except Lost:
            return  # still pending for this instance: read again after the reconnect

    async def write_back(self, ids: list[bytes]) -> None:
        names = self.endpoint.names
        if mutant("gives-back-by-acknowledging"):
            await self.endpoint.write(("XACK", names.stream, names.group, *ids))
            return
        idle = 10_000 if mutant("gives-back-at-10-s") else 315_360_000_000
        await self.endpoint.write(
            ("XCLAIM", names.stream, names.group, names.dispatcher, 0, *ids, "IDLE", idle, "JUSTID"),
            *([("PUBLISH", names.group_wakeup, "")] if self.endpoint.options.wakeups else []),
        )

    def room_again(self) -> None:
        self._hint.set()

    def woken(self) -> None:
        """The group's wake-up."""
        if not mutant("deaf-to-the-group"):
            self._hint.set()

    async def take_all(self) -> None:
        """Takes what siblings gave back, as soon as there is room."""
        while True:
            try:
                wait = 3600.0 if mutant("takes-back-when-woken-only") else 3.0
                await asyncio.wait_for(self._hint.wait(), wait)
            except asyncio.TimeoutError:
                pass
            self._hint.clear()
            await self.endpoint.up.wait()
            if not self.endpoint.closing and not mutant("never-takes-back"):
                try:
                    await self._take_back()
                except (Lost, RedisError):
                    continue

    async def _take_back(self) -> None:
        names, responder = self.endpoint.names, self.endpoint.responder
        room = max(0, responder.room)
        held = time.monotonic() < self.hold_until and not mutant("reclaims-right-after-a-reconnect")
        if not room or held:
            return
        line = ("XPENDING", names.stream, names.group, "IDLE", GIVEN_BACK, "-", "+", room)
        rows = (await self.endpoint.write(line))[0]
        if isinstance(rows, RedisError):
            raise rows
        for id, owner, idle, count in rows:
            if id not in responder.held and idle >= GIVEN_BACK and responder.room > 0:
                await self._claim(id, GIVEN_BACK, self._starts(owner, count), False)
