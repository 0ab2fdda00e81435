"""Commands and replies as they are, between the library and a hub in the same process: nobody writes or parses bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from redisipc.protocol.commands import Command
from redisipc.runtime.resp import MISSING
from redisipc.runtime.wire import Wire


class Handed:
    """A parser (``redisipc.runtime.resp.Parser``) of lists: gives their items, one after the other."""

    def __init__(self) -> None:
        self._left: Iterator[Any] = iter(())
        self.gets: Callable[[], Any] = partial(next, self._left, MISSING)

    def feed(self, items: Iterable[Any], /) -> None:
        """Replaces ``gets``, so that each item costs no call of a Python function."""
        self._left = iter([*self._left, *items])
        self.gets = partial(next, self._left, MISSING)


def _as_they_are(commands: list[Command]) -> list[Command]:
    return commands


HANDED = Wire(_as_they_are, Handed)
