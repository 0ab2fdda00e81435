"""A request in the hands of an instance (section 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from . import content
from .mutation import mutant
from .wire import FULFILLED, REJECTED, Entry


class Holder(Protocol):
    """Who runs the request, and writes its answer."""

    def lost(self, request: Request, acknowledge: bool) -> None: ...

    def answer(self, request: Request, status: bytes, text: bytes) -> None: ...


class Request:
    """A request in the hands of this instance.

    ``state``: queued, checking, running, answering, unsure, gone.
    """

    def __init__(self, holder: Holder, entry: Entry, starts: int, redelivered: bool, at: float = 0.0) -> None:
        self._holder = holder
        self.entry = entry
        self.entry_id = entry.entry_id
        self.starts, self.redelivered = starts, redelivered
        self.state = "queued"
        self.received = self.claimed = at
        self.attempts = 0
        """Writes of the answer that broke the connection."""
        self.refused = False
        """Whether Redis refused the answer when it was last tried."""
        self.answer: tuple[bytes, bytes] | None = None
        self.on_gone: Callable[[], None] = lambda: None
        self.postponed = False
        """Whether the handler said that its answer comes later."""

    def lost(self, acknowledge: bool) -> None:
        """Another member has it, or its body is gone."""
        self._holder.lost(self, acknowledge)

    @property
    def value(self) -> Any:
        """The decoded content."""
        if mutant("handler-gets-text"):
            return self.entry.content.decode("utf-8", "replace")
        return content.decode(self.entry.content)

    def fulfill(self, value: Any) -> None:
        """Raises ValueError for a second answer, and for a value that is no JSON."""
        text = content.encode(value)
        if mutant("null-answers-as-empty-text") and value is None:
            text = b""
        self._holder.answer(self, FULFILLED, text)

    def reject(self, value: Any) -> None:
        if mutant("rejects-with-text-only"):
            value = str(value)
        if mutant("null-reasons-are-failures") and value is None:
            value = "the handler failed"
        self._holder.answer(self, REJECTED, content.encode(value))
