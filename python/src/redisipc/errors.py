"""The one tree of errors. Every layer imports it, it imports nothing.

::

    RedisIPCError
    ├── RequestError                 a request that was sent ended without a fulfilled answer
    │   ├── RequestTimeout           no answer in time (also the builtin TimeoutError)
    │   │   └── NoResponders         ended early: the group that it asks does not exist
    │   ├── Rejected                 the other side rejected it; .content says why
    │   ├── RequestCancelled         its endpoint was closed
    │   └── RequestFailed            Redis refused to store it
    ├── Reject                       raised by a handler: rejects with content of its choice
    ├── misuse, raised at the caller before anything is written
    │   ├── ConfigurationError       an option, a name or a timeout is wrong (also ValueError)
    │   ├── ContentError             content that is no JSON; .path says which part (also ValueError)
    │   ├── NotConnected             connect() was not called, or disconnect() was
    │   ├── AlreadyConnected         connect() was called twice
    │   ├── ClosedError              used while it closes
    │   ├── AlreadyAnswered          one request, two answers
    │   ├── Overloaded               more requests outstanding than max_outstanding allows
    │   ├── CannotWait               a call that waits, where waiting would never end
    │   ├── ForkedError              used in a forked child
    │   └── WrongLoopError           an asyncio endpoint used from another event loop
    ├── ConnectionLost               Redis cannot be reached or refuses us (also the builtin ConnectionError)
    └── ReportedError                what on_error is given: .kind, .entry_id, .fields
        ├── EntryError               an entry that is no RedisIPC entry (kind "malformed")
        ├── HandlerError             a handler raised; __cause__ is its exception (kind "handler")
        └── LoopLagError             the event loop stood still (kind "lag")

``connect()`` raises ConnectionLost, ConfigurationError and AlreadyConnected; sending raises the misuse errors and,
where it is asked to return the bare value, RequestError. ConnectionLost is also given to ``on_error``, once per loss.
All of them can be pickled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class RedisIPCError(Exception):
    """Base of all errors of this library."""

    kind = "error"

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls __init__ with args, which fails wherever its signature is another one.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[RedisIPCError], args: tuple[Any, ...], state: dict[str, Any]) -> RedisIPCError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


# A request that was sent


class RequestError(RedisIPCError):
    """A request ended without a fulfilled answer.

    ``request_id``, ``group`` (that was asked), ``stream`` and ``elapsed`` (seconds) say which one.
    """

    kind = "request"

    def __init__(
        self, message: str, *, request_id: str = "", group: str = "", stream: str = "", elapsed: float = 0.0
    ) -> None:
        super().__init__(message)
        self.request_id = request_id
        self.group = group
        self.stream = stream
        self.elapsed = elapsed


class RequestTimeout(RequestError, TimeoutError):
    """No answer in time. It says nothing about whether the handler ran."""

    kind = "timeout"


class NoResponders(RequestTimeout):
    """The group that it asks does not exist, so that no answer can come: it ended before its timeout (RIPC-REQ-16).

    A group without connected members is another thing: it keeps the request, and the timeout tells.
    """

    kind = "no-responders"


class Rejected(RequestError):
    """The other side rejected the request; ``content`` is what it said."""

    kind = "rejected"

    def __init__(self, content: Any, **about: Any) -> None:
        super().__init__(content if isinstance(content, str) and content else f"rejected with {content!r}", **about)
        self.content = content


class RequestCancelled(RequestError):
    """The endpoint was closed before there was an answer. What you cancel yourself raises ``CancelledError`` instead."""

    kind = "cancelled"


class RequestFailed(RequestError):
    """Redis refused to store the request for good: a missing right, say. What may pass (out of memory) is tried until
    the timeout.
    """

    kind = "failed"


class Reject(RedisIPCError):
    """Raise it in a handler to reject a request with ``content`` (any JSON value)."""

    kind = "reject"

    def __init__(self, content: Any = None) -> None:
        super().__init__(content)
        self.content = content


# Misuse


class ConfigurationError(RedisIPCError, ValueError):
    """An option, a name or a timeout that cannot work."""

    kind = "configuration"


class ContentError(RedisIPCError, ValueError):
    """Content that is no JSON. ``path`` names the part (``$.a[3]``)."""

    kind = "content"

    def __init__(self, message: str, path: str = "$") -> None:
        shown = path if len(path) <= 80 else f"{path[:40]}...{path[-30:]}"
        super().__init__(f"{message} (at {shown})")
        self.path = path


class NotConnected(RedisIPCError):
    """Used before ``connect()``."""

    kind = "not-connected"


class AlreadyConnected(RedisIPCError):
    """``connect()`` was called twice."""

    kind = "already-connected"


class ClosedError(RedisIPCError):
    """Used while it closes. Afterwards it is ``NotConnected``."""

    kind = "closed"


class AlreadyAnswered(RedisIPCError):
    """A second answer to one request."""

    kind = "already-answered"


class Overloaded(RedisIPCError):
    """More requests are outstanding than ``max_outstanding`` allows."""

    kind = "overloaded"


class CannotWait(RedisIPCError):
    """A call that waits was made on the thread that would have to bring the answer. ``submit`` works there."""

    kind = "cannot-wait"


class ForkedError(RedisIPCError):
    """The process forked after ``connect()``: neither connections nor threads came along."""

    kind = "forked"


class WrongLoopError(RedisIPCError):
    """An asyncio endpoint was used from another event loop than the one that it was connected in."""

    kind = "wrong-loop"


# Redis


class ConnectionLost(RedisIPCError, ConnectionError):
    """Redis cannot be reached, or refuses us. ``__cause__`` is redis-py's error, where there is one."""

    kind = "connection"


# What on_error is given


class ReportedError(RedisIPCError):
    """Something that went wrong beside any call. ``kind`` is a word for programs; ``entry_id`` the Redis entry ID, if
    any.

    ``fields`` are the raw fields of the entry as they stand in Redis, in their order.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "",
        entry_id: str | None = None,
        fields: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(message)
        self.kind = kind or type(self).kind
        self.entry_id = entry_id
        self.fields = list(fields)


class EntryError(ReportedError):
    """An entry for this group that is no RedisIPC entry: it was acknowledged, nothing else was disturbed."""

    kind = "malformed"


class HandlerError(ReportedError):
    """A handler raised: the request was rejected with the exception's message, unless it was answered before.

    ``__cause__`` is the exception.
    """

    kind = "handler"


class LoopLagError(ReportedError):
    """The event loop stood still: while it did, nothing was kept alive and nothing answered."""

    kind = "lag"
