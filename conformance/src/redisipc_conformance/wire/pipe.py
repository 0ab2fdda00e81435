"""One direction of a link: it forwards bytes at once, late, or at a limited rate."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

STEP = 0.02
"""Seconds between two portions on a slow link."""
LONGEST_STEP = 1.0
"""If the runner is later than that, the link stands still, too."""


@dataclass
class Pace:
    """How slow a link is: ``rate`` in bytes a second (0: as fast as it goes), ``delay`` in seconds."""

    rate: int = 0
    delay: float = 0.0
    late: int = 0
    """How many writes have had to wait."""
    backs_up: bool = False
    """Whether the testee's own buffers fill, too: its bytes are taken no faster than the rate, and sent to Redis at once."""

    @property
    def free(self) -> bool:
        return not self.rate and not self.delay


class Pipe:
    """Writes to a transport in the order given, as slowly as its pace says. What waits when it is closed is lost."""

    def __init__(self, pace: Pace, transport: Callable[[], asyncio.Transport | None], *, upward: bool = False) -> None:
        self._pace = pace
        self._upward = upward
        self._transport = transport
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._passed_at = 0.0

    def write(self, data: bytes) -> None:
        if (self._pace.free or (self._upward and self._pace.backs_up)) and not self._waiting:
            self._send(data)
            return
        loop = asyncio.get_running_loop()
        self._pace.late += 1
        self._waiting.append((loop.time() + self._pace.delay, data))
        if self._timer is None:
            self._passed_at = loop.time()
            self._timer = loop.call_later(0 if self._pace.free else STEP, self._portion)

    def close(self) -> None:
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _portion(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        # A busy runner is late for each portion: what could have passed meanwhile passes now.
        since, self._passed_at = loop.time() - self._passed_at, loop.time()
        room = int(self._pace.rate * min(since, LONGEST_STEP)) or (1 if self._pace.rate else 1 << 62)
        while self._waiting and room > 0 and (self._waiting[0][0] <= loop.time() or self._pace.free):
            due, data = self._waiting.popleft()
            self._send(data[:room])
            if len(data) > room:
                self._waiting.appendleft((due, data[room:]))
            room -= len(data)
        if self._waiting:
            self._timer = loop.call_later(STEP, self._portion)

    def _send(self, data: bytes) -> None:
        transport = self._transport()
        if transport is not None:
            transport.write(data)


class Intake:
    """Takes the testee's bytes no faster than the pace says, so that what it sends waits in its own buffers.

    The kernel holds some of it as well: 4.2 to 4.6 million bytes on one machine, whatever the size of the receiver's buffer.
    """

    def __init__(self, pace: Pace, transport: Callable[[], asyncio.Transport | None]) -> None:
        self._pace = pace
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None

    def took(self, count: int) -> None:
        """So many bytes came: no more come before their time has passed."""
        transport = self._transport()
        if not (self._pace.backs_up and self._pace.rate) or transport is None or self._timer is not None:
            return
        transport.pause_reading()
        self._timer = asyncio.get_running_loop().call_later(count / self._pace.rate, self._on)

    def _on(self) -> None:
        self._timer = None
        transport = self._transport()
        if transport is not None and not transport.is_closing():
            transport.resume_reading()


def end(transport: asyncio.Transport, how: Literal["abort", "reset", "close"]) -> None:
    """Closes a connection: with an RST, with a FIN, or as the kernel decides."""
    sock = transport.get_extra_info("socket")
    if how == "reset" and sock is not None:
        # Linger of 0 s: the close that follows sends an RST.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if how == "close":
        transport.close()
    else:
        transport.abort()
