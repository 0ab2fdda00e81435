"""A requester without a group: the profile ``ask`` (section 8a). It owes nothing between two sends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from . import content
from .options import Options, check_seconds
from .requester import Send
from .resp import Connection, Lost, RedisError
from .wire import FULFILLED, PENDING, REJECTED, Entry, add, check_name, new_id, new_instance, parse

_PAGE = 100
_BLOCK = 5.0
_LOOK_LIMIT = 0.5


class Failed(Exception):
    """A send that ended as failed: nothing will come of it."""


class Caller:
    """Each send has a connection of its own. `requester` is the caller itself: the testee asks it as it asks an endpoint."""

    def __init__(self, url: str, stream: str, options: Options) -> None:
        self.url, self.options = url, options
        self.stream = check_name("stream", stream)
        self.instance = new_instance().encode()
        self.name = b"caller:" + self.instance
        self.requester = self
        self.closed = False

    async def connect(self) -> str:
        connection = await Connection.open(self.url, self.options.connect_timeout)
        connection.close()
        return self.instance.decode()

    async def disconnect(self) -> None:
        self.closed = True

    async def send(
        self, to: str, value: Any, timeout: Any = None, begun: Callable[[Send], None] | None = None
    ) -> tuple[str, Any]:
        """The outcome. Raises ValueError, before anything is written, for what cannot be sent; Failed."""
        if self.closed:
            raise ValueError("the caller is closed")
        send = Send(new_id(b""), check_name("destination", to), content.encode(value))
        seconds = check_seconds("timeout", self.options.timeout if timeout is None else timeout)
        end = asyncio.get_running_loop().time() + seconds
        if begun is not None:
            begun(send)
        try:
            connection = await Connection.open(self.url, self.options.connect_timeout)
            try:
                return await self._ask(connection, send, end)
            finally:
                connection.close()
        except Lost as lost:
            raise Failed(f"the connection was lost: {lost}") from lost

    async def _ask(self, connection: Connection, send: Send, end: float) -> tuple[str, Any]:
        values = (send.id, self.instance, PENDING, send.text, self.name, send.to)
        send.entry_id = await connection.call(*add(self.stream, "request", values))
        if isinstance(send.entry_id, RedisError) or send.entry_id is None:
            raise Failed(f"Redis did not store the request: {send.entry_id or 'there is no stream'}")
        waiting = asyncio.ensure_future(self._response(connection, send, end))
        either: list[asyncio.Future[Any]] = [waiting, send.outcome]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if send.outcome.done() and not waiting.done():
            waiting.cancel()
            await self._forget(send.entry_id)
            return send.outcome.result()
        answer = waiting.result()
        if answer is None:
            return "timeout", None
        kind = "fulfilled" if answer.status == FULFILLED else "rejected"
        return kind, content.decode(answer.content)

    async def _forget(self, entry_id: bytes) -> None:
        """The connection of the send is in a blocking read."""
        connection = await Connection.open(self.url, self.options.connect_timeout)
        await connection.call("XDEL", self.stream, entry_id)
        connection.close()

    async def _response(self, connection: Connection, send: Send, end: float) -> Entry | None:
        """The response, deleted; None at the timeout, with the request deleted."""
        assert send.entry_id is not None
        last: bytes = send.entry_id
        loop = asyncio.get_running_loop()
        while (left := end - loop.time()) > 0:
            block = min(_BLOCK, left)
            command = ("XREAD", "COUNT", _PAGE, "BLOCK", max(1, int(block * 1000)), "STREAMS", self.stream, last)
            reply = await connection.call(*command, seconds=block + 5)
            if isinstance(reply, RedisError):
                raise Failed(f"Redis refused to read: {reply}")
            for entry_id, raw in reply[0][1] if reply else []:
                last = entry_id
                found = parse(entry_id, raw)
                if self._is_its(found, send):
                    await connection.call("XDEL", self.stream, entry_id)
                    return found
        return await self._last_look(connection, send, last)

    async def _last_look(self, connection: Connection, send: Send, last: bytes) -> Entry | None:
        deadline = asyncio.get_running_loop().time() + _LOOK_LIMIT
        _, page = await connection.batch(
            [("XDEL", self.stream, send.entry_id), ("XRANGE", self.stream, b"(" + last, "+", "COUNT", _PAGE)]
        )
        while page and not isinstance(page, RedisError):
            for entry_id, raw in page:
                found = parse(entry_id, raw)
                if self._is_its(found, send):
                    await connection.call("XDEL", self.stream, entry_id)
                    return found
            if len(page) < _PAGE or asyncio.get_running_loop().time() > deadline:
                break
            page = await connection.call("XRANGE", self.stream, b"(" + page[-1][0], "+", "COUNT", _PAGE)
        return None

    def _is_its(self, entry: Entry, send: Send) -> bool:
        answers = not entry.problem and entry.status in (FULFILLED, REJECTED)
        return answers and (entry.id, entry.instance, entry.destination) == (send.id, self.instance, self.name)
