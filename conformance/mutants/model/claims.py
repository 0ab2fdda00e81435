"""Taking over what the dead left (section 11)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import Any

from . import routing
from .breakers import Breakers
from .giving import Giving
from .mutation import mutant
from .ports import EndpointPort
from .resp import Command, Lost, RedisError
from .wire import PENDING, Entry, parse

_PAGE = 100
_HOLD = 10.0
_MOST_STARTS = 3
_FEW = 32
Seen = tuple[bytes, float]
"""The owner, and the moment at which it was first seen as such."""


def starts_of(count: int) -> int:
    """How often a request with this delivery count was started."""
    if mutant("gem-deliveries-not-divided"):
        return count
    return count // 3 if mutant("deliveries-rounded-down") else -(-count // 3)


class Claims(Giving):
    def __init__(self, endpoint: EndpointPort) -> None:
        super().__init__(endpoint)
        self.offset = 0.0
        self.breakers = Breakers()
        self._hold_until = self._hold_given_back = 0.0
        self._suspects: dict[bytes, Seen] = {}
        self._bodies = 0
        self._cursor = b"-"
        """Where the next look begins: another place for a mutant only."""
        self._taken = 0
        """Only for a mutant: the room that claims without a reply keep."""
        self._left = False
        """Whether there was no room for what a dead member left."""

    def redis_time(self) -> float:
        return time.time() + self.offset

    def hold(self, given_back: bool) -> None:
        """From now on nothing is reclaimed for 10 s; ``given_back``: nothing that was given back is taken, either."""
        self._hold_until = asyncio.get_running_loop().time() + _HOLD
        if given_back and not mutant("takes-back-right-after-a-reconnect"):
            self._hold_given_back = self._hold_until

    @property
    def holds_given_back(self) -> bool:
        return asyncio.get_running_loop().time() < self._hold_given_back

    async def body(self, id: bytes) -> Any:
        """What XRANGE has under this entry ID: a list of one, or an empty one."""
        with self.breakers.reading(id):
            return (await self.endpoint.write(("XRANGE", self.endpoint.names.stream, id, id)))[0]

    async def look_all(self) -> None:
        """Two looks, at least 3 s apart, then a claim."""
        while True:
            await asyncio.sleep(random.uniform(3.05, 3.3))
            await self.endpoint.up.wait()
            if mutant("never-reclaims"):
                continue
            try:
                await self._look()
            except (Lost, RedisError):
                if mutant("looks-no-more-for-the-dead-after-a-break"):
                    return

    def room_again(self) -> None:
        super().room_again()
        if self._left and not mutant("the-rest-of-the-dead-left"):
            self._left = False
            self.endpoint.spawn(self._look_again())

    async def _look_again(self) -> None:
        with contextlib.suppress(Lost, RedisError):
            await self._look()

    async def _look(self) -> None:
        endpoint, names = self.endpoint, self.endpoint.names
        if self._suspects:
            # Redis has to show that it executes writes: where it refuses them, owners cannot show that they live.
            await endpoint.write(("EXPIRE", names.key(b"consumers"), 100))
        suspects: dict[bytes, Seen] = {}
        self._bodies = 0
        start = self._cursor
        while True:
            idle = 3000 if mutant("reclaims-after-5-s") else 7000
            line = ("XPENDING", names.stream, names.group, "IDLE", idle, start, "+", _PAGE)
            rows = (await endpoint.write(line))[0]
            if isinstance(rows, RedisError):
                raise rows
            for id, owner, idle_ms, count in rows:
                own = id in endpoint.responder.held or id in endpoint.relay.graces
                own = own or (owner == names.dispatcher and mutant("own-leftovers-not-reclaimed"))
                if not own and not self.was_given_back(idle_ms):
                    await self._suspect(suspects, id, owner, idle_ms, count)
            if len(rows) < _PAGE or mutant("looks-at-one-page"):
                break
            start = b"(" + rows[-1][0]
            if mutant("one-page-at-each-look"):
                self._cursor, self._suspects = start, {**self._suspects, **suspects}
                return
        self._cursor = b"-"
        self._suspects = suspects

    async def _suspect(self, suspects: dict[bytes, Seen], id: bytes, owner: bytes, idle_ms: int, count: int) -> None:
        now = asyncio.get_running_loop().time()
        known, since = self._suspects.get(id, (owner, now))
        if known != owner and not mutant("owner-not-compared"):
            since = now
        suspects[id] = (owner, since)
        least = 5000 if mutant("reclaims-after-5-s") else 10_000
        first = mutant("reclaims-at-the-first-look")
        if now < self._hold_until and not mutant("reclaims-right-after-a-connect"):
            return
        second = now - since >= 3.0 and (self.endpoint.written > since or mutant("second-look-without-a-write"))
        if idle_ms >= least and (second or first) and not self.breakers.wait(id):
            self._bodies += 1
            if self._bodies > _FEW and mutant("reads-the-first-lost-bodies-only"):
                return
            await self.claim(id, least, count, True)

    async def claim(self, id: bytes, min_idle: int, count: int, counted: bool, responses: bool = False) -> None:
        """``counted``: a start after it is a new one. ``responses``: a request is left, whatever its mark says."""
        endpoint, names = self.endpoint, self.endpoint.names
        body = await self.body(id)
        if isinstance(body, RedisError):
            return
        if not body:
            if not mutant("bodiless-of-the-dead-left"):
                routing.take(endpoint, id, None)
            return
        entry = parse(id, body[0][1])
        is_request = not entry.problem and entry.status == PENDING and entry.destination == names.group
        if is_request and responses:
            return
        if is_request and counted and self._no_room():
            self._left = True
            return
        starts = starts_of(count) + (1 if counted and not mutant("starts-not-counted") else 0)
        line: Command = ("XCLAIM", names.stream, names.group, names.dispatcher, min_idle, id)
        if mutant("take-back-counts-as-a-start") and not counted:
            line = (*line, "RETRYCOUNT", count + 3)
        elif mutant("take-back-rounds-the-count") and not counted:
            line = (*line, "RETRYCOUNT", 3 * -(-count // 3))
        elif is_request and counted and not mutant("starts-not-written"):
            # What is claimed to be rejected is not started again.
            written = starts if mutant("counts-the-start-that-it-refuses") else min(starts, _MOST_STARTS)
            line = (*line, "RETRYCOUNT", written if mutant("starts-written-singly") else 3 * written)
        sent = asyncio.get_running_loop().time()
        try:
            reply = (await endpoint.write((*line, "JUSTID")))[0]
        except Lost:
            self._taken += is_request and mutant("broken-claims-keep-their-room")
            raise
        if isinstance(reply, list) and id in reply:
            self._took(entry, body[0][1], starts, counted, is_request, sent)

    def _took(self, entry: Entry, raw: list[bytes], starts: int, counted: bool, is_request: bool, sent: float) -> None:
        endpoint = self.endpoint
        if is_request:
            endpoint.responder.take(entry, max(1, starts), counted or starts > 1, sent, first=not counted)
        elif mutant("reclaimed-response-acknowledged"):
            endpoint.settle(entry.entry_id)
        elif mutant("reclaimed-response-dropped"):
            endpoint.settle(entry.entry_id, entry.entry_id)
        else:
            routing.take(endpoint, entry.entry_id, raw)

    def _no_room(self) -> bool:
        responder = self.endpoint.responder
        if self.endpoint.options.no_handler:
            return True
        if self.endpoint.group.siblings:
            return responder.room - self._taken <= 0
        return responder.room + self.endpoint.options.queue - self._taken <= 0

    async def claim_again(self) -> None:
        """After a reconnect: what is in progress and still ours, before anything else."""
        kept = [item for item in self.endpoint.keeping.in_progress() if getattr(item, "state", "") != "unsure"]
        if mutant("claims-ten-again"):
            kept = kept[:10]
        if kept and not mutant("never-claims-again"):
            await self.endpoint.keeping.keep(kept, look=True)
