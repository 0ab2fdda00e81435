"""A connection for one call at a time. It sends commands and waits for their replies, with time limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from time import monotonic
from typing import Any

from redisipc.protocol.caller import Turn
from redisipc.runtime.caller import SILENCE
from redisipc.runtime.resp import MISSING, ProtocolError, make_parser, pack

from .transport import shut_down


class Line(asyncio.Protocol):
    """``sent``: the last turn, or a part of it, may have reached Redis. ``answered``: a turn was answered on it."""

    def __init__(self, writer: Any) -> None:
        self.sent: bool = False
        self.answered: bool = False
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self._writer = writer  # a StreamWriter closes its transport when it is collected
        self._transport: asyncio.Transport = writer.transport
        self._transport.set_protocol(self)
        self._parser = make_parser()
        self._replies: list[Any] = []
        self._wanted = 0
        self._moved_at = 0.0
        self._trouble = ""
        self._waiter: asyncio.Future[None] | None = None
        self._ending = self._until_the_end()

    async def watch(self) -> Line:
        """From now on the connection closes with its event loop: ``asyncio.run`` ends the generators that have not finished."""
        await self._ending.__anext__()
        return self

    async def _until_the_end(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._transport.abort()

    def is_mine(self) -> bool:
        """Whether it belongs to the event loop that runs now."""
        return self.loop is asyncio._get_running_loop()

    @property
    def open(self) -> bool:
        """Whether it is still open on this side."""
        return not self._transport.is_closing()

    def abandon(self) -> None:
        """Close it, without waiting. Works from any thread, also where the event loop has ended without closing anything."""
        shut_down(self._transport)
        with suppress(RuntimeError):  # the event loop of the transport is closed
            self.loop.call_soon_threadsafe(self._transport.abort)

    def is_alive(self) -> bool:
        """Whether nothing came after the last reply: no end of the connection, and no unexpected byte."""
        return not self._trouble and not self._replies and not self._transport.is_closing()

    async def exchange(self, turn: Turn) -> list[Any]:
        """The replies to a turn's commands. Raises OSError where the connection is lost."""
        self._wanted = len(turn.commands)
        self.sent = not self._transport.is_closing()
        self._transport.write(pack(turn.commands))
        self._moved_at = monotonic()
        left = self._transport.get_write_buffer_size()
        while len(self._replies) < self._wanted:
            if self._trouble:
                raise ConnectionError(self._trouble)
            now = monotonic()
            until = min(turn.limit, max(turn.due, self._moved_at) + SILENCE)
            if now >= until:
                raise TimeoutError("Redis did not answer in time")
            # Bytes that are sent are signs of life, too, but no callback reports them.
            await self._wait(min(until - now, 1.0) if left else until - now)
            still = self._transport.get_write_buffer_size()
            if still != left:
                left, self._moved_at = still, monotonic()
        replies, self._replies = self._replies, []
        self.answered = True
        return replies

    async def _wait(self, seconds: float) -> None:
        waiter = self._waiter = self.loop.create_future()
        timer = self.loop.call_later(seconds, self._wake)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._moved_at = monotonic()
        self._parser.feed(data)
        try:
            while (reply := self._parser.gets()) is not MISSING:
                self._replies.append(reply)
        except ProtocolError as error:
            self._trouble = str(error)
        if self._trouble or len(self._replies) >= self._wanted:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._trouble = self._trouble or (str(exc) if exc else "Redis closed the connection")
        self._wake()

    async def close(self) -> None:
        """Close it."""
        if self.is_mine():
            await self._ending.aclose()
        elif self.open:
            self.abandon()
