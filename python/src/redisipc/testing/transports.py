"""A connection to a hub that looks like a transport, for asyncio."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from .handed import HANDED
from .server import Server

MOST_A_TURN = 16
"""The most deliveries in one turn of the event loop. Then other callbacks get their turn."""


class _Turns:
    """Deliveries in one event loop, in order. Deliveries that a delivery causes come in the same turn.

    Its calls come from that event loop. It must not keep the loop alive.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._scheduled = False

    def add(self, work: Callable[..., None], *arguments: Any) -> None:
        self._waiting.append((work, arguments))
        if not self._scheduled:
            self._schedule()

    def _schedule(self) -> None:
        asyncio.get_running_loop().call_soon(self._run)
        self._scheduled = True

    def _run(self) -> None:
        waiting = self._waiting
        try:
            for _ in range(MOST_A_TURN):
                if not waiting:
                    break
                work, arguments = waiting.popleft()
                work(*arguments)
        finally:
            self._scheduled = False
            if waiting:
                self._schedule()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()


class MemoryTransport(asyncio.Transport):
    """A transport for ``redisipc``. Written commands are executed at once, and answered in a turn of the loop."""

    redisipc_wire = HANDED

    def __init__(self, server: Server, name: str) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._turns = _turns.get(self._loop) or _turns.setdefault(self._loop, _Turns())
        self._protocol: Any = None
        self._early: list[Any] = []
        self._closing = False
        self._connection = server.connect(name, self._deliver, self._hang_up)
        self._connection.is_gone = self._loop.is_closed

    # for the hub

    def _deliver(self, data: Any) -> None:
        self._soon(self._feed, data)

    def _hang_up(self, reason: str) -> None:
        self._soon(self._lost, ConnectionError(reason))

    def _soon(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            if asyncio._get_running_loop() is self._loop:
                self._turns.add(work, *arguments)
            else:
                self._loop.call_soon_threadsafe(work, *arguments)
        except RuntimeError:
            # The event loop has ended, and this connection with it.
            pass

    # in the event loop

    def _feed(self, data: Any) -> None:
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
            self._connection.received(data if type(data) is list else bytes(data))

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
    """Lets a transport take the place of a stream writer."""

    def __init__(self, server: Server, name: str) -> None:
        self.transport: MemoryTransport = MemoryTransport(server, name)
