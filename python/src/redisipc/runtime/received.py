"""A request while this instance holds it: the core's record, the answer, and the callbacks for its cancellation."""

from __future__ import annotations

from typing import Protocol

from redisipc.errors import bounded
from redisipc.protocol.events import Incoming

from .hooks import Hook

LONGEST_NAME = 200
"""Characters of an id or a group that a message shows."""


class Received:
    """The request behind a ``Request``; the session and the job that runs the handler use it.

    Answers and cancellations may come from any thread. They change only lists, whose operations are atomic.
    """

    __slots__ = ("_free", "answerer", "incoming", "on_cancel", "postponed")

    def __init__(self, answerer: Answerer, incoming: Incoming) -> None:
        self.answerer: Answerer = answerer
        self.incoming: Incoming = incoming
        self.postponed: bool = False
        # Lists: an empty deque takes ten times as much memory, and longer to make.
        self.on_cancel: list[Hook] = []
        self._free = [True]

    @property
    def id(self) -> str:
        """The id that the requester gave it."""
        return self.incoming.id.decode("utf-8", "replace")

    @property
    def answered(self) -> bool:
        """Whether an answer was given."""
        return not self._free

    def claim(self) -> bool:
        """Whether the caller is the first to answer."""
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def unclaim(self) -> None:
        """The answer could not be passed on. Another answer may be given."""
        if not self._free:
            self._free.append(True)

    def cancel_callbacks(self) -> list[Hook]:
        """The functions to call now that it is cancelled, each of them once."""
        callbacks: list[Hook] = []
        while self.on_cancel:
            callbacks.append(self.on_cancel.pop(0))
        return callbacks

    def __repr__(self) -> str:
        group = bounded(self.incoming.source_group.decode("utf-8", "replace"), LONGEST_NAME)
        return f"<Request {bounded(self.id, LONGEST_NAME)} from {group!r}>"


class Answerer(Protocol):
    """Takes the answer of a request: the session that received the request."""

    group: str

    def answer(self, received: Received, status: str, text: bytes) -> None:
        """Answer it. Raises ``AlreadyAnswered``, ``NotConnected``, ``ForkedError``."""

    def forget(self, received: Received) -> None:
        """Never answer it."""

    takes_async: bool

    def call_now(self, hook: Hook) -> None:
        """Call a function of the user. Its exceptions are handled as those of other callbacks."""

    def timeout_of(self, incoming: Incoming) -> float | None:
        """The default timeout that its requester announces, in seconds; None where it is not known (yet)."""
