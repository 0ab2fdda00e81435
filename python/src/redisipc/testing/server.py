"""A Redis in memory: the model, its connections, its clock, and one lock around all of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from redisipc.protocol.commands import Command

from .clock import Clock, Timers
from .connection import Connection
from .redis_model import REDIS_7, Model, Profile

Watcher = Callable[[Connection, Command, Any], None]


class Server:
    """Executes what its connections send, one command after the other."""

    def __init__(self, profile: Profile = REDIS_7) -> None:
        self.lock = threading.RLock()
        self.clock = Clock()
        self.timers = Timers(self.clock, self.lock)
        self.profile = profile
        self.up = True
        self.paused = False
        self.connections: dict[int, Connection] = {}
        self.watchers: list[Watcher] = []
        self.models: dict[int, Model] = {}
        self.numbers = 0
        self._written: list[Connection] = []
        self._served: list[Connection] = []

    def model(self, database: int) -> Model:
        """The data of one database."""
        model = self.models.get(database)
        if model is None:
            model = self.models[database] = Model(self.profile, self.clock.wall, self.clock.now)
        return model

    def connect(self, name: str, deliver: Callable[[bytes], None], hang_up: Callable[[str], None]) -> Connection:
        """A new connection. Raises ConnectionRefusedError while the server is down."""
        with self.lock:
            self.forget_the_gone()
            if not self.up:
                raise ConnectionRefusedError("the hub is down")
            self.numbers += 1
            connection = self.connections[self.numbers] = Connection(self, self.numbers, name, deliver, hang_up)
            return connection

    def forget_the_gone(self) -> None:
        """Clients may end without a word, with the event loop that they lived in."""
        for connection in [one for one in self.connections.values() if one.is_gone()]:
            connection.end()

    # for connections

    def execute(self, connection: Connection, command: Command) -> Any:
        """Execute a command of the model."""
        reply = self.model(connection.database).run(connection.client, [command])[0]
        for watcher in self.watchers:
            watcher(connection, command, reply)
        return reply

    def fate_of(self, connection: Connection, command: Command) -> str:
        """Whether the connection breaks at this command: ``before`` it is executed, ``after``, or not at all."""
        return ""

    def wrote(self, connection: Connection) -> None:
        """It has something to send."""
        self._written.append(connection)

    def served(self, connection: Connection, reply: Any) -> None:
        """A read that waited has ended: what was sent behind it comes next."""
        self._served.append(connection)

    def flush(self) -> None:
        """Let all replies go."""
        while self._served:
            self._served.pop().work()
        while self._written:
            written, self._written = self._written, []
            for connection in written:
                connection.flush()

    def left(self, connection: Connection) -> None:
        """A connection is gone."""
        self.connections.pop(connection.number, None)
        self.timers.cancel(connection)

    # as a whole

    def empty(self, database: int | None = None) -> None:
        """Delete all keys, of one database or of all."""
        for number, model in self.models.items():
            if database is None or number == database:
                for key in list(model.keys):
                    model.remove(key)

    def break_all(self, reason: str) -> None:
        """All connections break."""
        for connection in list(self.connections.values()):
            connection.break_off(reason)
