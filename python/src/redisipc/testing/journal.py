"""The journal of a hub: every request with what became of it, and the story in order."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from redisipc.protocol.commands import Command
from redisipc.protocol.content import decode
from redisipc.protocol.entry import FIELDS, FULFILLED, PENDING, Entry, parse

from .clock import Clock
from .names import short
from .redis_model.model import Model, Observer

TOLD = frozenset(("XREADGROUP", "XDEL", "XGROUP", "XCLAIM"))
"""The commands that `Journal.ran` hears of; what is stored it hears from the model."""
MOST_REQUESTS = 10_000
MOST_EVENTS = 10_000
"""The most that are kept; older requests and events are forgotten."""


class Follower(Protocol):
    """Who learns of each entry: a peer, or the worst case."""

    def added(self, stream: bytes, entry: Entry) -> None:
        """An entry was stored."""

    def deleted(self, stream: bytes, entry_id: bytes) -> None:
        """An entry is gone."""


ASKS = "asks {to}: {content} [{id}]"
FULFILS = "fulfils [{id}]: {content}"
REJECTS = "rejects [{id}]: {content}"
GETS = "gets the request [{id}]"
GETS_ANSWER = "gets the response [{id}]"
"""The words of the story for an entry. Most of them are never shown, so they are put together late."""
Event = tuple[float, str, str, list[bytes] | None]
"""When, who, what happened, and the entry that it is about."""
Ending = Literal["waiting", "fulfilled", "rejected", "given up"]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _told(text: str, fields: list[bytes]) -> str:
    entry = parse(b"", fields)
    assert isinstance(entry, Entry)
    return text.format(id=_text(entry.id)[:6], to=_text(entry.destination_group), content=short(entry.content))


class Asked:
    """One request that was stored on the hub.

    ``takers`` lists who got it, as ``group/instance``, in order. ``asked_at`` and ``answered_at`` are seconds of the hub's clock.
    """

    def __init__(self, stream: bytes, entry: Entry, at: float) -> None:
        self._stream = stream
        self._entry = entry
        self.raw: bytes = entry.content
        self.asked_at = at
        self.answered_at: float | None = None
        self.takers: list[str] = []
        self.raw_answers: list[tuple[str, bytes]] = []
        self.stored = 1
        self.deleted = False

    @property
    def stream(self) -> str:
        """The key of the stream."""
        return _text(self._stream)

    @property
    def id(self) -> str:
        """The id of the request."""
        return _text(self._entry.id)

    @property
    def entry_id(self) -> str:
        """The ID that Redis gave the entry. If the request was stored several times, that of the first entry."""
        return self._entry.entry_id.decode()

    @property
    def source(self) -> str:
        """The group of the requester."""
        return _text(self._entry.source_group)

    @property
    def to(self) -> str:
        """The group that was asked."""
        return _text(self._entry.destination_group)

    @property
    def content(self) -> Any:
        """The content that was sent."""
        return decode(self.raw)

    @property
    def answers(self) -> list[tuple[str, Any]]:
        """All answers that were written, each with its status. If the handler ran once, there is one."""
        return [(status, decode(content)) for status, content in self.raw_answers]

    @property
    def outcome(self) -> Ending:
        """``waiting``, then ``fulfilled`` or ``rejected``, or ``given up`` if it was deleted without an answer (at its timeout)."""
        if self.raw_answers:
            return "fulfilled" if self.raw_answers[0][0] == "fulfilled" else "rejected"
        return "given up" if self.deleted else "waiting"

    @property
    def answer(self) -> Any:
        """The content of the first answer. None: there is no answer yet."""
        return self.answers[0][1] if self.answers else None

    def __repr__(self) -> str:
        return f"<Asked {self.source} -> {self.to} {short(self.raw)}: {self.outcome}>"


class _Watch(Observer):
    """Hears from the model what is stored, before anybody reads it."""

    def __init__(self, journal: Journal, model: Model) -> None:
        self._journal = journal
        self._model = model

    def added(self, id: bytes, fields: list[bytes]) -> None:
        assert self._model.touched is not None
        self._journal.added(self._model.touched, id, fields)


class Journal:
    """Hold the server's lock. ``writer`` is whose command is being executed. ``following`` gives all who learn of each entry,
    ``appeared`` gets the stream of each group that is made."""

    def __init__(
        self, clock: Clock, following: Callable[[], Sequence[Follower]], appeared: Callable[[bytes], None]
    ) -> None:
        self.begun: float = clock.now()
        self.writer = "?"
        self._clock = clock
        self._following = following
        self._appeared = appeared
        self._requests: OrderedDict[bytes, Asked] = OrderedDict()
        self._entries: OrderedDict[tuple[bytes, bytes], Asked] = OrderedDict()
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)

    def watch(self, model: Model) -> None:
        """Listen to one more database."""
        model.observer = _Watch(self, model)

    def requests(self) -> list[Asked]:
        return list(self._requests.values())

    def story(self, last: int) -> str:
        events = list(self._events)[-last:]
        width = max((len(name) for _, name, _, _ in events), default=0)
        return "\n".join(
            f"{at - self.begun:9.3f} s  {name:{width}}  {text if fields is None else _told(text, fields)}"
            for at, name, text, fields in events
        )

    def note(self, name: str, text: str) -> None:
        """An event that is about no entry."""
        self._events.append((self._clock.now(), name, text, None))

    # what the server tells

    def added(self, stream: bytes, id: bytes, fields: list[bytes]) -> None:
        """Something was stored."""
        entry = parse(id, fields)
        if not isinstance(entry, Entry):
            self.note(self.writer, f"stores what is not an entry of RedisIPC: {short(b' '.join(fields))}")
            return
        number, now = entry.id, self._clock.now()
        asked = self._requests.get(number)
        if entry.status == PENDING:
            if asked is None:
                asked = self._requests[number] = Asked(stream, entry, now)
                if len(self._requests) > MOST_REQUESTS:
                    self._requests.popitem(last=False)
            else:
                asked.stored += 1
            self._entries[stream, id] = asked
            if len(self._entries) > MOST_REQUESTS:
                self._entries.popitem(last=False)
            self._events.append((now, self.writer, ASKS, fields))
        else:
            fulfils = entry.status == FULFILLED
            self._events.append((now, self.writer, FULFILS if fulfils else REJECTS, fields))
            if asked is not None:
                asked.raw_answers.append(("fulfilled" if fulfils else "rejected", entry.content))
                if asked.answered_at is None:
                    asked.answered_at = now
        for follower in self._following():
            follower.added(stream, entry)

    def ran(self, name: str, command: Command, reply: Any) -> None:
        """A command of this client was executed."""
        word = command[0]
        if word == "XREADGROUP":
            if command[-1] == b">" and type(reply) is list:
                group = name.rpartition("/")[0].encode()
                for stream, rows in reply:
                    self._taken(name, group, stream, rows)
        elif word == "XDEL":
            for id in command[2:]:
                self._gone(name, command[1], id)
        elif word == "XGROUP":
            if command[1] in (b"CREATE", "CREATE") and reply == b"OK":
                made: Any = command[2]
                self._appeared(made)
        elif word == "XCLAIM" and type(reply) is list:
            self._claimed(name, command, reply)

    # parts

    def _taken(self, name: str, group: Any, stream: bytes, rows: Sequence[Any]) -> None:
        now = self._clock.now()
        for id, fields in rows:
            # Each group reads all entries: most are for others.
            if len(fields) != 12 or fields[11] != group or fields[0::2] != FIELDS:
                continue
            if fields[5] == PENDING:
                self._events.append((now, name, GETS, fields))
                asked = self._entries.get((stream, id))
                if asked is not None:
                    asked.takers.append(name)
            else:
                self._events.append((now, name, GETS_ANSWER, fields))

    def _claimed(self, name: str, command: Command, reply: Sequence[Any]) -> None:
        for row in reply:
            id = row if type(row) is bytes else row[0] if row else b""
            asked = self._entries.get((command[1], id))  # type: ignore[arg-type]
            if asked is None or b"IDLE" in command or not asked.takers or asked.takers[-1] == name:
                continue
            self.note(name, f"takes over the request [{asked.id[:6]}]")
            asked.takers.append(name)

    def _gone(self, name: str, stream: Any, id: Any) -> None:
        for follower in self._following():
            follower.deleted(stream, id)
        asked = self._entries.pop((stream, id), None)
        if asked is not None:
            asked.stored -= 1
            asked.deleted = asked.stored <= 0
            if not asked.raw_answers:
                self.note(name, f"deletes the request [{asked.id[:6]}], which nobody answered")
