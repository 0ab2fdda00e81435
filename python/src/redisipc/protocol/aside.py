"""Requests that wait for the reply to a look, which decides what happens to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .events import Incoming
from .settings import NEVER

_LOOK_HOLDS = 1.0
"""Seconds for which the result of a look for siblings is valid."""
_MOST_WAITING = 1024
"""How many requests may wait for one look. Further ones are decided at once."""


class Aside:
    """In the order in which they came.

    They are in progress like all others: they are kept alive, may get lost, and may be given back.
    """

    def __init__(self) -> None:
        self._requests: list[Incoming] = []
        self._known_until = -NEVER

    def __bool__(self) -> bool:
        return bool(self._requests)

    def __iter__(self) -> Iterator[Incoming]:
        return iter(self._requests)

    def add(self, incoming: Incoming) -> bool:
        """Whether this is the first one, so that a look has to begin."""
        self._requests.append(incoming)
        return len(self._requests) == 1

    def take(self) -> list[Incoming]:
        """Take out those that still wait."""
        taken, self._requests = self._requests, []
        return [incoming for incoming in taken if incoming.state == "queued"]

    def settle(self, decide: Callable[[Incoming, float], None], now: float) -> None:
        """The reply came: decide about each request again."""
        if self._requests:
            self._known_until = now + _LOOK_HOLDS
        for incoming in self.take():
            decide(incoming, now)

    def may_wait(self, now: float) -> bool:
        """Whether one more may wait for a look: not right after the last look, and not beyond the limit."""
        return now >= self._known_until and len(self._requests) < _MOST_WAITING
