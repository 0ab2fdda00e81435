"""Entries whose bodies break the connection. They are read last, each alone, after growing pauses (RIPC-RECOV-28).

A body may be larger than a proxy lets through, or than the server sends to one client. An endpoint learns it only by
reading.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from .commands import Command
from .replies import id_parts
from .settings import NEVER

FIRST_PAUSE = 2.0
"""Seconds until a body that broke the connection alone is read again."""
LONGEST_PAUSE = 60.0
"""Seconds at most between two such reads."""
_KEPT = 1000
"""How many IDs are remembered at most."""
REPORTED = 2
"""A body is reported when it has broken the connection alone so often: once may be chance."""


class _Breaker:
    __slots__ = ("alone", "until")

    def __init__(self) -> None:
        self.alone = 0
        self.until = -NEVER


class Breakers:
    """Notes which bodies were asked for when a connection broke.

    ``due``: when the instance's own list is read again because of them.
    """

    def __init__(self, read_before: Container[bytes], report: Callable[[bytes, int], None]) -> None:
        """``read_before``: bodies that cannot be the cause.

        ``report`` gets an ID, and how often its body broke the connection.
        """
        self.due: float = NEVER
        self._read_before = read_before
        self._report = report
        self._known: dict[bytes, _Breaker] = {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def broke(self, commands: Iterable[Command], now: float) -> None:
        """The connection broke before the replies to these came. If one body was asked for, it may be the cause."""
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
        """From now on this body is read alone."""
        self._known.setdefault(id, _Breaker())
        while len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]

    def waits(self, id: bytes, now: float) -> bool:
        """Whether its body is not read yet."""
        breaker = self._known.get(id)
        return breaker is not None and now < breaker.until

    def trusts(self, id: bytes) -> bool:
        """Whether its body may be read together with others."""
        return id not in self._known

    def trusted(self, ids: Iterable[bytes]) -> list[bytes]:
        """Those that may be read together."""
        return list(filter(self.trusts, ids))

    def alone(self, ids: Iterable[bytes], now: float) -> list[bytes]:
        """Those to read now, each alone. The one that broke the fewest connections comes first."""
        found = [id for id in ids if id in self._known and not self.waits(id, now)]
        return sorted(found, key=lambda entry: self._known[entry].alone)

    def after(self, start: bytes) -> bytes | None:
        """The first entry after ``start`` whose body broke a connection alone; None if there is none."""
        begin = (0, 0) if start == b"-" else id_parts(start)
        found = [id for id, breaker in self._known.items() if breaker.alone and id_parts(id) > begin]
        return min(found, key=id_parts, default=None)

    def later(self, ids: Iterable[bytes]) -> None:
        """Its own list has these, still unread. It is read again when the first of them may be read."""
        self.due = min((self._known[id].until for id in ids if id in self._known), default=NEVER)


def _asked(commands: Iterable[Command]) -> list[bytes]:
    """The IDs whose bodies single reads ask for."""
    return [
        id
        for command in commands
        if command[0] == "XRANGE" and isinstance(id := command[2], bytes) and id == command[3]
    ]
