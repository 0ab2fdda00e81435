"""Slots for a limited number of calls at once. A slot cannot get lost."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar
from weakref import ref


class Closable(Protocol):
    """A connection of one of the twins."""

    @property
    def open(self) -> bool:
        """Whether it is open."""

    def abandon(self) -> None:
        """Close it, without waiting. From any thread."""


L = TypeVar("L", bound=Closable)


class Slot(Generic[L]):
    """Permits one call. ``line`` is the connection that the last call left, unused since ``idle_since`` (monotonic)."""

    __slots__ = ("__weakref__", "idle_since", "line")

    def __init__(self) -> None:
        self.line: L | None = None
        self.idle_since: float = 0.0


class Places(Generic[L]):
    """``free``: the slots that no call uses. Taking one and giving it back are atomic.

    An exception of a signal handler may come between any two steps of a call, also while it takes a slot or gives it back.
    A slot without any reference left is replaced by a new one.
    """

    def __init__(self, count: int) -> None:
        self.free: list[Slot[L]] = []
        self._watched: set[ref[Slot[L]]] = set()
        for _ in range(count):
            self._add()

    def _add(self) -> None:
        me = ref(self)

        def lost(gone: ref[Slot[L]]) -> None:
            places = me()
            if places is not None:
                places._watched.discard(gone)
                places._add()

        slot: Slot[L] = Slot()
        self._watched.add(ref(slot, lost))
        self.free.append(slot)
