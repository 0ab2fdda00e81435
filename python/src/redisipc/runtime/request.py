"""The request that a handler gets."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from redisipc.calls import explained_methods
from redisipc.errors import ConfigurationError, Reject
from redisipc.protocol.content import decode, encode
from redisipc.protocol.entry import PENDING, Entry

from .hooks import Hook, is_async
from .received import Received

if TYPE_CHECKING:
    from typing_extensions import Self

_UNREAD: Any = object()


@explained_methods
class Request:
    """A request of another group, or of the endpoint's own group. It is answered once.

    A handler answers it by returning a value or by raising. It may also call ``fulfill`` or ``reject``: at once, or after
    ``later()`` at any time and from any thread. Until the answer, this instance holds the request, and nobody else starts
    it.

    ``id`` is the same for every start of this request. Handlers with effects should be idempotent by it.
    """

    __slots__ = ("_content", "_received")

    def __init__(self, received: Received) -> None:
        self._received = received
        self._content = _UNREAD

    # identity

    @property
    def id(self) -> str:
        """The id that the requester gave it, normally 21 hex characters."""
        return self._received.id

    @property
    def content(self) -> Any:
        """The content that was sent: a JSON value, or a string."""
        if self._content is _UNREAD:
            self._content = decode(self._received.incoming.content)
        return self._content

    @property
    def source_group(self) -> str:
        """The group of the requester."""
        return self._received.incoming.source_group.decode("utf-8", "replace")

    @property
    def instance_id(self) -> str:
        """The instance id of the requester."""
        return self._received.incoming.instance_id.decode("utf-8", "replace")

    @property
    def entry(self) -> Entry:
        """The entry as Redis has it: its ID and its six raw fields."""
        incoming, group = self._received.incoming, self._received.answerer.group.encode()
        return Entry(
            incoming.entry_id,
            incoming.id,
            incoming.instance_id,
            PENDING,
            incoming.content,
            incoming.source_group,
            group,
        )

    # state

    @property
    def age(self) -> float:
        """Seconds since Redis stored it, by Redis' clock."""
        incoming = self._received.incoming
        return incoming.age + time.monotonic() - incoming.received_at

    @property
    def starts(self) -> int:
        """How often the request was started, including this time: at most 3."""
        return self._received.incoming.starts

    @property
    def redelivered(self) -> bool:
        """Whether the request may have been started before, by an instance that crashed, was paused or was cut off."""
        return self._received.incoming.redelivered

    @property
    def time_left(self) -> float | None:
        """Seconds until the requester gives up. None: not known.

        A channel's request with a ``timeout`` contains that timeout. For every other request, this is
        what is left of the default timeout that the requester's instance announces, even if the call had another timeout.
        The endpoint reads that announcement when it is first needed. Until then this is None.
        """
        content = self.content
        meta = content.get("meta") if isinstance(content, dict) else None
        limit = meta.get("timeout_ms") if isinstance(meta, dict) else None
        if isinstance(limit, bool) or not isinstance(limit, (int, float)):
            default = self._received.answerer.timeout_of(self._received.incoming)
            return None if default is None else default - self.age
        try:
            return limit / 1000 - self.age
        except OverflowError:
            # A whole number of any size is JSON.
            return math.inf if limit > 0 else -math.inf

    @property
    def cancelled(self) -> bool:
        """Whether nobody needs an answer of this instance: the requester gave up, or another instance runs the request.

        The endpoint notices this within 3 seconds.
        """
        return self._received.incoming.cancelled

    @property
    def answered(self) -> bool:
        """Whether an answer was given."""
        return self._received.answered

    @property
    def postponed(self) -> bool:
        """Whether ``later`` or ``ignore`` was called. Then the value that the handler returns has no effect."""
        return self._received.postponed

    # verbs

    def fulfill(self, content: Any = None) -> None:
        """Answer with ``content``. Raises ``AlreadyAnswered``, ``ContentError``."""
        self._received.answerer.answer(self._received, "fulfilled", encode(content))

    def reject(self, content: Any = None, *, code: str | None = None, data: Any = None) -> None:
        """Reject with ``content`` as the reason; ``code`` and ``data`` as in ``Reject``.

        Raises ``AlreadyAnswered``, ``ContentError``, ``ConfigurationError``.
        """
        self._received.answerer.answer(
            self._received, "rejected", encode(Reject(content, code=code, data=data).content)
        )

    def later(self) -> Self:
        """Answer after the handler has returned: the value that it returns has no effect.

        Returns the request.
        """
        self._received.postponed = True
        return self

    def ignore(self) -> None:
        """Never answer. The request is deleted, and ends at the requester by its timeout."""
        self._received.postponed = True
        self._received.answerer.forget(self._received)

    def on_cancel(self, callback: Callable[[], Any]) -> None:
        """Call ``callback`` when ``cancelled`` becomes true, or at once if it already is.

        It sees the context variables of this call.
        """
        if not callable(callback):
            raise ConfigurationError(f"on_cancel takes a function without arguments, got {type(callback).__name__}")
        if is_async(callback) and not self._received.answerer.takes_async:
            raise ConfigurationError("on_cancel takes a plain function here; async ones need redisipc.asyncio.Stream")
        hook = Hook(callback)
        self._received.on_cancel.append(hook)
        if self._received.incoming.cancelled:
            # Whoever removes it runs it: the event loop may have done so at the same moment.
            try:
                self._received.on_cancel.remove(hook)
            except ValueError:
                return
            self._received.answerer.call_now(hook)

    def __reduce__(self) -> Any:
        raise TypeError(
            f"{self!r} cannot be copied or pickled: it is answered where it came; pass its content and its id"
        )

    def __repr__(self) -> str:
        return repr(self._received)
