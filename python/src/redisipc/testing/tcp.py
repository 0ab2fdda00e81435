"""A hub at a TCP port, for clients in another language or in another process."""

from __future__ import annotations

import asyncio
import threading
from typing import cast

from .connection import Connection
from .server import Server


class _Client(asyncio.Protocol):
    """One connection. Written bytes are sent in a turn of the event loop."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._home = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        try:
            self._connection = self._server.connect("", self._deliver, self._hang_up)
            self._connection.remote = True
        except ConnectionRefusedError:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._connection.end()

    def _deliver(self, data: bytes) -> None:
        self._soon(self._transport.write, data)

    def _hang_up(self, _reason: str) -> None:
        self._soon(self._transport.close)

    def _soon(self, work: object, *arguments: object) -> None:
        try:
            self._home.call_soon_threadsafe(work, *arguments)  # type: ignore[arg-type]
        except RuntimeError:
            # It is being closed.
            pass


class Listener:
    """Listens on 127.0.0.1, on a thread of its own, until ``close``. ``port`` 0 takes one that is free."""

    def __init__(self, server: Server, port: int = 0) -> None:
        self._server = server
        self._home = asyncio.new_event_loop()
        self._sockets = self._home.run_until_complete(
            self._home.create_server(lambda: _Client(server), "127.0.0.1", port)
        )
        self.port: int = self._sockets.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._home.run_forever, name="redisipc-hub-tcp", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Accept no more connections, and break the open ones."""
        asyncio.run_coroutine_threadsafe(self._end(), self._home).result(5)
        self._home.call_soon_threadsafe(self._home.stop)
        self._thread.join(5)
        self._home.close()

    async def _end(self) -> None:
        self._sockets.close()
        with self._server.lock:
            for connection in list(self._server.connections.values()):
                if connection.remote:
                    connection.break_off("the hub does not listen any longer")
        # Transports close in the next turns.
        for _ in range(3):
            await asyncio.sleep(0)
