"""The last look: for a response before a timeout is declared, and for requests that are unsure (section 10)."""

from __future__ import annotations

import asyncio
from typing import Any

from .mutation import mutant
from .ports import EndpointPort
from .resp import Command, Lost, RedisError
from .send import Send
from .wire import FULFILLED, PENDING, Entry, id_parts, parse

_LOOK_LIMIT = 0.5
_LOOK_PAGE = 1000


class LastLook:
    """The half of ``Requester`` that looks at the stream."""

    def __init__(self, endpoint: EndpointPort) -> None:
        self.endpoint = endpoint
        self._broken = 0
        self._broke = False
        """Only for a mutant: whether a look broke off before."""

    def finish(self, send: Send, entry: Entry) -> None:
        raise NotImplementedError

    def deletes(self) -> bool:
        raise NotImplementedError

    def floor(self, send: Send, seconds: float) -> bytes:
        """Where the last look begins when the entry ID is not known."""
        if mutant("looks-from-its-clock"):
            return b"%d" % max(0, int((self.endpoint.claims.redis_time() - seconds - 10) * 1000))
        return send.floor

    async def find_and_delete(self, send: Send) -> None:
        """An unsure request, until one look went through all that may be it."""
        while not await self._looked(send):
            self._broken += 1
            if self._broken >= 3 and mutant("forgets-after-three-broken-looks"):
                return
            await asyncio.sleep(0.1)
        if send.entry_id is not None:
            self.endpoint.settle(delete=send.entry_id)

    async def _looked(self, send: Send) -> bool:
        await self.endpoint.up.wait()
        return await self._look(send, set())

    async def last_look(self, send: Send) -> None:
        """Once, before the timeout is declared: a response may be stored and lie with a member that is dead or deaf."""
        endpoint = self.endpoint
        if not endpoint.up.is_set() or (self._broke and mutant("looks-no-more-after-a-break")):
            return
        if mutant("last-look-ignores-rejections"):
            wanted = {FULFILLED}
        else:
            wanted = {FULFILLED, b"rejected"}
        # Of a request whose XADD is still under way, a look shows nothing.
        unsure = send.unsure
        look = asyncio.ensure_future(self._look(send, wanted))
        either: list[asyncio.Future[Any]] = [look, send.outcome]
        await asyncio.wait(either, timeout=_LOOK_LIMIT, return_when=asyncio.FIRST_COMPLETED)
        whole = look.done() and look.result()
        send.absent = unsure and (whole or mutant("a-broken-look-found-nothing"))
        look.cancel()

    async def _look(self, send: Send, wanted: set[bytes]) -> bool:
        """Whether it went through all that may be the request or its response: a look that broke off shows nothing."""
        try:
            return await self._look_through(send, wanted)
        except Lost:
            self._broke = True
            return False

    async def _look_through(self, send: Send, wanted: set[bytes]) -> bool:
        endpoint = self.endpoint
        start = b"-" if mutant("last-look-from-the-start") else send.entry_id or send.floor
        if send.entry_id is None and await self._is_younger(start):
            start = b"-"
        first: list[Command] = []
        if send.entry_id is not None and self.deletes() and not mutant("looks-before-it-deletes"):
            first.append(("XDEL", endpoint.names.stream, send.entry_id))
        while True:
            if first and mutant("looks-after-the-deletion"):
                await endpoint.write(first.pop())
            page = ("XRANGE", endpoint.names.stream, start, "+", "COUNT", _LOOK_PAGE)
            rows = (await endpoint.write(*first, page))[-1]
            first.clear()
            if isinstance(rows, RedisError):
                return False
            for entry_id, raw in rows:
                entry = parse(entry_id, raw)
                if entry.problem or entry.id != send.id or entry.instance != endpoint.names.instance:
                    continue
                if entry.status == PENDING:
                    send.entry_id = send.entry_id or entry_id
                elif entry.status in wanted and (
                    entry.destination == endpoint.names.group or mutant("last-look-takes-any-group-s")
                ):
                    self.finish(send, entry)
                    endpoint.settle(entry_id, entry_id)
                    return True
            if len(rows) < _LOOK_PAGE:
                return True
            start = b"(" + rows[-1][0]

    async def _is_younger(self, floor: bytes) -> bool:
        """Whether the stream lost the highest entry that was known, as after a failover (RIPC-TIME-14)."""
        if floor == b"-" or mutant("looks-behind-a-lost-entry"):
            return False
        reply = (await self.endpoint.write(("XINFO", "STREAM", self.endpoint.names.stream)))[0]
        if isinstance(reply, RedisError):
            return False
        last: bytes = dict(zip(reply[0::2], reply[1::2], strict=True))[b"last-generated-id"]
        return id_parts(last) < id_parts(floor)
