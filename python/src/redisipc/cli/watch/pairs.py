"""Pairs requests with their answers. Pure: entries and time are handed in, lines come out."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

from redisipc.protocol.content import decode
from redisipc.protocol.entry import PENDING, REJECTED, Entry, Malformed
from redisipc.protocol.names import CALLER

MOST_REMEMBERED = 20_000
"""Requests that are remembered at once; the oldest is forgotten first."""
MOST_WATCHED_BYTES = 64 << 20
"""Bytes of their contents; the newest is remembered in any case."""


class Line(NamedTuple):
    """A line of what passed. Times are seconds since 1970 by Redis' clock; ``elapsed`` is seconds."""

    kind: str
    at: float
    request: Entry | None = None
    response: Entry | None = None
    elapsed: float | None = None
    marks: tuple[str, ...] = ()
    by: str = ""
    text: str = ""
    missed: int = 0

    @property
    def source(self) -> str:
        entry = self.request or self.response
        if entry is None:
            return ""
        return _text(entry.source_group if entry is self.request else entry.destination_group)

    @property
    def destination(self) -> str:
        entry = self.request or self.response
        if entry is None:
            return ""
        return _text(entry.destination_group if entry is self.request else entry.source_group)

    @property
    def event(self) -> str | None:
        """The event, where the content is that of a channel's request."""
        return event_of(self.request)


class Open:
    """A request that has no answer yet."""

    __slots__ = ("at", "by", "entry", "gone", "starts")

    def __init__(self, entry: Entry, at: float, by: str) -> None:
        self.entry: Entry = entry
        self.at: float = at
        self.by: str = by
        self.starts: int = 1
        self.gone: bool = False


class Pairs:
    """The open exchanges, by request id. ``slow``: an exchange that takes at least so many seconds is marked."""

    def __init__(self, slow: float | None = None) -> None:
        self._open: OrderedDict[bytes, Open] = OrderedDict()
        self._held = 0
        self._slow = slow

    def known(self, entry: Entry | Malformed, at: float) -> None:
        """An entry that was there before: it alone gives no line."""
        if isinstance(entry, Entry) and entry.status == PENDING:
            self._note(entry, at, "")

    def add(self, entry: Entry | Malformed, at: float, by: str = "") -> Line | None:
        """An entry that came now."""
        if isinstance(entry, Malformed):
            return Line("malformed", at, marks=("malformed",), text=_malformed(entry), by=by)
        if entry.status == PENDING:
            self._note(entry, at, by)
            return None
        found = self._open.pop(entry.id, None)
        if found is None:
            return Line("orphan", at, response=entry, marks=("orphaned", *_rejected(entry)), by=by)
        self._held -= len(found.entry.content)
        elapsed = max(0.0, at - found.at)
        marks = [*_rejected(entry)]
        if found.starts > 1:
            marks.append("redelivered")
        if found.gone:
            marks.append("late")
        if self._slow is not None and elapsed >= self._slow:
            marks.append("slow")
        return Line("exchange", found.at, found.entry, entry, elapsed, tuple(marks), by)

    def old(self, now: float, age: float, most: int = 50) -> list[Open]:
        """The oldest open requests of at least ``age`` seconds."""
        found: list[Open] = []
        for each in self._open.values():
            if now - each.at < age or len(found) == most:
                break
            found.append(each)
        return found

    def given_up(self, each: Open, now: float) -> Line | None:
        """Its body is gone and no answer came: one line, once."""
        if each.gone:
            return None
        each.gone = True
        self._open.move_to_end(each.entry.id)
        text = "no answer; its requester gave up, or the answer was missed"
        marks = ("unanswered", "redelivered") if each.starts > 1 else ("unanswered",)
        return Line("unanswered", each.at, each.entry, None, now - each.at, marks, "", text)

    def left(self) -> list[Open]:
        """The exchanges that have no answer yet."""
        return [each for each in self._open.values() if not each.gone]

    def _note(self, entry: Entry, at: float, by: str) -> None:
        if entry.id not in self._open:
            self._open[entry.id] = Open(entry, at, by)
            self._held += len(entry.content)
        while len(self._open) > MOST_REMEMBERED or (self._held > MOST_WATCHED_BYTES and len(self._open) > 1):
            _, oldest = self._open.popitem(last=False)
            self._held -= len(oldest.entry.content)


def event_of(request: Entry | None) -> str | None:
    """The event of a channel's request, None for others."""
    if request is None or request.content.lstrip()[:1] != b"{" or b'"event"' not in request.content:
        return None
    value = decode(request.content)
    event = value.get("event") if isinstance(value, dict) else None
    return event if isinstance(event, str) else None


def shown_request(request: Entry) -> tuple[str | None, Any]:
    """The event, or None, and what is shown of the content: the parameters of an event."""
    event = event_of(request)
    value = decode(request.content)
    return event, value.get("params", {}) if event is not None else value


def shown_group(name: str) -> str:
    """A group for people: a caller's name is long."""
    return "caller" if name.startswith(CALLER) else name


def _rejected(entry: Entry) -> tuple[str, ...]:
    return ("rejected",) if entry.status == REJECTED else ()


def _malformed(entry: Malformed) -> str:
    where = _text(entry.destination_group)
    return f"{entry.problem}{f'; for group {where!r}' if where else ''}; entry {entry.entry_id.decode()}"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
