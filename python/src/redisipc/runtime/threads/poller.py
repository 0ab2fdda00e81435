"""Waits for several sockets at once, and may be woken from anywhere."""

from __future__ import annotations

import select
import selectors
import socket
from typing import Generic, TypeVar

W = TypeVar("W")
_READABLE, _WRITABLE = 1, 4
"""EPOLLIN and EPOLLOUT."""
_AS_EPOLL = {
    selectors.EVENT_READ: _READABLE,
    selectors.EVENT_WRITE: _WRITABLE,
    selectors.EVENT_READ | selectors.EVENT_WRITE: _READABLE | _WRITABLE,
}
_AT_ONCE = 8
"""How many sockets one wait reports; an endpoint has five."""


class Poller(Generic[W]):
    """Belongs to the I/O thread. ``wake`` alone may be called by others, at any moment. ``W`` is what it hands out for a socket."""

    def __init__(self) -> None:
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._selector = None if self._epoll is not None else selectors.DefaultSelector()
        self._transports: dict[int, W] = {}
        self._alarm, self._bell = socket.socketpair()
        for end in (self._alarm, self._bell):
            end.setblocking(False)
        self._alarm_fd = self._alarm.fileno()
        if self._epoll is not None:
            self._epoll.register(self._alarm_fd, select.EPOLLIN)
        elif self._selector is not None:
            self._selector.register(self._alarm, selectors.EVENT_READ)

    def add(self, sock: socket.socket, transport: W) -> None:
        self._transports[sock.fileno()] = transport
        if self._epoll is not None:
            self._epoll.register(sock.fileno(), select.EPOLLIN)
        elif self._selector is not None:
            self._selector.register(sock, selectors.EVENT_READ)

    def remove(self, sock: socket.socket) -> None:
        fd = sock.fileno()
        if self._transports.pop(fd, None) is None:
            return
        try:
            if self._epoll is not None:
                self._epoll.unregister(fd)
            elif self._selector is not None:
                self._selector.unregister(sock)
        except (OSError, ValueError, KeyError):  # closed meanwhile
            pass

    def want_write(self, sock: socket.socket, on: bool) -> None:
        try:
            if self._epoll is not None:
                self._epoll.modify(sock.fileno(), select.EPOLLIN | (select.EPOLLOUT if on else 0))
            elif self._selector is not None:
                self._selector.modify(sock, selectors.EVENT_READ | (selectors.EVENT_WRITE if on else 0))
        except (OSError, ValueError, KeyError):
            pass

    def wake(self) -> None:
        """Make ``wait`` return now."""
        try:
            self._bell.send(b"!")
        except OSError:
            # Full: it is woken already. Closed: nobody waits.
            pass

    def wait(self, timeout: float) -> list[tuple[W, bool, bool]]:
        """Wait for transports that can be read or written, for at most ``timeout`` seconds."""
        ready: list[tuple[W, bool, bool]] = []
        # An idle group runs this twice for each read, with cold processor caches. So each call saved counts.
        for fd, mask in self._select(timeout) if self._epoll is None else self._epoll.poll(timeout, _AT_ONCE):
            if fd == self._alarm_fd:
                try:
                    self._alarm.recv(4096)
                except OSError:
                    pass
                continue
            transport = self._transports.get(fd)
            if transport is not None:
                ready.append((transport, mask & ~_WRITABLE != 0, mask & _WRITABLE != 0))
        return ready

    def _select(self, timeout: float) -> list[tuple[int, int]]:
        """Wait without epoll. The result has the same form."""
        assert self._selector is not None
        return [(key.fd, _AS_EPOLL[mask]) for key, mask in self._selector.select(timeout)]

    def __del__(self) -> None:
        # If an exception came before its thread started, no other code closes it. It may have come while this was made.
        if hasattr(self, "_bell"):
            self.close()

    def close(self) -> None:
        """Close what it opened itself. In a forked child, nothing that the parent watches is touched by it."""
        if self._epoll is not None:
            self._epoll.close()
        elif self._selector is not None:
            self._selector.close()
        self._alarm.close()
        self._bell.close()
