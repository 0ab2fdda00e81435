"""The runner's own connection to Redis: raw commands and replies. It never repeats a command.

One connection serves everything that does not block. Each caller writes at once and waits for its own reply, so
commands of concurrent scenarios are pipelined.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence
from typing import Any

from . import resp
from .address import Address
from .delays import Delays


class ConnectionLost(Exception):
    """The connection to Redis broke while a reply was outstanding."""


class RedisFailure(Exception):
    """An error reply to a command of the runner."""

    def __init__(self, reply: resp.ErrorReply, command: Sequence[resp.Arg]):
        super().__init__(f"{reply.text} (to {' '.join(str(a)[:60] for a in command)})")
        self.reply = reply


class _Wire(asyncio.Protocol):
    def __init__(self) -> None:
        self.buffer = bytearray()
        self.waiting: deque[asyncio.Future[Any]] = deque()
        self.transport: asyncio.Transport | None = None
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        at = 0
        try:
            while at < len(self.buffer):
                value, at = resp.parse(self.buffer, at)
                if isinstance(value, resp.Push) or not self.waiting:
                    continue
                future = self.waiting.popleft()
                if not future.done():
                    future.set_result(value)
        except resp.Incomplete:
            pass
        del self.buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        while self.waiting:
            future = self.waiting.popleft()
            if not future.done():
                future.set_exception(ConnectionLost(str(exc or "closed by Redis")))


class Client:
    """Commands to one Redis. It reconnects if the connection is lost before a command is sent, never afterwards."""

    def __init__(self, address: Address):
        self.address = address
        self.delays = Delays()
        self._wire: _Wire | None = None
        self._connecting = asyncio.Lock()

    async def _connected(self) -> _Wire:
        if self._wire is not None and not self._wire.lost:
            return self._wire
        async with self._connecting:
            if self._wire is not None and not self._wire.lost:
                return self._wire
            loop = asyncio.get_running_loop()
            context = ssl.create_default_context() if self.address.tls else None
            _, wire = await loop.create_connection(_Wire, self.address.host, self.address.port, ssl=context)
            for command in self.address.greeting():
                reply = await self._send(wire, [command])
                if isinstance(reply[0], resp.ErrorReply):
                    raise RedisFailure(reply[0], command)
            self._wire = wire
            return wire

    @staticmethod
    async def _send(wire: _Wire, commands: Sequence[Sequence[resp.Arg]]) -> list[Any]:
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in commands]
        wire.waiting.extend(futures)
        assert wire.transport is not None
        wire.transport.write(b"".join(resp.encode_command(c) for c in commands))
        return list(await asyncio.gather(*futures))

    async def batch(self, commands: Sequence[Sequence[resp.Arg]]) -> list[Any]:
        """Sends all at once; error replies come back as ErrorReply values."""
        wire = await self._connected()
        with self.delays.waiting():
            return await self._send(wire, commands)

    async def reply(self, *command: resp.Arg) -> Any:
        """One command; an error reply is given as a value."""
        return (await self.batch([command]))[0]

    async def __call__(self, *command: resp.Arg) -> Any:
        """One command; an error reply raises RedisFailure."""
        value = await self.reply(*command)
        if isinstance(value, resp.ErrorReply):
            raise RedisFailure(value, command)
        return value

    async def transaction(self, commands: Sequence[Sequence[resp.Arg]]) -> list[Any]:
        """All in one MULTI; raises RedisFailure when one was refused."""
        replies = await self.batch([("MULTI",), *commands, ("EXEC",)])
        results = replies[-1]
        if isinstance(results, resp.ErrorReply):
            raise RedisFailure(results, ("EXEC",))
        for command, result in zip(commands, results, strict=True):
            if isinstance(result, resp.ErrorReply):
                raise RedisFailure(result, command)
        return list(results)

    async def close(self) -> None:
        if self._wire is not None and self._wire.transport is not None:
            self._wire.transport.close()
        self._wire = None


def pairs(flat: Sequence[Any]) -> dict[str, Any]:
    """A flat reply of names and values (XINFO and its like) as a dict."""
    return {bytes(flat[i]).decode(): flat[i + 1] for i in range(0, len(flat), 2)}
