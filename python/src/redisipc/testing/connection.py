"""One connection to a hub: commands in, replies out, and what a server keeps for each client."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from redisipc.protocol.commands import Command, Failure
from redisipc.runtime.resp import MISSING, Parser, ProtocolError, make_parser

from .clock import Clock, Timers
from .handed import Handed
from .names import who
from .redis_model import Blocked, Client, Model
from .redis_model.arguments import Refused, raw
from .redis_model.model import HANDLERS, NESTED
from .resp import OK, QUEUED, encode

BEGIN: Command = ("MULTI",)
USUAL = frozenset(("MULTI", "EXEC", "XADD", "XREADGROUP", "XACK", "XDEL"))
"""The commands of requests and answers: without a fault, they are executed without a look at each."""
MOST_WORDS = 1000
_WORDS: dict[bytes, str] = {}
"""Names of commands as they arrive, and as the model has them."""


class Reader(Protocol):
    """Learns that a waiting read was served."""

    def served(self, connection: Connection) -> bool:
        """Whether the connection breaks now."""
        ...


class Owner(Protocol):
    """The part of a server (`server.Server`) that a connection uses."""

    lock: threading.RLock
    clock: Clock
    timers: Timers
    paused: bool
    cut_somebody: bool
    connections: dict[int, Connection]
    judges: list[Callable[[Connection, Command], str]]
    denied: set[str]
    settings: dict[str, str]
    on_shutdown: Callable[[bool], None] | None

    @property
    def followers(self) -> Sequence[Reader]:
        """All that learn of served reads."""
        ...

    def model(self, database: int) -> Model: ...
    def execute(self, connection: Connection, command: Command) -> Any: ...
    def transact(self, connection: Connection, commands: list[Command]) -> list[Any]: ...
    def writes(self, connection: Connection) -> None: ...
    def tell(self, connection: Connection, command: Command, reply: Any) -> Any: ...
    def refusal(self, connection: Connection, name: str) -> Failure | None: ...
    def fate_of(self, connection: Connection, command: Command) -> str: ...
    def wrote(self, connection: Connection) -> None: ...
    def served(self, connection: Connection, reply: Any) -> None: ...
    def left(self, connection: Connection) -> None: ...
    def flush(self) -> None: ...
    def settle(self) -> None: ...
    def empty(self, database: int | None = None) -> None: ...


class Connection:
    """``name`` is what CLIENT LIST shows, ``who`` the group and the instance in it. ``deliver`` gets bytes, or replies as they
    are where commands come as they are. ``hang_up`` gets the reason for the end. Neither may wait. ``own`` are the commands
    that the model does not have.

    Hold the server's lock for all but ``received`` and ``end``.
    """

    def __init__(
        self,
        server: Owner,
        number: int,
        name: str,
        deliver: Callable[[Any], None],
        hang_up: Callable[[str], None],
        own: Mapping[str, Callable[[Connection, Command], Any]],
    ) -> None:
        self.server = server
        self.number = number
        self.name = name
        self.who: str = who(name)
        self.open: bool = True
        self.database = 0
        self.client: Client = Client()
        self.blocked: Blocked | None = None
        self.reads: Command | None = None
        self.channels: set[bytes] = set()
        self.is_gone: Callable[[], bool] = bool
        self.remote = False
        self._until = 0.0
        self.own = own
        self._deliver = deliver
        self._hang_up = hang_up
        self._handed = False
        self._parser: Parser = make_parser()
        self._ok: Any = OK
        self._queued: Any = QUEUED
        self._out: list[Any] = []

    @property
    def group(self) -> str:
        """The group of the client."""
        return self.who.rpartition("/")[0]

    # what the client does

    def received(self, data: bytes | list[Command]) -> None:
        """Bytes came from the client, or commands: always the same of both."""
        server = self.server
        with server.lock:
            if not self.open:
                return
            if type(data) is list:
                if self._takes(data):
                    self._execute_usual(data)
                    server.flush()
                    return
                # As they would come over a wire.
                data = [(command[0], *map(raw, command[1:])) for command in data]
            self._parser.feed(data)
            if not server.paused:
                self.work()
                server.flush()

    def end(self) -> None:
        """The client has left."""
        with self.server.lock:
            self._leave()

    # what the server does

    def work(self) -> None:
        """Execute what has come, as far as nothing blocks."""
        server, gets, client, out = self.server, self._parser.gets, self.client, self._out
        keeps = False
        while self.open and self.blocked is None:
            try:
                words = gets()
            except ProtocolError as error:
                self.break_off(f"the hub got what is not a command: {error}")
                return
            if words is MISSING:
                return
            if type(words) is tuple:
                command: Command = words
            elif type(words) is list and words:
                words[0] = _WORDS.get(words[0]) or _word_of(words[0])
                command = tuple(words)
            else:
                self.break_off(f"the hub got what is not a command: {words!r}")
                return
            if keeps and command[0] in HANDLERS:
                # Most commands stand in a transaction: they only wait for its EXEC.
                client.queue.append(command)  # type: ignore[union-attr]
                out.append(self._queued)
            elif command == BEGIN and not server.judges and not server.denied and not self.channels and client.begin():
                if not out:
                    server.wrote(self)
                out.append(self._ok)
                keeps = server.model(self.database).takes_all
            else:
                keeps = False
                self._execute(command)

    def say(self, reply: Any) -> None:
        """Write a reply. It is sent with the next ``flush``."""
        out = self._out
        if not out:
            self.server.wrote(self)
        out.append(reply if self._handed else encode(reply))

    def flush(self) -> None:
        """Send what was written."""
        if self.open and self._out:
            said: Any = self._out if self._handed else b"".join(self._out)
            self._out = []
            self._deliver(said)

    def break_off(self, reason: str) -> None:
        """Break the connection: written bytes are lost, and the client is notified."""
        if self._leave():
            self.server.cut_somebody = True
            self._hang_up(reason)

    def unblock(self, reply: Any = None) -> bool:
        """End a read that waits."""
        if self.blocked is None:
            return False
        self.server.model(self.database).stop_waiting(self.blocked)
        self._served(reply)
        return True

    # parts

    def _takes(self, commands: list[Command]) -> bool:
        """Whether it may execute handed commands at once, without a look at each."""
        if not self._handed:
            self._handed, self._parser, self._ok, self._queued = True, Handed(), b"OK", b"QUEUED"
        server = self.server
        return (
            self.blocked is None
            and self.client.queue is None
            and USUAL.issuperset([command[0] for command in commands])
            and not (server.paused or server.judges or server.denied or self.channels)
            and server.model(self.database).takes_all
        )

    def _execute_usual(self, commands: list[Command]) -> None:
        server, out = self.server, self._out
        queue: list[Command] | None = None
        for number, command in enumerate(commands):
            name = command[0]
            if name == "MULTI" and queue is None:
                queue = []
                reply: Any = b"OK"
            elif queue is None:
                reply = server.execute(self, command)
                if type(reply) is Blocked:
                    self._block(reply, command)
                    self._parser.feed(commands[number + 1 :])
                    return
            elif name == "EXEC":
                reply, queue = server.transact(self, queue), None
            elif name == "MULTI":
                reply = NESTED
            else:
                queue.append(command)
                reply = b"QUEUED"
            if not out:
                server.wrote(self)
            out.append(reply)
        self.client.queue = queue

    def _leave(self) -> bool:
        if not self.open:
            return False
        self.open = False
        self._out.clear()
        if self.blocked is not None:
            self.server.model(self.database).stop_waiting(self.blocked)
            self.blocked = None
        for channel in list(self.channels):
            self.unsubscribe(channel)
        self.server.left(self)
        return True

    def _execute(self, command: Command) -> None:
        name: Any = command[0]
        server = self.server
        fate = server.fate_of(self, command) if server.judges else ""
        if fate == "before":
            self.break_off("the connection was cut before the command was executed")
            return
        if server.denied and (refused := server.refusal(self, name)) is not None:
            self.say(refused)
            return
        if name in self.own and self.client.queue is None:
            own = self.own[name]
            try:
                reply = own(self, command)
            except Refused as refused:
                reply = Failure(refused.kind, refused.message)
            if reply is not MISSING and self.open:
                self.say(reply)
            return
        if self.channels:
            self.say(Failure("ERR", f"ERR Can't execute '{name.lower()}': only (P|S)SUBSCRIBE / PING are allowed"))
            return
        reply = server.execute(self, command)
        if fate == "after":
            self.break_off("the connection was cut before the reply")
        elif type(reply) is Blocked:
            self._block(reply, command)
        else:
            self.say(reply)

    def _block(self, blocked: Blocked, command: Command) -> None:
        server = self.server
        self.blocked, self.reads = blocked, command
        server.model(self.database).wait(blocked, self._served)
        if blocked.milliseconds:
            waits, self._until = self._until > 0, server.clock.now() + blocked.milliseconds / 1000
            if not waits:
                server.timers.at(self, self._until, self._limit)

    def _limit(self) -> None:
        """One timer at a time for the end of BLOCK: most reads end long before."""
        until, self._until = self._until, 0.0
        if self.blocked is None or not self.blocked.milliseconds:
            return
        if self.server.clock.now() < until:
            self._until = until
            self.server.timers.at(self, until, self._limit)
        elif not self.server.paused:
            self.unblock()
            self.server.flush()
        else:
            self.server.timers.at(self, self.server.clock.now() + 0.01, self._limit)

    def _served(self, reply: Any) -> None:
        self.blocked = None
        self.server.served(self, reply)
        followers = self.server.followers
        if followers and type(reply) is list and any(follower.served(self) for follower in followers):
            self.break_off("the connection was cut before the reply")
        elif self.open:
            self.say(reply)

    def _message(self, channel: bytes, payload: bytes) -> None:
        self.say([b"message", channel, payload])

    def subscribe(self, channel: bytes) -> None:
        """Listen to a channel."""
        if channel not in self.channels:
            self.channels.add(channel)
            self.server.model(0).subscribers.setdefault(channel, []).append(self._message)

    def unsubscribe(self, channel: bytes) -> None:
        """Stop listening to it."""
        self.channels.discard(channel)
        listeners = self.server.model(0).subscribers.get(channel, [])
        if self._message in listeners:
            listeners.remove(self._message)
            if not listeners:
                del self.server.model(0).subscribers[channel]


def _word_of(name: bytes) -> str:
    text = name.decode("latin-1").upper()
    if len(_WORDS) < MOST_WORDS:
        _WORDS[name] = text
    return text
