"""Entries whose bodies break the connection when they are read: read last, each alone, after pauses that grow (RIPC-RECOV-28).

A body may be larger than a proxy lets through, or than the server sends to one client. Nobody can tell before it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from .commands import Command
from .replies import id_parts
from .settings import NEVER

FIRST_PAUSE = 2.0
"""Seconds until a body is read again that broke the connection alone."""
LONGEST_PAUSE = 60.0
"""Seconds at most between two such reads."""
_KEPT = 1000
"""How many IDs are remembered at most."""
REPORTED = 2
"""How often a body has broken the connection alone when this is reported: once may be chance."""


class _Breaker:
    __slots__ = ("alone", "until")

    def __init__(self) -> None:
        self.alone = 0
        self.until = -NEVER


class Breakers:
    """Which bodies were asked for when a connection broke. ``due``: when its own list is read again because of them."""

    def __init__(self, read_before: Container[bytes], report: Callable[[bytes, int], None]) -> None:
        """``read_before``: what cannot be the cause. ``report`` gets an ID, and how often its body broke the connection."""
        self.due: float = NEVER
        self._read_before = read_before
        self._report = report
        self._known: dict[bytes, _Breaker] = {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def broke(self, commands: Iterable[Command], now: float) -> None:
        """The connection broke before the replies to these came. Where one body was asked for, it may be the cause."""
        ids = [id for id in _asked(commands) if id not in self._read_before]
        for id in ids:
            self.suspect(id)
        if len(ids) == 1:
            breaker = self._known[ids[0]]
            breaker.alone += 1
            breaker.until = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(breaker.alone - 1, 10))
            if breaker.alone == REPORTED:
                self._report(ids[0], breaker.alone)

    def came(self, commands: Iterable[Command]) -> None:
        """The replies to these came."""
        for id in _asked(commands):
            self._known.pop(id, None)

    def suspect(self, id: bytes) -> None:
        """From now on its body is read alone."""
        self._known.setdefault(id, _Breaker())
        while len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]

    def waits(self, id: bytes, now: float) -> bool:
        """Whether its body is not read yet."""
        breaker = self._known.get(id)
        return breaker is not None and now < breaker.until

    def trusted(self, ids: Iterable[bytes]) -> list[bytes]:
        """Those that may be read together."""
        return [id for id in ids if id not in self._known]

    def alone(self, ids: Iterable[bytes], now: float) -> list[bytes]:
        """Those to read each alone, now: whatever broke a connection least often comes first."""
        found = [id for id in ids if id in self._known and not self.waits(id, now)]
        return sorted(found, key=lambda entry: self._known[entry].alone)

    def after(self, start: bytes) -> bytes | None:
        """The first entry after ``start`` whose body broke a connection alone; None if there is none."""
        begin = (0, 0) if start == b"-" else id_parts(start)
        found = [id for id, breaker in self._known.items() if breaker.alone and id_parts(id) > begin]
        return min(found, key=id_parts, default=None)

    def later(self, ids: Iterable[bytes]) -> None:
        """Its own list has these, and they were not read: it is read again when the first of them may be."""
        self.due = min((self._known[id].until for id in ids if id in self._known), default=NEVER)


def _asked(commands: Iterable[Command]) -> list[bytes]:
    """The IDs whose bodies single reads ask for."""
    return [
        id
        for command in commands
        if command[0] == "XRANGE" and isinstance(id := command[2], bytes) and id == command[3]
    ]
