"""A connection to a hub that looks like a socket, for threads: it can be polled, read and written."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections import deque
from typing import Any

from .handed import HANDED
from .server import Server


class Bell:
    """A file descriptor for polling: readable from ring() to silence()."""

    def __init__(self) -> None:
        self._rung = False
        self._ends: tuple[socket.socket, socket.socket] | None = None
        if hasattr(os, "eventfd"):
            self.number: int = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._ends = socket.socketpair()
            for end in self._ends:
                end.setblocking(False)
            self.number = self._ends[0].fileno()

    def ring(self) -> None:
        """Ring it. The thing that it announces must exist before."""
        if self._rung:
            return
        self._rung = True
        try:
            if self._ends is None:
                os.eventfd_write(self.number, 1)
            else:
                self._ends[1].send(b"!")
        except OSError:  # full: it rings already; closed: no reader is left
            pass

    def silence(self) -> None:
        """Silence it. Check for announced things only afterwards."""
        try:
            if self._ends is None:
                os.eventfd_read(self.number)
            else:
                self._ends[0].recv(4096)
        except OSError:
            pass
        self._rung = False

    def close(self) -> None:
        if self._ends is not None:
            for end in self._ends:
                end.close()
        elif self.number >= 0:
            os.close(self.number)
        self.number = -1


class _Later(threading.local):
    """The bells that this thread rings when it has left the hub.

    The threads that they wake need the hub's lock at once.
    """

    bells: list[Bell] | None = None


_later = _Later()


class MemorySocket:
    """A socket for ``redisipc``. The sending thread executes commands at once."""

    redisipc_wire = HANDED

    def __init__(self, server: Server, name: str) -> None:
        self._process = os.getpid()
        self._bell = Bell()
        self._come: deque[Any] = deque()
        self._over = False
        self._timeout: float | None = 0.0
        try:
            self._connection = server.connect(name, self._deliver, self._hang_up)
        except BaseException:
            self._bell.close()
            raise

    # for the hub

    def _deliver(self, data: Any) -> None:
        self._come.append(data)
        if _later.bells is None:
            self._bell.ring()
        else:
            _later.bells.append(self._bell)

    def _hang_up(self, _reason: str) -> None:
        self._over = True
        self._bell.ring()

    # for the client

    def fileno(self) -> int:
        return self._bell.number

    def setblocking(self, flag: bool) -> None:
        self._timeout = None if flag else 0.0

    def settimeout(self, seconds: float | None) -> None:
        self._timeout = seconds

    def send(self, data: bytes | memoryview | list[Any]) -> int:
        """Takes all of it. Raises BrokenPipeError where the hub ended the connection."""
        if self._over:
            raise BrokenPipeError("the hub closed the connection")
        bells, _later.bells = _later.bells, []
        try:
            self._connection.received(data if type(data) is list else bytes(data))
        finally:
            ready, _later.bells = _later.bells, bells
            for bell in ready or ():
                bell.ring()
        return len(data)

    def recv(self, _size: int) -> Any:
        """All that has come; empty when the connection is over. Raises BlockingIOError or TimeoutError as a socket does."""
        while not self._come and not self._over:
            if self._timeout == 0.0:
                self._bell.silence()
                if self._come or self._over:
                    break
                raise BlockingIOError("nothing has come")
            if not self._wait():
                raise TimeoutError("timed out")
            self._bell.silence()
        if not self._over:
            self._bell.silence()
            if self._over:
                # The connection ended meanwhile, and this ring must not get lost.
                self._bell.ring()
        come = self._come
        if not come:
            return b""
        said = come.popleft()
        while come:
            said = said + come.popleft()
        return said

    def _wait(self) -> bool:
        milliseconds = None if self._timeout is None else self._timeout * 1000
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self._bell.number, select.POLLIN)
            return bool(poll.poll(milliseconds))
        return bool(select.select([self._bell.number], [], [], self._timeout)[0])

    def close(self) -> None:
        if self._bell.number >= 0:
            self._bell.close()
            if os.getpid() == self._process:
                # In a forked child, the connection belongs to the parent.
                self._connection.end()

    def __del__(self) -> None:
        self.close()
