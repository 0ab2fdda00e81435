"""A request that was stored on a hub: its record, and what a test sees of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from redisipc.protocol.content import decode
from redisipc.protocol.entry import Entry

from .names import short

Ending = Literal["waiting", "fulfilled", "rejected", "given up"]


def text_of(raw: bytes) -> str:
    """Converts the bytes of an entry to text."""
    return raw.decode("utf-8", "replace")


class Record:
    """Facts about a request, for the journal. ``stored``: how many entries of it are in the stream."""

    __slots__ = ("answered_at", "answers", "asked", "asked_at", "deleted", "entry", "stored", "stream", "takers")

    def __init__(self, stream: bytes, entry: Entry, at: float) -> None:
        self.stream: bytes = stream
        self.entry: Entry = entry
        self.asked_at: float = at
        self.answered_at: float | None = None
        self.takers: list[str] = []
        self.answers: list[tuple[str, bytes]] = []
        self.stored: int = 1
        self.deleted: bool = False
        self.asked: Asked | None = None


class Asked:
    """One request that was stored on the hub. It always shows the present state.

    ``asked_at`` and ``answered_at`` are seconds of the hub's clock.
    """

    def __init__(self, record: Record, refresh: Callable[[], None]) -> None:
        self._record = record
        self._refresh = refresh
        self.raw: bytes = record.entry.content
        self.asked_at: float = record.asked_at

    def _now(self) -> Record:
        self._refresh()
        return self._record

    @property
    def stream(self) -> str:
        """The key of the stream."""
        return text_of(self._record.stream)

    @property
    def id(self) -> str:
        """The id of the request."""
        return text_of(self._record.entry.id)

    @property
    def entry_id(self) -> str:
        """The ID that Redis gave the entry. If the request was stored several times, that of the first entry."""
        return self._record.entry.entry_id.decode()

    @property
    def source(self) -> str:
        """The group of the requester."""
        return text_of(self._record.entry.source_group)

    @property
    def to(self) -> str:
        """The group that was asked."""
        return text_of(self._record.entry.destination_group)

    @property
    def content(self) -> Any:
        """The content that was sent."""
        return decode(self.raw)

    @property
    def takers(self) -> list[str]:
        """Who got it, as ``group/instance``, in order."""
        return list(self._now().takers)

    @property
    def answered_at(self) -> float | None:
        """Seconds of the hub's clock. None: there is no answer yet."""
        return self._now().answered_at

    @property
    def raw_answers(self) -> list[tuple[str, bytes]]:
        """``answers`` with their contents as they were written."""
        return list(self._now().answers)

    @property
    def answers(self) -> list[tuple[str, Any]]:
        """All answers that were written, each with its status. If the handler ran once, there is one."""
        return [(status, decode(content)) for status, content in self._now().answers]

    @property
    def outcome(self) -> Ending:
        """``waiting``, then ``fulfilled`` or ``rejected``, or ``given up`` if it was deleted without an answer (at its timeout)."""
        record = self._now()
        if record.answers:
            return "fulfilled" if record.answers[0][0] == "fulfilled" else "rejected"
        return "given up" if record.deleted else "waiting"

    @property
    def answer(self) -> Any:
        """The content of the first answer. None: there is no answer yet."""
        answers = self.answers
        return answers[0][1] if answers else None

    def __repr__(self) -> str:
        return f"<Asked {self.source} -> {self.to} {short(self.raw)}: {self.outcome}>"
