"""Reading what is new (sections 7 and 13)."""

from __future__ import annotations

import asyncio

from . import pauses, recovery, routing
from .mutation import mutant
from .ports import EndpointPort
from .redis_errors import PERMANENT, REFUSAL, is_group_lost
from .resp import Lost, RedisError

_BEAT = 0.1
_READ_AGAIN = 0.5


class Reading:
    """One blocking read after the other."""

    def __init__(self, endpoint: EndpointPort) -> None:
        self.endpoint = endpoint
        self._begun = 0.0
        self._block = 0.0
        self._beat = self._woke = asyncio.get_running_loop().time()
        self._slept = self._beat

    async def beat(self) -> None:
        """While the process was paused, what came waited in its socket."""
        while True:
            now = asyncio.get_running_loop().time()
            if now - self._beat > _READ_AGAIN:
                self._slept, self._woke = self._beat, now
            self._beat = now
            await asyncio.sleep(_BEAT)

    def _delivered(self) -> float:
        """The earliest moment at which what was read just now may have been delivered."""
        return self._slept if self._beat - self._woke < 2 * _BEAT else self._beat

    async def read_all(self) -> None:
        """Until the connection is lost (Lost, RedisError) or the group is (RedisError)."""
        growing = mutant("reads-ever-later-when-refused")
        refused, permanent = pauses.refused(), pauses.permanent(growing)
        while not self.endpoint.closed:
            try:
                await self._read()
                refused, permanent = pauses.refused(), pauses.permanent(growing)
                continue
            except RedisError as error:
                if is_group_lost(error) or error.kind not in REFUSAL | PERMANENT:
                    raise
                self.endpoint.noticed(error)
                if mutant("hammers-what-is-refused-for-good"):
                    await asyncio.sleep(0.05)
                else:
                    await (permanent if error.kind in PERMANENT else refused).wait()
            await self.endpoint.up.wait()
            if not mutant("own-list-not-read-after-a-failure"):
                await recovery.read_own(self.endpoint)

    async def _read(self) -> None:
        endpoint, names = self.endpoint, self.endpoint.names
        while self._waits():
            await asyncio.sleep(0.02)
        assert endpoint.reader is not None
        consumer = names.consumer if mutant("reads-as-consumer") else names.dispatcher
        block = 0 if mutant("blocks-for-ever") else 30_000 if mutant("blocks-for-30-s") else 5000
        command = (
            "XREADGROUP",
            "GROUP",
            names.group,
            consumer,
            "COUNT",
            128,
            "BLOCK",
            block,
            "STREAMS",
            names.stream,
            ">",
        )
        self._begun, self._block = asyncio.get_running_loop().time(), block / 1000
        reply = await endpoint.reader.call(*command, block=block / 1000 if block else 3600)
        if isinstance(reply, RedisError):
            raise reply
        endpoint.wrote_at(self._begun)
        delivered = self._delivered()
        while mutant("stops-reading-when-refused") and self._waits():
            await asyncio.sleep(0.02)
        for entry_id, raw in reply[0][1] if reply else []:
            endpoint.last_read = entry_id
            routing.take(endpoint, entry_id, raw, delivered=delivered)

    def _waits(self) -> bool:
        """Whether nothing new is to be taken now."""
        endpoint = self.endpoint
        if mutant("reads-only-when-no-handler-runs") and endpoint.responder.running:
            return True
        if mutant("reads-only-when-nothing-is-outstanding") and endpoint.requester.unanswered_for(0.05):
            return True
        if mutant("stops-reading-when-refused") and asyncio.get_running_loop().time() < endpoint.refused_until:
            return True
        asks = bool(endpoint.requester.outstanding)
        return endpoint.responder.answers_refused and not asks

    async def look_again(self) -> None:
        """A dead connection may still be served until its read is over: what it was given is found then (RIPC-RECOV-21)."""
        if mutant("one-look-after-a-lost-read") or mutant("own-list-not-read-after-a-loss"):
            return
        await asyncio.sleep(max(0.0, self._begun + self._block + 0.2 - asyncio.get_running_loop().time()))
        while True:
            await self.endpoint.up.wait()
            try:
                await recovery.read_own(self.endpoint)
                return
            except (Lost, RedisError):
                await asyncio.sleep(0.2)
