"""A request that a handler is given."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from redisipc.errors import Reject
from redisipc.protocol.content import decode, encode
from redisipc.protocol.entry import PENDING, Entry
from redisipc.protocol.events import Incoming

from .hooks import Hook

_UNREAD: Any = object()


class Answerer(Protocol):
    """Who takes the answer of a request: the session that received it."""

    group: str

    def answer(self, request: Request, status: str, text: bytes) -> None: ...

    def forget(self, request: Request) -> None: ...


class Request:
    """A request of another group (or of the own one), to be answered once.

    A handler answers it by returning a value or raising; or it calls ``fulfill`` or ``reject``, at once or, after
    ``later()``, at any time and from any thread. Until it is answered this instance keeps it, and nobody else starts
    it.

    ``id`` is the same for every start of this request: handlers with effects should be idempotent by it.
    """

    __slots__ = ("_answerer", "_content", "_free", "_incoming", "_on_cancel", "postponed")

    def __init__(self, answerer: Answerer, incoming: Incoming) -> None:
        self._answerer = answerer
        self._incoming = incoming
        self._content = _UNREAD
        # Deques, whose operations are atomic: answers and cancellations may come from any thread.
        self._free = deque((True,))
        self._on_cancel: deque[Hook] = deque()
        self.postponed = False

    # what it is

    @property
    def id(self) -> str:
        """The id that the requester gave it, 21 hex characters as a rule."""
        return self._incoming.id.decode("utf-8", "replace")

    @property
    def content(self) -> Any:
        """What was sent: a JSON value, or a string."""
        if self._content is _UNREAD:
            self._content = decode(self._incoming.content)
        return self._content

    @property
    def source_group(self) -> str:
        """The group that asks."""
        return self._incoming.source_group.decode("utf-8", "replace")

    @property
    def instance_id(self) -> str:
        """The instance that asks."""
        return self._incoming.instance_id.decode("utf-8", "replace")

    @property
    def entry(self) -> Entry:
        """The entry as it stands in Redis: its ID and the six fields, raw."""
        incoming, group = self._incoming, self._answerer.group.encode()
        return Entry(
            incoming.entry_id,
            incoming.id,
            incoming.instance_id,
            PENDING,
            incoming.content,
            incoming.source_group,
            group,
        )

    # where it stands

    @property
    def age(self) -> float:
        """Seconds since Redis stored it, by Redis' clock."""
        return self._incoming.age + time.monotonic() - self._incoming.received_at

    @property
    def starts(self) -> int:
        """How often it was started, this time included. At most 3."""
        return self._incoming.starts

    @property
    def redelivered(self) -> bool:
        """Whether it may have been started before, by somebody who crashed, paused or was cut off."""
        return self._incoming.redelivered

    @property
    def time_left(self) -> float | None:
        """Seconds until the requester gives up, where it said so (``meta.timeout_ms`` of a channel's request); else
        None.
        """
        content = self.content
        meta = content.get("meta") if isinstance(content, dict) else None
        limit = meta.get("timeout_ms") if isinstance(meta, dict) else None
        if isinstance(limit, bool) or not isinstance(limit, (int, float)):
            return None
        return limit / 1000 - self.age

    @property
    def cancelled(self) -> bool:
        """Whether an answer would reach nobody: the requester gave up, or another instance runs it.

        Known within 3 seconds.
        """
        return self._incoming.cancelled

    @property
    def answered(self) -> bool:
        """Whether an answer was given."""
        return not self._free

    # what can be done with it

    def fulfill(self, content: Any = None) -> None:
        """Answer with ``content``. Raises ``AlreadyAnswered``, ``ContentError``."""
        self._answerer.answer(self, "fulfilled", encode(content))

    def reject(self, content: Any = None, *, code: str | None = None, data: Any = None) -> None:
        """Reject with ``content`` as the reason; ``code`` and ``data`` as in ``Reject``.

        Raises ``AlreadyAnswered``, ``ContentError``, ``ConfigurationError``.
        """
        self._answerer.answer(self, "rejected", encode(Reject(content, code=code, data=data).content))

    def later(self) -> Request:
        """The answer comes after the handler returned; what the handler returns is not looked at.

        Returns the request.
        """
        self.postponed = True
        return self

    def ignore(self) -> None:
        """Never answer: the request is deleted, and the requester runs into its timeout."""
        self.postponed = True
        self._answerer.forget(self)

    def on_cancel(self, callback: Callable[[], Any]) -> None:
        """Call ``callback`` when ``cancelled`` becomes true; at once where it is.

        It sees the context variables of this call.
        """
        hook = Hook(callback)
        self._on_cancel.append(hook)
        if self._incoming.cancelled:
            # Whoever takes it out runs it: the loop may have come at the same moment.
            try:
                self._on_cancel.remove(hook)
            except ValueError:
                return
            callback()

    def _cancel_callbacks(self) -> list[Hook]:
        callbacks: list[Hook] = []
        while self._on_cancel:
            callbacks.append(self._on_cancel.popleft())
        return callbacks

    def _claim(self) -> bool:
        """Whether the caller is the first to answer."""
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def _unclaim(self) -> None:
        if not self._free:
            self._free.append(True)

    def __repr__(self) -> str:
        return f"<Request {self.id} from {self.source_group!r}>"
