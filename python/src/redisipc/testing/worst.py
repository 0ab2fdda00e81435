"""The worst case that the protocol allows: it breaks everything that no handler may rely on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from redisipc.protocol.commands import Command
from redisipc.protocol.entry import PENDING, Entry, build
from redisipc.protocol.names import Names

from .connection import Connection
from .redis_model.data import Stream
from .server import Server

GHOST = b"consumer_ffffff_0"
"""Another instance of the requester's group, which reads each response first."""


class WorstCase:
    """Delivers everything twice, hands every response over, and cuts every connection once."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._mine: Connection | None = None
        # Entry ID of the copy and id of the request, for each request that waits.
        self._copies: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
        self._again: set[bytes] = set()
        self._cut: set[str] = set()
        self._groups: set[tuple[bytes, bytes]] = set()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        server = self._server
        with server.lock:
            server.followers.append(self)
            server.judges.append(self.fate)
            self._mine = server.connect("redisipc:worst case:ffffff:hub", lambda data: None, lambda reason: None)
        try:
            yield
        finally:
            with server.lock:
                server.followers.remove(self)
                server.judges.remove(self.fate)
                for stream, group in self._groups:
                    self._run("XGROUP", "DELCONSUMER", stream, group, GHOST)
                self._mine.end()
                server.flush()

    # what the hub says; it holds its lock

    def added(self, stream: bytes, entry: Entry | None) -> None:
        """Called in the middle of an XADD, before any client has read the entry."""
        if entry is None:
            return
        if entry.status == PENDING:
            if entry.id not in self._again and self._has_group(stream, entry.destination_group):
                self._again.add(entry.id)
                self._soon(lambda: self._ask_again(stream, entry))
            return
        # It is answered, so the copy may be read at any time.
        self._copies = {original: copy for original, copy in self._copies.items() if copy[1] != entry.id}
        if self._has_group(stream, entry.destination_group):
            self._read_first(stream, entry)

    def deleted(self, stream: bytes, entry_id: bytes) -> None:
        """The requester or the responder deletes an entry."""
        copy, _ = self._copies.pop((stream, entry_id), (b"", b""))
        if copy and self._is_unanswered(stream, copy):
            self._soon(lambda: self._run("XDEL", stream, copy))

    def fate(self, connection: Connection, command: Command) -> str:
        """Each connection breaks once: its command is executed, but no reply comes."""
        if connection is self._mine or not connection.name.startswith("redisipc:"):
            return ""
        name = connection.name
        writes = command[0] == "EXEC" or (command[0] == "XADD" and connection.client.queue is None)
        if name in self._cut or not writes:
            return ""
        if command[0] == "EXEC" and not any(queued[0] == "XADD" for queued in connection.client.queue or ()):
            return ""
        self._cut.add(name)
        self._server.journal.note(connection.who, "is cut off after it wrote")
        return "after"

    def served(self, connection: Connection) -> bool:
        """Whether the connection breaks now that its read got something."""
        if connection.name in self._cut or connection is self._mine:
            return False
        self._cut.add(connection.name)
        self._server.journal.note(connection.who, "is cut off after it read")
        return True

    # parts

    def _run(self, *command: Any) -> Any:
        assert self._mine is not None
        if not self._server.up:
            return None
        return self._server.model(0).run(self._mine.client, [command])[0]

    def _soon(self, work: Callable[[], Any]) -> None:
        self._server.errands.append(work)

    def _stream(self, key: bytes) -> Stream | None:
        found = self._server.model(0).keys.get(key)
        return found if isinstance(found, Stream) else None

    def _has_group(self, key: bytes, group: bytes) -> bool:
        stream = self._stream(key)
        return stream is not None and group in stream.groups

    def _ask_again(self, stream: bytes, entry: Entry) -> None:
        fields = build(*entry[1:])
        copy = self._run("XADD", stream, "NOMKSTREAM", "*", *fields)
        if isinstance(copy, bytes):
            self._copies[stream, entry.entry_id] = copy, entry.id

    def _is_unanswered(self, key: bytes, id: bytes) -> bool:
        """Whether no instance has started the copy."""
        stream = self._stream(key)
        return (
            stream is not None
            and id in stream.bodies
            and not any(id in group.pending for group in stream.groups.values())
        )

    def _read_first(self, key: bytes, entry: Entry) -> None:
        stream = self._stream(key)
        assert stream is not None
        group = stream.groups[entry.destination_group]
        news = stream.after(group.last, 2)
        if len(news) != 1:
            # There are unread entries: reading more would take entries of others.
            return
        names = Names(key, entry.destination_group, entry.instance_id)
        model = self._server.model(0)
        model.execute(("XREADGROUP", "GROUP", names.group, GHOST, "COUNT", 1, "STREAMS", key, b">"))
        self._groups.add((key, names.group))
        self._soon(lambda: self._hand_over(names, entry.entry_id))

    def _hand_over(self, names: Names, entry_id: bytes) -> None:
        listed = self._run("LRANGE", names.registration, 0, -1)
        consumer = listed[0] if listed else names.consumer
        self._run("XCLAIM", names.stream, names.group, consumer, 0, entry_id, "JUSTID")
        self._run("PUBLISH", names.wakeup, b"")
