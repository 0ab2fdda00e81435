"""Asks the nodes of a cluster which one holds the stream, in limited time.

redis-py renews its map of slots over clients of its own, one node after the other. Each client has the time limits and
repeats of the user's client. So one node that hangs would delay the connection to the one that took over.
"""

from __future__ import annotations

from typing import Any

from redis.crc import key_slot

from .asking import Order, master_limit
from .connection import Place


class Map:
    """Where a stream's slot is. ``node`` is the node that probably holds it. A node that was wrong is asked last.

    ``order`` knows which nodes answered, and which of their answers led to a connection.
    """

    QUESTION = ("CLUSTER", "SLOTS")

    def __init__(self, stream: str) -> None:
        self._slot = key_slot(stream.encode())
        self.node: Place | None = None
        self.order: Order[Place] = Order()
        self._others: list[Place] = []
        self._startup: list[Place] = []

    def begin(self, known: Place, all_nodes: list[Place]) -> None:
        """Start from the nodes that the user's client knows. They are asked later, too: all others may be gone by then."""
        self.node = known
        self._startup = all_nodes
        self._others = [place for place in all_nodes if place != known]

    def to_ask(self) -> list[Place]:
        """The order of the questions: the node that was used last may hang."""
        known = [*self._others, *([self.node] if self.node is not None else []), *self._startup]
        return self.order.of(known, last=self.node)

    def limit(self, limit: float, asked_for: float) -> float:
        """Seconds for each step of the handshake with ``node``, which was named within ``asked_for`` seconds."""
        return master_limit(limit, asked_for)

    def learn(self, asked: Place, reply: Any, remap: Any) -> bool:
        """Take a node's reply to CLUSTER SLOTS. Returns whether it names the holder."""
        self.order.answered(asked)
        if not isinstance(reply, list):
            return False
        places: list[Place] = []
        holder = None
        for first, last, *nodes in reply:
            here = [_place(node, asked, remap) for node in nodes]
            places += [place for place in here if place not in places]
            if first <= self._slot <= last and here:
                holder = here[0]
        if holder is not None:
            self.node = holder
            self._others = [place for place in dict.fromkeys([asked, *places]) if place != holder]
            self.order.keep([asked, *places, *self._startup])
        return holder is not None


def _place(node: Any, asked: Place, remap: Any) -> Place:
    host = node[0].decode() if isinstance(node[0], bytes) else node[0]
    # A node without a name has the host of the node that was asked.
    place = (host or asked[0], int(node[1]))
    return remap(place) if remap is not None else place
