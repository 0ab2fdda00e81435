"""A connection to a hub that looks like a transport, for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .server import Server


class MemoryTransport(asyncio.Transport):
    """A transport for ``redisipc``. What is written is executed at once, and answered in a turn of the loop."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._protocol: Any = None
        self._early: list[bytes] = []
        self._closing = False
        self._connection = server.connect(name, self._deliver, self._hang_up)
        self._connection.is_gone = self._loop.is_closed

    # for the hub

    def _deliver(self, data: bytes) -> None:
        self._soon(self._feed, data)

    def _hang_up(self, reason: str) -> None:
        self._soon(self._lost, ConnectionError(reason))

    def _soon(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            if asyncio._get_running_loop() is self._loop:
                self._loop.call_soon(work, *arguments)
            else:
                self._loop.call_soon_threadsafe(work, *arguments)
        except RuntimeError:
            # The event loop has ended, and this connection with it.
            pass

    # in the event loop

    def _feed(self, data: bytes) -> None:
        if self._closing:
            return
        if self._protocol is None:
            self._early.append(data)
        else:
            self._protocol.data_received(data)

    def _lost(self, error: Exception | None) -> None:
        if not self._closing or error is None:
            self._closing = True
            if self._protocol is not None:
                self._protocol.connection_lost(error)

    # for the client

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol
        early, self._early = self._early, []
        for data in early:
            self._soon(self._feed, data)

    def get_protocol(self) -> Any:
        return self._protocol

    def write(self, data: Any) -> None:
        if not self._closing:
            self._connection.received(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._connection.end()
            self._soon(self._lost, None)

    abort = close


class MemoryWriter:
    """A transport where a stream writer is expected."""

    def __init__(self, server: Server, name: str) -> None:
        self.transport: MemoryTransport = MemoryTransport(server, name)
