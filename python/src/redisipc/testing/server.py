"""A Redis in memory: the model, its connections, its clock, and one lock around all of it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from redisipc.protocol.commands import Command, Failure

from .clock import Clock, Timers
from .commands import OWN
from .connection import Connection, Reader
from .journal import TOLD, Follower, Journal
from .names import who
from .redis_model import REDIS_7, Blocked, Model, Profile
from .redis_model.data import Stream
from .rights import refusal

SETTINGS = {
    "maxmemory": "0",
    "maxmemory-policy": "noeviction",
    "min-replicas-to-write": "0",
    "notify-keyspace-events": "",
}
"""The settings that CONFIG knows."""


class Member(Follower, Protocol):
    """A peer, as the server sees it."""

    def appear(self, stream: bytes) -> None:
        """A group was made on this stream."""

    def revive(self) -> None:
        """The server is up again."""


class Watcher(Follower, Reader, Protocol):
    """Learns of each entry, and of each served read."""


class Server:
    """Executes the commands of its connections, one after the other.

    ``errands`` are done after the present command: the work of peers. ``busy`` counts functions of the test that run
    for them.
    ``cut_somebody``: a connection broke. An instance that leaves then may leave traces, which others delete later.
    """

    def __init__(self, profile: Profile = REDIS_7) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.clock: Clock = Clock()
        self.timers: Timers = Timers(self.clock, self.lock)
        self.profile = profile
        self.up = True
        self.paused = False
        self.cut_somebody = False
        self.connections: dict[int, Connection] = {}
        self.journal: Journal = Journal(self.clock, self.lock, self.following, self._appeared)
        self.errands: deque[Callable[[], None]] = deque()
        self.peers: list[Member] = []
        self.followers: list[Watcher] = []
        self.busy = 0
        self.fates: list[Any] = []
        self.judges: list[Callable[[Connection, Command], str]] = []
        self.denied: set[str] = set()
        self.banned: set[str] = set()
        self.models: dict[int, Model] = {}
        self.on_shutdown: Callable[[bool], None] | None = None
        self.settings: dict[str, str] = dict(SETTINGS)
        self.numbers: int = 0
        self._written: list[Connection] = []
        self._served: list[Connection] = []

    def model(self, database: int) -> Model:
        """The data of one database."""
        model = self.models.get(database)
        if model is None:
            model = self.models[database] = Model(self.profile, self.clock.wall, self.clock.now)
            self.journal.watch(model)
            self.settle()
        return model

    def following(self) -> list[Follower]:
        """All that learn of each entry."""
        return [*self.followers, *self.peers] if self.followers or self.peers else []

    def _appeared(self, stream: bytes) -> None:
        for peer in list(self.peers):
            peer.appear(stream)

    def streams(self) -> list[bytes]:
        """The keys of all streams."""
        return [key for model in self.models.values() for key, value in model.keys.items() if isinstance(value, Stream)]

    def connect(self, name: str, deliver: Callable[[Any], None], hang_up: Callable[[str], None]) -> Connection:
        """A new connection. Raises ConnectionRefusedError while the server is down."""
        with self.lock:
            self.forget_the_gone()
            if not self.up:
                raise ConnectionRefusedError("the hub is down")
            if self.banned and who(name) in self.banned:
                raise ConnectionRefusedError("this instance is dead, as far as the hub knows")
            self.numbers += 1
            connection = self.connections[self.numbers] = Connection(self, self.numbers, name, deliver, hang_up, OWN)
            return connection

    def forget_the_gone(self) -> None:
        """Clients may end without closing, together with their event loop."""
        for connection in [one for one in self.connections.values() if one.is_gone()]:
            connection.end()

    # for connections

    def execute(self, connection: Connection, command: Command) -> Any:
        """Execute a command of the model."""
        client = connection.client
        queue = client.queue
        journal = self.journal
        journal.writer = connection.who
        model = self.models.get(connection.database) or self.model(connection.database)
        reply = model.one(client, command)
        if queue is None:
            if command[0] in TOLD and reply and type(reply) is not Blocked:
                journal.ran(connection.who, command, reply)
        elif command[0] == "EXEC" and type(reply) is list:
            self._tell(connection, queue, reply)
        return reply

    def transact(self, connection: Connection, commands: list[Command]) -> list[Any]:
        """Execute a transaction of commands that the model has, where it refuses none."""
        self.journal.writer = connection.who
        model = self.models.get(connection.database) or self.model(connection.database)
        replies = model.transact(commands)
        self._tell(connection, commands, replies)
        return replies

    def _tell(self, connection: Connection, commands: list[Command], replies: list[Any]) -> None:
        for command, reply in zip(commands, replies, strict=True):
            if reply and command[0] in TOLD:
                self.journal.ran(connection.who, command, reply)

    def writes(self, connection: Connection) -> None:
        """From now on, entries count as stored by this connection."""
        self.journal.writer = connection.who

    def tell(self, connection: Connection, command: Command, reply: Any) -> Any:
        """Report a command to the journal. Returns the reply."""
        if command[0] in TOLD:
            self.journal.ran(connection.who, command, reply)
        return reply

    def refusal(self, connection: Connection, name: str) -> Failure | None:
        """The reply to a command that this connection has no right to."""
        return refusal(connection, name)

    def fate_of(self, connection: Connection, command: Command) -> str:
        """Whether the connection breaks at this command: ``before`` it is executed, ``after``, or not at all."""
        for judge in self.judges:
            fate = judge(connection, command)
            if fate:
                return fate
        return ""

    def wrote(self, connection: Connection) -> None:
        """The connection has bytes to send."""
        self._written.append(connection)

    def served(self, connection: Connection, reply: Any) -> None:
        """A waiting read has ended: the commands behind it come next."""
        self._served.append(connection)
        if connection.reads is not None:
            self.journal.ran(connection.who, connection.reads, reply)

    def flush(self) -> None:
        """Do the remaining work, and send all replies."""
        while self._served or self.errands:
            while self._served:
                self._served.pop().work()
            if self.errands and self.up and not self.paused:
                self.errands.popleft()()
            elif not self._served:
                break
        while self._written:
            written, self._written = self._written, []
            for connection in written:
                connection.flush()

    def left(self, connection: Connection) -> None:
        """A connection is gone."""
        self.connections.pop(connection.number, None)
        self.timers.cancel(connection)

    def settle(self) -> None:
        """Apply the settings."""
        full = self.settings["maxmemory"] not in ("0", "0b")
        for model in self.models.values():
            model.out_of_memory = full
            model.no_writes = "NOREPLICAS" if self.settings["min-replicas-to-write"] != "0" else ""

    # as a whole

    def revive(self) -> None:
        """It is up again: peers continue."""
        for peer in list(self.peers):
            self.errands.append(peer.revive)
        self.flush()

    def empty(self, database: int | None = None) -> None:
        """Delete all keys, of one database or of all."""
        for number, model in self.models.items():
            if database is None or number == database:
                for key in list(model.keys):
                    model.remove(key)

    def break_all(self, reason: str) -> None:
        """Break all connections."""
        for connection in list(self.connections.values()):
            connection.break_off(reason)
