"""One connection as the driver sees it, and what the driver needs of its socket or transport."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from redisipc.protocol.commands import Command

from .resp import MISSING, Parser, ProtocolError
from .wire import RESP2, Wire

REPLY_LIMIT = 3.0
"""Seconds of silence, once a reply is due, after which a connection counts as lost (RIPC-RECOV-25)."""
FIRST_PATIENCE = 1.0
"""Seconds that each step of the first handshake after a good connection may take. A server that hangs accepts connections:
each attempt costs that long, and meanwhile another one may be the master. The limit grows with each attempt, since
links may be slow."""
_MOST_PATIENCE = 5.0
FIRST_OPENING = 6.0
"""Seconds that the first opening after a good connection may take in all: a single step may have no end."""
_MOST_OPENING = 20.0
_LONGER = 1.5
_ALL_OF_IT = 0.9
"""An attempt that took this share of its limit counts as one that ran out of time."""
_OVERDUE_LOOKS = 0.5
"""Seconds between two checks of a connection whose reply is overdue while it still sends bytes."""

Done = Callable[[list[Any], float], None]
Place = tuple[str, int]
"""Host and port of a node of a cluster."""


class Transport(Protocol):
    """An open connection. ``send`` may raise OSError and never waits: what does not fit is sent later, in order.

    It carries what ``wire`` packs.
    """

    @property
    def wire(self) -> Wire: ...

    def send(self, data: Any) -> None: ...

    def close(self) -> None: ...

    def unsent(self) -> int:
        """How many bytes are not sent yet."""
        ...


class Connection:
    """Closed (without a ``transport``), opening, or open.

    ``attempt`` tells the results of several attempts to open it apart. The last one began at ``began_at``. ``epoch`` is that of
    the batch or read for which the connection was opened. ``patience`` is how many seconds each step of the next handshake may
    take. ``reply_by`` is when the connection counts as lost; None: nothing is due. ``client_id`` is the id that Redis gave it;
    None: not known yet, -1: Redis does not report it. ``place`` is the node that a redirection named; None: the stream's node
    by the map of slots. ``asking``: the place is good for one command, while a slot moves.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.transport: Transport | None = None
        self.opening: bool = False
        self.attempt: int = 0
        self.began_at: float = 0.0
        self.patience: float = FIRST_PATIENCE
        self.epoch: int = 0
        self.reply_by: float | None = None
        self.client_id: int | None = None
        self.place: Place | None = None
        self.asking: bool = False
        self.pack: Callable[[list[Command]], Any] = RESP2.pack
        self.parser: Parser
        self._expected: deque[tuple[int, Done]] = deque()
        self._replies: list[Any] = []
        self._moved_at = 0.0
        self._sent_at = 0.0
        self._unsent = 0

    @property
    def opening_limit(self) -> float:
        """Seconds that the next opening may take in all."""
        return min(_MOST_OPENING, FIRST_OPENING * self.patience / FIRST_PATIENCE)

    def begins(self, epoch: int, now: float) -> None:
        """An attempt to open it begins."""
        self.opening = True
        self.attempt += 1
        self.epoch = epoch
        self.began_at = now

    def opened(self, transport: Transport) -> None:
        self.opening = False
        # A slow link stays slow: the limit does not fall to the lowest value at once.
        self.patience = max(FIRST_PATIENCE, self.patience / _LONGER)
        self.transport = transport
        self.pack = transport.wire.pack
        self.parser = transport.wire.parser()
        self.client_id = None

    def failed(self, now: float) -> None:
        """It could not be opened. A refusal that came at once says nothing of the link, so the next attempt has no more time."""
        if now - self.began_at >= self.patience * _ALL_OF_IT:
            self.patience = min(_MOST_PATIENCE, self.patience * _LONGER)
        self.drop()

    def send(self, data: Any, count: int, done: Done) -> None:
        """Write commands, and name the function that takes their ``count`` replies. Raises OSError."""
        assert self.transport is not None
        self._expected.append((count, done))
        self.transport.send(data)
        self._unsent = self.transport.unsent()

    def received(self, data: Any, now: float) -> None:
        """Hand replies to the functions that wait for them. Raises ``ProtocolError``."""
        self.parser.feed(data)
        gets = self.parser.gets
        while (reply := gets()) is not MISSING:
            if not self._expected:
                raise ProtocolError("Redis sent a reply to no command; does a proxy mix up connections?")
            replies = self._replies
            replies.append(reply)
            if len(replies) >= self._expected[0][0]:
                self._replies = []
                self._expected.popleft()[1](replies, now)
                if self.transport is None:
                    # The effect of the replies dropped the connection.
                    return

    def asked(self, now: float) -> None:
        """A reply is due at once."""
        self._sent_at = now
        self.reply_by = now + REPLY_LIMIT

    def moved(self, now: float) -> None:
        """A byte came or left: the silence is counted from now."""
        self._moved_at = now
        if self.reply_by is not None:
            self.reply_by = max(self.reply_by, now + REPLY_LIMIT)

    def unanswered(self, now: float) -> float:
        """Seconds for which a reply has been due and nothing came; 0 where none is due."""
        if self.transport is None or self.reply_by is None:
            return 0.0
        return now - max(self._sent_at, self._moved_at)

    def is_silent(self, now: float) -> bool:
        """Whether a reply is overdue and no byte came or left for too long (RIPC-RECOV-25).

        No callback reports bytes that leave, so the connection checks from time to time.
        """
        if self.transport is None:
            return True
        unsent = self.transport.unsent()
        if unsent < self._unsent:
            self._unsent, self._moved_at = unsent, now
        left = self._moved_at + REPLY_LIMIT - now
        if left <= 0:
            return True
        self.reply_by = now + (min(left, _OVERDUE_LOOKS) if unsent else left)
        return False

    def drop(self) -> None:
        """Close it, and forget what was expected."""
        transport, self.transport = self.transport, None
        self.opening = self.asking = False
        self.place = None
        self.reply_by = None
        self._expected.clear()
        self._replies = []
        if transport is not None:
            transport.close()
