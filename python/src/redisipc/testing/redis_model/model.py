"""The server: keys, expiry, clients with transactions, blocked readers, pub/sub, and faults of the whole server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from redisipc.protocol.commands import Command, Failure

from .arguments import Refused
from .data import Group, Key, Pending, Stream
from .profiles import Profile

Handler = Callable[["Model", Command], Any]
HANDLERS: dict[str, Handler] = {}
DENIED_WITHOUT_MEMORY: set[str] = {"XGROUP"}
WRITES = frozenset(
    (
        "XADD",
        "XREADGROUP",
        "XACK",
        "XDEL",
        "XCLAIM",
        "XAUTOCLAIM",
        "XGROUP",
        "XTRIM",
        "EXPIRE",
        "SET",
        "LPUSH",
        "LREM",
        "DEL",
    )
)
"""Commands that are refused while the server takes no writes, reads of a group included."""
ENDS = frozenset(("MULTI", "EXEC", "DISCARD"))
"""The commands that begin and end a transaction, and have no handler."""
NESTED = Failure("ERR", "ERR MULTI calls can not be nested")
T = TypeVar("T")


def handles(name: str, needs_memory: bool = False) -> Callable[[Handler], Handler]:
    def keep(handler: Handler) -> Handler:
        HANDLERS[name] = handler
        if needs_memory:
            DENIED_WITHOUT_MEMORY.add(name)
        return handler

    return keep


class Blocked:
    """A read of new entries that waits. ``deliver`` is called once, by the model; ``milliseconds`` 0 means no limit.

    ``after``: the read has no group, and waits for entries after this ID.
    """

    __slots__ = ("after", "consumer", "count", "deliver", "group", "key", "milliseconds")

    def __init__(
        self, key: bytes, group: bytes, consumer: bytes, count: int, milliseconds: int, after: Key | None = None
    ) -> None:
        self.key: bytes = key
        self.group: bytes = group
        self.consumer: bytes = consumer
        self.count: int = count
        self.milliseconds: int = milliseconds
        self.after: Key | None = after
        self.deliver: Callable[[Any], None]


class Client:
    """One connection as the server knows it."""

    __slots__ = ("blocked", "dirty", "queue")

    def __init__(self) -> None:
        self.queue: list[Command] | None = None
        self.dirty: bool = False
        self.blocked: Blocked | None = None

    def begin(self) -> bool:
        """MULTI. Whether there was no transaction yet."""
        if self.queue is not None:
            return False
        self.queue, self.dirty = [], False
        return True


class Observer:
    """Learns at once what is stored, deleted and claimed."""

    def added(self, id: bytes, fields: list[bytes]) -> None: ...

    def missed(self, key: bytes) -> None:
        """An entry is for a stream that does not exist yet. Groups that are created now get it."""

    def deleted(self, id: bytes) -> None: ...

    def made(self, group: bytes) -> None:
        """A group was created."""

    def dropped(self, group: bytes, consumer: bytes, pending: list[bytes]) -> None:
        """A consumer is deleted, with what was pending for it."""

    def moved(self, group: bytes, pending: Pending, consumer: bytes) -> None:
        """A claim makes ``consumer`` the owner of an entry that another one holds, which ``pending`` still shows."""


class Model:
    """Executes commands one after the other.

    ``wall`` gives the server's clock in milliseconds, ``clock`` seconds that never step. ``no_writes`` is the first
    word of the error that refuses every write.
    """

    def __init__(self, profile: Profile, wall: Callable[[], int], clock: Callable[[], float] = lambda: 0.0) -> None:
        self.clock = clock
        self.no_writes = ""
        self.profile = profile
        self.wall = wall
        self.keys: dict[bytes, Any] = {}
        self.expires: dict[bytes, int] = {}
        self.out_of_memory = False
        self.refused: int = 0
        self.waiting: dict[bytes, list[Blocked]] = {}
        self.touched: bytes | None = None
        self.subscribers: dict[bytes, list[Callable[[bytes, bytes], None]]] = {}
        self.observer: Observer | None = None

    # keys

    def get(self, key: bytes, kind: type[T]) -> T | None:
        if key in self.expires and self.wall() >= self.expires[key]:
            self.remove(key)
        value = self.keys.get(key)
        if value is not None and type(value) is not kind:
            raise Refused("WRONGTYPE", "Operation against a key holding the wrong kind of value")
        return value

    def exists(self, key: bytes) -> bool:
        if key in self.expires and self.wall() >= self.expires[key]:
            self.remove(key)
        return key in self.keys

    def remove(self, key: bytes) -> bool:
        self.expires.pop(key, None)
        value = self.keys.pop(key, None)
        if type(value) is Stream:
            self.tell_vanished(key, None, self.profile.vanished)
        return value is not None

    def group(self, key: bytes, name: bytes, where: str = "") -> tuple[Stream, Group]:
        stream = self.get(key, Stream)
        found = stream.groups.get(name) if stream is not None else None
        if stream is None or found is None:
            shown = f"No such key '{key.decode()}' or consumer group '{name.decode()}'{where}"
            raise Refused("NOGROUP", shown)
        return stream, found

    # commands

    def run(self, client: Client, commands: Sequence[Command]) -> list[Any]:
        """Execute a pipeline; one reply each. A read that must wait gives ``Blocked``."""
        return [self.one(client, command) for command in commands]

    def one(self, client: Client, command: Command) -> Any:
        """Execute one command of a client."""
        name = command[0]
        if client.queue is not None or name == "MULTI":
            return self._transaction(client, name, command)
        reply = self.execute(command)
        if self.touched is not None:
            self._serve()
        return reply

    def execute(self, command: Command) -> Any:
        handler = HANDLERS.get(command[0])  # type: ignore[arg-type]
        if handler is None:
            return Failure("ERR", f"ERR unknown command '{command[0]!s}'")
        if self.no_writes or self.out_of_memory:
            refusal = self._refusal(command)
            if refusal is not None:
                return refusal
        try:
            return handler(self, command)
        except Refused as refused:
            return Failure(refused.kind, refused.message)

    def _refusal(self, command: Command) -> Failure | None:
        if self.no_writes and command[0] in WRITES:
            self.refused += 1
            return Failure(self.no_writes, f"{self.no_writes} the server takes no writes")
        if self.out_of_memory and self._needs_memory(command):
            self.refused += 1
            return Failure("OOM", "OOM command not allowed when used memory > 'maxmemory'.")
        return None

    def _needs_memory(self, command: Command) -> bool:
        name = command[0]
        if name == "XGROUP" and self.profile.drops_gone:
            return len(command) > 1 and str(command[1]).upper() in ("CREATE", "CREATECONSUMER")
        return name in DENIED_WITHOUT_MEMORY

    @property
    def takes_all(self) -> bool:
        """Whether it refuses no command that it has a handler for: a transaction may keep each without a further look."""
        return not self.no_writes and not self.out_of_memory

    def _transaction(self, client: Client, name: Any, command: Command) -> Any:
        if name == "MULTI":
            return b"OK" if client.begin() else NESTED
        queue = client.queue
        assert queue is not None
        if name == "DISCARD":
            client.queue = None
            return b"OK"
        if name == "EXEC":
            client.queue = None
            if client.dirty:
                return Failure("EXECABORT", "EXECABORT Transaction discarded because of previous errors.")
            return self.transact(queue)
        if name not in HANDLERS:
            client.dirty = True
            return Failure("ERR", f"ERR unknown command '{name}'")
        refusal = self._refusal(command)
        if refusal is not None:
            client.dirty = True
            return refusal
        queue.append(command)
        return b"QUEUED"

    def transact(self, queue: list[Command]) -> list[Any]:
        """Execute what a transaction kept. A read in it waits for nothing."""
        replies: list[Any] = []
        takes_all = self.takes_all
        for queued in queue:
            try:
                reply = HANDLERS[queued[0]](self, queued) if takes_all else self.execute(queued)  # type: ignore[index]
            except Refused as refused:
                reply = Failure(refused.kind, refused.message)
            replies.append(None if type(reply) is Blocked else reply)
        if self.touched is not None:
            self._serve()
        return replies

    # blocked readers

    def wait(self, blocked: Blocked, deliver: Callable[[Any], None]) -> None:
        blocked.deliver = deliver
        self.waiting.setdefault(blocked.key, []).append(blocked)

    def stop_waiting(self, blocked: Blocked) -> bool:
        """The limit is reached, or the connection closed."""
        waiting = self.waiting.get(blocked.key)
        if waiting is None or blocked not in waiting:
            return False
        waiting.remove(blocked)
        return True

    def serve(self, key: bytes | None) -> None:
        """Serve the waiting reads of this stream: for callers of ``execute``, after what is one for all others."""
        self.touched = key
        self._serve()

    def _serve(self) -> None:
        key, self.touched = self.touched, None
        if key is None or not self.waiting.get(key) or type(self.keys.get(key)) is not Stream:
            return
        stream: Stream = self.keys[key]
        served: set[bytes] = set()
        left: list[Blocked] = []
        due: list[tuple[Blocked, Any]] = []
        for blocked in self.waiting[key]:
            if blocked.after is not None:
                found = stream.after(blocked.after, blocked.count)
                if found:
                    due.append((blocked, [[key, [[id, body] for id, _, body in found]]]))
                else:
                    left.append(blocked)
                continue
            group = stream.groups.get(blocked.group)
            if group is None or blocked.group in served or stream.last <= group.last:
                left.append(blocked)
                continue
            rows = SERVE(self, stream, group, blocked)
            if rows or self.profile.serves_nothing:
                served.add(blocked.group)
                due.append((blocked, [[key, rows]]))
            else:
                left.append(blocked)
        self.waiting[key] = left
        for blocked, reply in due:
            blocked.deliver(reply)

    def tell_vanished(self, key: bytes, group: bytes | None, kind: str | None) -> None:
        """The stream (or one of its groups) is gone: reply to its blocked readers."""
        if kind is None or key not in self.waiting:
            return
        told = [
            blocked
            for blocked in self.waiting[key]
            if blocked.after is None and (group is None or blocked.group == group)
        ]
        self.waiting[key] = [blocked for blocked in self.waiting[key] if blocked not in told]
        for blocked in told:
            blocked.deliver(Failure(kind, f"{kind} the stream key or group no longer exists"))

    # pub/sub

    def publish(self, channel: bytes, payload: bytes) -> int:
        listeners = self.subscribers.get(channel)
        if not listeners:
            return 0
        for listener in list(listeners):
            listener(channel, payload)
        return len(listeners)

    # faults

    def copy_keys(self) -> tuple[dict[bytes, Any], dict[bytes, int]]:
        """A copy of the keys, as a replica or the disk has them at this moment, and when they expire."""
        copies: dict[bytes, Any] = {}
        for key, value in self.keys.items():
            copies[key] = value.copy() if type(value) in (Stream, list) else value
        return copies, dict(self.expires)

    def become(self, keys: dict[bytes, Any], expires: dict[bytes, int]) -> None:
        """Another server, or a restarted one, with this data. No client is connected yet."""
        self.keys = keys
        self.expires = expires
        self.waiting.clear()
        self.subscribers.clear()
        self.touched = None


def _serve_nothing(_model: Model, _stream: Stream, _group: Group, _blocked: Blocked) -> list[Any]:
    return []


SERVE: Callable[[Model, Stream, Group, Blocked], list[Any]] = _serve_nothing
