"""Whom to ask first where a stream is: the nodes of a cluster, or Sentinels. How long each of them may take.

One that hangs, or that knows an old master only, must not delay each attempt. The next attempt asks another one first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")
QUESTION_LIMIT = 0.5
"""Seconds for each step of a question. One that needs more is asked again, after all others, and may take longer then."""
MASTER_LIMIT = 1.5
"""Seconds for each step of the handshake with a master, where the question for it was answered quickly. A master that
hangs is still named until its replica takes over: a longer wait would begin before that and end long after it."""
_SLOWER = 4
"""On a slow link, the master may take so many times as long as the answer to the question did."""


class Order(Generic[T]):
    """Several threads may use it at once: each operation on its dicts is atomic."""

    def __init__(self) -> None:
        self._first: T | None = None
        self._doubted: dict[T, None] = {}
        self._silent: dict[T, None] = {}

    def of(self, all: Iterable[T], last: T | None = None) -> list[T]:
        """The order in which to ask. ``last``: comes after all that answer."""
        doubted, silent = list(self._doubted), list(self._silent)

        def rank(one: T) -> tuple[int, int]:
            if one in silent:
                return 4, silent.index(one)
            if one == last:
                return 3, 0
            if one in doubted:
                return 2, doubted.index(one)
            return 0 if one == self._first else 1, 0

        return sorted(dict.fromkeys(all), key=rank)

    def limit(self, one: T, limit: float) -> float:
        """Seconds for each step of a question to ``one``, and ``limit`` at most."""
        return limit if one in self._silent else min(limit, QUESTION_LIMIT)

    def asks(self, one: T) -> None:
        """It is asked now, and counts as silent until it answers. So it does not matter how the question ends."""
        self._silent.pop(one, None)
        self._silent[one] = None

    def answered(self, one: T) -> None:
        """It answered. Where that leads is not known yet."""
        self._silent.pop(one, None)
        self._doubted.pop(one, None)
        self._doubted[one] = None

    def led(self, one: T) -> None:
        """Its answer led to a connection."""
        self._doubted.pop(one, None)
        self._first = one

    def keep(self, all: Iterable[T]) -> None:
        """Forget all others."""
        kept = set(all)
        for known in (self._doubted, self._silent):
            for one in [one for one in list(known) if one not in kept]:
                known.pop(one, None)


def master_limit(limit: float, asked_for: float) -> float:
    """Seconds for each step of a handshake with a master that was named within ``asked_for`` seconds."""
    return min(limit, max(MASTER_LIMIT, _SLOWER * asked_for))
