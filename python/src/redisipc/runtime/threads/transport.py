"""An open socket, as the I/O thread uses it: it never blocks."""

from __future__ import annotations

import socket
import ssl
from collections import deque
from typing import Any

from redisipc.runtime.connection import Connection
from redisipc.runtime.wire import Wire, wire_of

from .poller import Poller

READ_SIZE = 65536
"""Bytes read at once. A larger number costs page faults, a smaller one costs calls."""


class SocketTransport:
    """An open socket. Only the I/O thread touches it, so that a TLS connection is never read and written at once."""

    def __init__(self, connection: Connection, sock: socket.socket, poller: Poller[SocketTransport]) -> None:
        self.connection = connection
        self.broken: str = ""
        self.wire: Wire = wire_of(sock)
        self._sock = sock
        self._poller = poller
        self._out: deque[Any] = deque()
        self._stuck = False
        poller.add(sock, self)

    def send(self, data: Any) -> None:
        """Send now what the socket takes, the rest when it takes more. Raises OSError."""
        self._out.append(data)
        if not self._stuck:
            self._push()

    def writable(self) -> None:
        """The socket takes more."""
        self._stuck = False
        try:
            self._push()
        except OSError as error:
            self.broken = str(error) or type(error).__name__
            return
        if not self._stuck:
            self._poller.want_write(self._sock, False)

    def _push(self) -> None:
        out = self._out
        while out:
            data = out.popleft()
            try:
                sent = self._sock.send(data)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                sent = 0
            if sent < len(data):
                out.appendleft(data[sent:] if sent else data)
                self._stuck = True
                self._poller.want_write(self._sock, True)
                return

    def unsent(self) -> int:
        return sum(map(len, self._out))

    def receive(self) -> Any:
        """The data that has come; empty when the connection is over, None when there was nothing."""
        try:
            data: Any = self._sock.recv(READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError as error:
            self.broken = str(error) or type(error).__name__
            return b""
        if not data:
            self.broken = "Redis closed the connection"
        elif isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            # TLS has decrypted it already, so no poller reports it.
            return data + (self.receive() or b"")
        return data

    def close(self) -> None:
        self._poller.remove(self._sock)
        self._sock.close()

    def abandon(self) -> None:
        """In a forked child: close the copy, and leave the connection and the poller to the parent."""
        self._sock.close()
