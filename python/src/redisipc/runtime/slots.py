"""Asks the nodes of a cluster which one holds the stream, in limited time.

redis-py renews its map of slots over clients of its own, one node after the other. Each client has the time limits and
repeats of the user's client. So one node that hangs would delay the connection to the one that took over.
"""

from __future__ import annotations

from typing import Any

from redis.crc import key_slot

from .asking import Order, master_limit
from .connection import Place

_MOST_NAMED = 16
"""So many nodes that redirections named are remembered."""


def known_to(client: Any) -> list[Place]:
    """Every node that the user's client knows now, and last the ones that it was given.

    redis-py replaces those by the nodes that it finds. A name that the user gave may lead to new machines by now.
    """
    # Older versions of redis-py keep the given ones only until they have found others.
    given = getattr(client, "startup_nodes", None) or ()
    nodes = (*client.get_nodes(), *client.nodes_manager.startup_nodes.values(), *given)
    return list(dict.fromkeys((node.host, node.port) for node in nodes))


class Map:
    """Where a stream's slot is. ``node`` is the node that probably holds it. A node that was wrong is asked last.

    ``order`` knows which nodes answered, and which of their answers led to a connection. ``given``: known from the first
    moment. They are asked later, too: all others may have been replaced by then.
    """

    QUESTION = ("CLUSTER", "SLOTS")

    def __init__(self, stream: str, given: list[Place]) -> None:
        self._slot = key_slot(stream.encode())
        self.node: Place | None = None
        self.order: Order[Place] = Order()
        self._given = given
        self._to_client: list[Place] = []
        self._others: list[Place] = []
        self._named: list[Place] = []

    def begin(self, known: Place, all_nodes: list[Place]) -> None:
        """Start from the nodes that the user's client knows."""
        self.node = known
        self._others = [place for place in all_nodes if place != known]

    def led_to(self, place: Place) -> None:
        """A redirection led to this node: it lives, and may be newer than all that were ever named."""
        if place[0]:
            self._named = [place, *(each for each in self._named if each != place)][:_MOST_NAMED]

    def to_ask(self, now_known: list[Place]) -> list[Place]:
        """The order of the questions: the node that was used last may hang. ``now_known``: to the user's client."""
        self._to_client = now_known
        node = [self.node] if self.node is not None else []
        return self.order.of([*self._named, *self._others, *node, *now_known, *self._given], last=self.node)

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
            self._named = []
            self.order.keep([asked, *places, *self._to_client, *self._given])
        return holder is not None


def _place(node: Any, asked: Place, remap: Any) -> Place:
    host = node[0].decode() if isinstance(node[0], bytes) else node[0]
    # A node without a name has the host of the node that was asked.
    place = (host or asked[0], int(node[1]))
    return remap(place) if remap is not None else place
