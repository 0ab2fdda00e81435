"""The virtual Redis server: the model, its clock, who can reach it, and what goes wrong with it as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redisipc.protocol.commands import Command
from redisipc.testing.redis_model import Blocked, Client, Model, Profile
from redisipc.testing.redis_model.data import Stream

from .history import History, Trouble
from .schedule import Schedule

LOSSES = {"failover": "failover with lost writes", "rewind": "restart with lost writes"}
EPOCH = 1_700_000_000
"""The server's wall clock, in seconds, at virtual time 0."""


class Connection:
    """One connection of one process. ``fate``: what becomes of the next thing sent over it."""

    __slots__ = ("blocked_until", "broken", "client", "epoch", "fate", "left_open", "only", "open", "waiting")

    def __init__(self, epoch: int, broken: Callable[[Connection], None]) -> None:
        self.client = Client()
        self.epoch = epoch
        self.broken = broken
        self.open = True
        self.blocked_until = 0.0
        self.left_open = False
        """Whether the client has given it up, which the server does not know."""
        self.fate = self.only = ""
        self.waiting: Blocked | None = None


class Server:
    """Runs what arrives. While it is down nothing can connect, and what was connected is cut."""

    def __init__(self, schedule: Schedule, profile: Profile, history: History) -> None:
        self.schedule = schedule
        self.history = history
        self.offset: float = EPOCH
        self.up = True
        self.limit = 0
        """Bytes of one body from which on a reply breaks its connection; 0 for no limit."""
        self.model = Model(profile, self.wall, lambda: schedule.now)
        self.order: list[Connection] = []
        self.on_restart: Callable[[], None] = lambda: None

    def wall(self) -> int:
        return int((self.schedule.now + self.offset) * 1000)

    def connect(self, epoch: int, broken: Callable[[Connection], None]) -> Connection | None:
        if not self.up:
            return None
        connection = Connection(epoch, broken)
        self.order.append(connection)
        if len(self.order) > 200:
            self.order = [one for one in self.order if one.open]
        return connection

    def run(self, connection: Connection, commands: list[Command]) -> list[Any]:
        return self.model.run(connection.client, commands)

    def forget(self, connection: Connection) -> None:
        """The server learns that a connection is gone."""
        connection.open = False
        self.forget_wait(connection)

    def leave_open(self, connection: Connection) -> None:
        """The client is gone, and the server does not hear of it: what waits is served until its BLOCK is over."""
        connection.open = False
        if connection.waiting is not None:
            connection.left_open = True
            self.schedule.at(max(connection.blocked_until, self.schedule.now), self.forget_wait, connection)

    def forget_wait(self, connection: Connection) -> None:
        if connection.waiting is not None:
            self.model.stop_waiting(connection.waiting)
            connection.waiting = None

    # faults

    def stop(
        self, seconds: float, kind: str, state: tuple[dict[bytes, Any], dict[bytes, int]] | None, skew: float = 0.0
    ) -> None:
        """All connections break; after ``seconds`` it is back, with its own data or with ``state``.

        ``skew``: by how many seconds the clock of the new server is ahead.
        """
        now = self.schedule.now
        if skew:
            self.history.steps.append((now, skew))
            self.offset += skew
        self.history.redis.append(Trouble(now, now + seconds, kind))
        self.up = False
        cut, self.order = self.order, []
        for connection in cut:
            if connection.open:
                self.forget(connection)
                connection.broken(connection)
        self.schedule.after(seconds, self._start, kind, state)

    def _start(self, kind: str, state: tuple[dict[bytes, Any], dict[bytes, int]] | None) -> None:
        keys, expires = state if state is not None else (self.model.keys, self.model.expires)
        if keys and state is not None and _newest(keys) != _newest(self.model.keys):
            self.history.struck[LOSSES[kind]] += 1
        if state is not None and self.history.lost is not None:
            self.history.lost.append((self.schedule.now, _lost(self.model.keys, keys)))
        self.model.become(keys, expires)
        self.up = True
        self.on_restart()

    def lose_memory(self, seconds: float) -> None:
        now = self.schedule.now
        self.history.redis.append(Trouble(now, now + seconds, "memory"))
        self.model.out_of_memory = True
        self.schedule.after(seconds, self._gain_memory, self.model.refused)

    def _gain_memory(self, refused: int) -> None:
        self.model.out_of_memory = False
        self.history.struck["writes refused without memory"] += self.model.refused > refused

    def refuse_writes(self, seconds: float, word: str) -> None:
        """Looks work, and nothing else: the disk is full, or replicas are missing."""
        now = self.schedule.now
        self.history.redis.append(Trouble(now, now + seconds, "no writes"))
        self.model.no_writes = word
        self.schedule.after(seconds, self._take_writes, self.model.refused)

    def _take_writes(self, refused: int) -> None:
        self.model.no_writes = ""
        self.history.struck["every write refused"] += self.model.refused > refused

    def step_clock(self, seconds: float) -> None:
        now = self.schedule.now
        self.history.redis.append(Trouble(now, now, "clock"))
        self.history.steps.append((now, seconds))
        self.offset += seconds


def _newest(keys: dict[bytes, Any]) -> list[tuple[int, int]]:
    """The last ID of each stream."""
    return [value.last for value in keys.values() if isinstance(value, Stream)]


def _lost(old: dict[bytes, Any], new: dict[bytes, Any]) -> frozenset[bytes]:
    """The entries of which a write is lost: they, what is pending, or who owns it differ."""
    return frozenset(id for id, _ in _states(old) ^ _states(new))


def _states(keys: dict[bytes, Any]) -> set[tuple[bytes, tuple[Any, ...]]]:
    found: set[tuple[bytes, tuple[Any, ...]]] = set()
    for value in keys.values():
        if isinstance(value, Stream):
            found.update((id, ()) for id in value.bodies)
            for group in value.groups.values():
                found.update(
                    (id, (group.name, each.consumer.name, each.time, each.count)) for id, each in group.pending.items()
                )
    return found
