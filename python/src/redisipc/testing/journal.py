"""The journal of a hub: every request and its end, and all events in order.

It keeps short notes, and works them out only when a test asks, since most are never asked for.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from redisipc.protocol.commands import Command
from redisipc.protocol.entry import FIELDS, FULFILLED, PENDING, Entry, parse

from .asked import Asked, Record, text_of
from .clock import Clock
from .names import short
from .redis_model.arguments import raw
from .redis_model.model import Model, Observer

TOLD = frozenset(("XREADGROUP", "XDEL", "XGROUP", "XCLAIM"))
"""The commands that `Journal.ran` gets. The model reports what is stored."""
MOST_REQUESTS = 10_000
MOST_EVENTS = 10_000
"""The most requests and events that are kept. Older ones are forgotten."""
MOST_UNREAD = 2_000
"""The most notes that wait to be worked out."""


class Follower(Protocol):
    """Learns of each entry: a peer, or the worst case."""

    def added(self, stream: bytes, entry: Entry | None) -> None:
        """An entry was stored. None: it is not one of RedisIPC, or an odd one."""

    def deleted(self, stream: bytes, entry_id: bytes) -> None:
        """An entry is gone."""


ASKS = "asks {to}: {content} [{id}]"
FULFILS = "fulfils [{id}]: {content}"
REJECTS = "rejects [{id}]: {content}"
GETS = "gets the request [{id}]"
GETS_ANSWER = "gets the response [{id}]"
"""The words of the story for an entry. The words are joined late, since most are never shown."""
Event = tuple[float, str, str, list[bytes] | None]
"""When, who, what happened, and the entry that it is about."""
Note = tuple[float, str, Any, Any, Any]
"""When, who, and either stream, ID and fields of what was stored, or a command, its reply and None."""


def _told(text: str, fields: list[bytes]) -> str:
    entry = parse(b"", fields)
    assert isinstance(entry, Entry)
    return text.format(id=text_of(entry.id)[:6], to=text_of(entry.destination_group), content=short(entry.content))


class _Watch(Observer):
    """Gets from the model what is stored, before any client reads it."""

    def __init__(self, journal: Journal, model: Model) -> None:
        self._journal = journal
        self._model = model

    def missed(self, key: bytes) -> None:
        self._journal.missed(key)

    def added(self, id: bytes, fields: list[bytes]) -> None:
        self._journal.added(self._model.touched, id, fields)


class Journal:
    """Hold the server's ``lock``. ``writer`` is the client whose command is being executed. ``following`` gives all who
    learn of each
    entry, ``appeared`` gets the stream of each group that is made."""

    def __init__(
        self,
        clock: Clock,
        lock: threading.RLock,
        following: Callable[[], Sequence[Follower]],
        appeared: Callable[[bytes], None],
    ) -> None:
        self.begun: float = clock.now()
        self.writer: str = "?"
        self._clock = clock
        self._lock = lock
        self._following = following
        self._appeared = appeared
        self._requests: OrderedDict[bytes, Record] = OrderedDict()
        self._entries: OrderedDict[tuple[bytes, bytes], Record] = OrderedDict()
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._unread: list[Note] = []

    def watch(self, model: Model) -> None:
        """Listen to one more database."""
        model.observer = _Watch(self, model)

    def requests(self) -> list[Asked]:
        self._read()
        found = []
        for record in self._requests.values():
            if record.asked is None:
                record.asked = Asked(record, self._refresh)
            found.append(record.asked)
        return found

    def story(self, last: int) -> str:
        self._read()
        events = list(self._events)[-last:]
        width = max((len(name) for _, name, _, _ in events), default=0)
        return "\n".join(
            f"{at - self.begun:9.3f} s  {name:{width}}  {text if fields is None else _told(text, fields)}"
            for at, name, text, fields in events
        )

    def note(self, name: str, text: str) -> None:
        """An event that is about no entry."""
        self._read()
        self._events.append((self._clock.now(), name, text, None))

    # calls of the server

    def missed(self, stream: bytes) -> None:
        """A client writes to a stream that does not exist. Peers are on every stream, so they create it."""
        writer = self.writer
        self._appeared(stream)
        self.writer = writer

    def added(self, stream: Any, id: bytes, fields: list[bytes]) -> None:
        """Something was stored."""
        unread = self._unread
        unread.append((self._clock.now(), self.writer, stream, id, fields))
        if len(unread) > MOST_UNREAD:
            self._read()
        followers = self._following()
        if followers:
            parsed = parse(id, fields)
            entry = parsed if isinstance(parsed, Entry) else None
            for follower in followers:
                follower.added(stream, entry)

    def ran(self, name: str, command: Command, reply: Any) -> None:
        """A command of this client was executed, and did something."""
        word = command[0]
        if word == "XGROUP":
            if command[1] in (b"CREATE", "CREATE") and reply == b"OK":
                made: Any = command[2]
                self._appeared(made)
            return
        self._unread.append((self._clock.now(), name, command, reply, None))
        if word == "XDEL" and type(reply) is int:
            stream: Any = command[1]
            for follower in self._following():
                for id in command[2:]:
                    follower.deleted(stream, id)  # type: ignore[arg-type]

    # working out the notes

    def _refresh(self) -> None:
        with self._lock:
            self._read()

    def _read(self) -> None:
        unread, self._unread = self._unread, []
        for at, name, what, about, fields in unread:
            if fields is not None:
                self._stored(at, name, what, about, fields)
            elif what[0] == "XREADGROUP":
                if what[-1] in (b">", ">") and type(about) is list:
                    for stream, rows in about:
                        self._taken(at, name, raw(what[2]), stream, rows)
            elif what[0] == "XDEL":
                if type(about) is int:
                    for id in what[2:]:
                        self._gone(at, name, what[1], id)
            elif type(about) is list:
                self._claimed(at, name, what, about)

    def _stored(self, at: float, name: str, stream: bytes, id: bytes, fields: list[bytes]) -> None:
        entry = parse(id, fields)
        if not isinstance(entry, Entry):
            text = f"stores what is not an entry of RedisIPC: {short(b' '.join(fields))}"
            self._events.append((at, name, text, None))
            return
        record = self._requests.get(entry.id)
        if entry.status == PENDING:
            if record is None:
                record = self._requests[entry.id] = Record(stream, entry, at)
                if len(self._requests) > MOST_REQUESTS:
                    self._requests.popitem(last=False)
            else:
                record.stored += 1
            self._entries[stream, id] = record
            if len(self._entries) > MOST_REQUESTS:
                self._entries.popitem(last=False)
            self._events.append((at, name, ASKS, fields))
        else:
            fulfils = entry.status == FULFILLED
            self._events.append((at, name, FULFILS if fulfils else REJECTS, fields))
            if record is not None:
                record.answers.append(("fulfilled" if fulfils else "rejected", entry.content))
                if record.answered_at is None:
                    record.answered_at = at

    def _taken(self, at: float, name: str, group: Any, stream: bytes, rows: Sequence[Any]) -> None:
        for id, fields in rows:
            # Each group reads all entries: most are for others.
            if len(fields) != 12 or fields[11] != group or fields[0::2] != FIELDS:
                continue
            if fields[5] == PENDING:
                self._events.append((at, name, GETS, fields))
                record = self._entries.get((stream, id))
                if record is not None:
                    record.takers.append(name)
            else:
                self._events.append((at, name, GETS_ANSWER, fields))

    def _claimed(self, at: float, name: str, command: Command, reply: Sequence[Any]) -> None:
        for row in reply:
            id = row if type(row) is bytes else row[0] if row else b""
            record = self._entries.get((command[1], id))  # type: ignore[arg-type]
            if record is None or b"IDLE" in command or not record.takers or record.takers[-1] == name:
                continue
            self._events.append((at, name, f"takes over the request [{text_of(record.entry.id)[:6]}]", None))
            record.takers.append(name)

    def _gone(self, at: float, name: str, stream: Any, id: Any) -> None:
        record = self._entries.pop((stream, id), None)
        if record is not None:
            record.stored -= 1
            record.deleted = record.stored <= 0
            if not record.answers:
                text = f"deletes the request [{text_of(record.entry.id)[:6]}], which nobody answered"
                self._events.append((at, name, text, None))
