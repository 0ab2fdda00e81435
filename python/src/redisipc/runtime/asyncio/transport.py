"""An open transport of the event loop. It hands bytes to the driver without a task."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any

from redisipc.runtime.connection import Connection
from redisipc.runtime.wire import Wire, wire_of


def fileno(transport: asyncio.BaseTransport) -> int:
    """The descriptor beneath. Raises OSError if it is closed."""
    sock = transport.get_extra_info("socket")
    number: int = -1 if sock is None else sock.fileno()
    if number < 0:
        raise OSError("the connection is closed")
    return number


def cover(transport: asyncio.BaseTransport) -> None:
    """In a forked child: replace this connection by one that has ended. The original stays with the parent.

    The copied event loop still uses the descriptor, so it cannot simply be closed.
    """
    try:
        one, other = socket.socketpair()
        with one, other:
            os.dup2(one.fileno(), fileno(transport))
    except OSError:
        pass


def shut_down(transport: asyncio.BaseTransport) -> None:
    """End the connection of a transport whose event loop may never run again, so that Redis notices.

    The descriptor belongs to the transport. A duplicate ends the connection without closing the original.
    """
    try:
        with socket.socket(fileno=os.dup(fileno(transport))) as copy:
            copy.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class LoopTransport(asyncio.Protocol):
    """An open transport, and the protocol that receives its bytes."""

    def __init__(
        self,
        connection: Connection,
        writer: Any,
        receive: Callable[[LoopTransport, Any], None],
        lose: Callable[[LoopTransport, str], None],
    ) -> None:
        self.connection = connection
        self._writer = writer  # a StreamWriter closes its transport when it is collected
        self._transport: asyncio.Transport = writer.transport
        self.wire: Wire = wire_of(writer.transport)
        self._receive = receive
        self._lose = lose
        self._transport.set_protocol(self)

    def send(self, data: Any) -> None:
        if self._transport.is_closing():
            raise ConnectionError("Redis closed the connection")
        self._transport.write(data)

    def unsent(self) -> int:
        return self._transport.get_write_buffer_size()

    def close(self) -> None:
        self._transport.abort()

    def fileno(self) -> int:
        """The descriptor beneath. Raises OSError if it is closed."""
        return fileno(self._transport)

    def shut_down(self) -> None:
        """End the connection; see ``shut_down``."""
        shut_down(self._transport)

    def abandon(self) -> None:
        """In a forked child: the connection belongs to the parent."""
        cover(self._transport)

    def data_received(self, data: Any) -> None:
        self._receive(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(self, str(exc) if exc else "Redis closed the connection")
