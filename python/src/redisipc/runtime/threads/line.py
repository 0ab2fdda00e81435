"""A connection for one call at a time. It sends commands and waits for their replies, with time limits."""

from __future__ import annotations

import select
import socket
from time import monotonic
from typing import Any

from redisipc.protocol.caller import Turn
from redisipc.runtime.caller import SILENCE
from redisipc.runtime.resp import MISSING, ProtocolError, make_parser, pack

from .transport import READ_SIZE


class Line:
    """``sent``: the last turn, or a part of it, may have reached Redis. ``answered``: a turn was answered on it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sent: bool = False
        self.answered: bool = False
        self._sock = sock
        self._parser = make_parser()

    def is_alive(self) -> bool:
        """Whether nothing came after the last reply: no end of the connection, and no unexpected byte."""
        # poll(), if the system has it, takes descriptors of any number.
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self._sock, select.POLLIN)
            return not poll.poll(0)
        return not select.select([self._sock], [], [], 0)[0]

    def exchange(self, turn: Turn) -> list[Any]:
        """The replies to a turn's commands. Raises OSError where the connection is lost."""
        self.sent = False
        # A server that does not read counts as silent, too.
        last = self._send(pack(turn.commands), turn.limit)
        replies: list[Any] = []
        while True:
            try:
                while (reply := self._parser.gets()) is not MISSING:
                    replies.append(reply)
            except ProtocolError as error:
                raise ConnectionError(str(error)) from error
            if len(replies) >= len(turn.commands):
                self.answered = True
                return replies
            self._wait(min(turn.limit, max(turn.due, last) + SILENCE))
            data = self._sock.recv(READ_SIZE)
            if not data:
                raise ConnectionError("Redis closed the connection")
            last = monotonic()
            self._parser.feed(data)

    def _send(self, data: bytes, limit: float) -> float:
        """Send all of it. Returns when the last byte moved."""
        rest = memoryview(data)
        last = monotonic()
        while rest:
            self._wait(min(limit, last + SILENCE))
            self.sent = True
            rest = rest[self._sock.send(rest) :]
            last = monotonic()
        return last

    def _wait(self, until: float) -> None:
        """Let the next operation on the socket end by then, with an OSError."""
        left = until - monotonic()
        if left <= 0:
            raise TimeoutError("Redis did not answer in time")
        self._sock.settimeout(left)

    @property
    def open(self) -> bool:
        """Whether it is open."""
        return self._sock.fileno() >= 0

    def abandon(self) -> None:
        """Close it, without waiting."""
        self.close()

    def close(self) -> None:
        self._sock.close()
