"""A request that a handler is given."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from redisipc.protocol.content import decode
from redisipc.protocol.entry import PENDING, Entry
from redisipc.protocol.events import Incoming

if TYPE_CHECKING:
    from .base import BaseStream

_UNREAD: Any = object()


class Request:
    """A request of another group (or of the own one), to be answered once.

    A handler answers it by returning a value or raising; or it calls ``fulfill`` or ``reject``, at once or, after
    ``later()``, at any time and from any thread. Until it is answered this instance keeps it, and nobody else starts
    it.

    ``id`` is the same for every start of this request: handlers with effects should be idempotent by it.
    """

    __slots__ = ("_content", "_incoming", "_on_cancel", "_stream", "postponed")

    def __init__(self, stream: BaseStream, incoming: Incoming) -> None:
        self._stream = stream
        self._incoming = incoming
        self._content = _UNREAD
        self._on_cancel: list[Callable[[], Any]] = []
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
        incoming, group = self._incoming, self._stream.group.encode()
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
        return self._incoming.answer is not None

    # what can be done with it

    def fulfill(self, content: Any = None) -> None:
        """Answer with ``content``. Raises ``AlreadyAnswered``, ``ContentError``."""
        self._stream.fulfill_request(self, content)

    def reject(self, content: Any = None) -> None:
        """Reject with ``content`` as the reason. Raises ``AlreadyAnswered``, ``ContentError``."""
        self._stream.reject_request(self, content)

    def later(self) -> Request:
        """The answer comes after the handler returned; what the handler returns is not looked at.

        Returns the request.
        """
        self.postponed = True
        return self

    def ignore(self) -> None:
        """Never answer: the request is deleted, and the requester runs into its timeout."""
        self.postponed = True
        self._stream._forget(self._incoming)

    def on_cancel(self, callback: Callable[[], Any]) -> None:
        """Call ``callback`` when ``cancelled`` becomes true; at once where it is."""
        if self._incoming.cancelled:
            callback()
        else:
            self._on_cancel.append(callback)

    def _cancel_callbacks(self) -> list[Callable[[], Any]]:
        callbacks, self._on_cancel = self._on_cancel, []
        return callbacks

    def __repr__(self) -> str:
        return f"<Request {self.id} from {self.source_group!r}>"
