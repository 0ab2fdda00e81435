"""The mode of a connection, from the commands that were sent: in a MULTI, subscribed, or neither."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .exchange import Exchange
from .slot import SUBSCRIBING


@dataclass(eq=False)
class Mode:
    """`multi`: the number of the transaction that is open. `queue`: its commands. `aborted`: EXEC will refuse them."""

    next_multi: Callable[[], int]
    multi: int | None = None
    queue: list[Exchange] = field(default_factory=list)
    aborted: bool = False
    subscribed: bool = False

    def follow(self, exchange: Exchange) -> None:
        """Notes a command that is sent."""
        name = exchange.name
        if name == b"MULTI":
            self.multi = exchange.multi = self.next_multi()
            self.queue, self.aborted = [], False
        elif name in (b"EXEC", b"DISCARD"):
            exchange.members, self.queue = self.queue, []
            self.multi = None
            self.aborted = False
        elif name in SUBSCRIBING:
            self.subscribed = True
        elif self.multi is not None:
            self.queue.append(exchange)
