"""The one tree of errors. Every layer imports this module, and it imports nothing.

::

    RedisIPCError
    ├── RequestError                 a request that was sent ended without a fulfilled answer.
    │   ├── RequestTimeout           no answer in time (also the builtin TimeoutError).
    │   │   └── NoResponders         ended early: the group does not exist.
    │   ├── Rejected                 the other side rejected it; .content says why, .code for programs.
    │   │   └── HandlerFailed        its handler failed: a crash, not a refusal.
    │   ├── RequestCancelled         its endpoint was closed.
    │   └── RequestFailed            Redis refused to store it.
    ├── Reject                       raised by a handler: rejects with content of its choice.
    ├── misuse, raised at the caller before anything is written.
    │   ├── ConfigurationError       an option, a name or a timeout is wrong (also ValueError).
    │   ├── ContentError             content that is not JSON; .path says which part (also ValueError).
    │   ├── NotConnected             connect() was not called, or disconnect() was.
    │   ├── AlreadyConnected         connect() was called twice.
    │   ├── ClosedError              used while it closes.
    │   ├── AlreadyAnswered          one request, two answers.
    │   ├── Overloaded               more requests outstanding than max_outstanding allows.
    │   ├── CannotWait               a call that waits, where waiting would never end.
    │   ├── ForkedError              used in a forked child.
    │   └── WrongLoopError           an asyncio endpoint used from another event loop.
    ├── ConnectionLost               Redis cannot be reached, or refused the connection (also the builtin ConnectionError).
    └── ReportedError                what on_error gets: .kind, .entry_id, .fields.
        ├── EntryError               an entry that is not a RedisIPC entry (kind "malformed").
        ├── HandlerError             a handler raised; __cause__ is its exception (kind "handler").
        └── LoopLagError             the event loop stood still (kind "lag").

``connect()`` raises ConnectionLost, ConfigurationError and AlreadyConnected. Every call that sends raises the errors of
misuse. ``request`` also raises RequestError; ``send_to_group`` returns a Response instead. ``on_error`` gets a
ConnectionLost for each loss, too. All errors can be pickled.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Sequence
from typing import Any

_shown = reprlib.Repr()
_shown.maxstring = _shown.maxother = 200
_LONGEST_SHOWN = 500
"""Characters of a reason that a message shows; ``Rejected.content`` has all."""
_LONGEST_MESSAGE = 2000
"""Characters of a message. Names, ids and texts that others chose have no limit, and a program may keep many messages."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that end a line, move a cursor or turn the direction of text; and lone surrogates, which nothing can write."""


def one_line(text: str) -> str:
    """The text with each control character written as an escape.

    Names, ids and reasons come from others. They must not forge a line of a log, or send commands to a terminal.
    """
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text) if not text.isprintable() else text


def bounded(text: str, most: int = _LONGEST_MESSAGE) -> str:
    """One line of at most ``most`` characters, and how many there were."""
    return one_line(text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)")


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

    ``request_id``, ``group`` (the group that was asked), ``stream`` and ``elapsed`` (seconds) say which request.
    """

    kind = "request"

    def __init__(
        self, message: str, *, request_id: str = "", group: str = "", stream: str = "", elapsed: float = 0.0
    ) -> None:
        super().__init__(bounded(message))
        self.request_id = request_id
        self.group = group
        self.stream = stream
        self.elapsed = elapsed


class RequestTimeout(RequestError, TimeoutError):
    """No answer came in time. The handler may have run or not.

    ``diagnosis`` is a member of ``Diagnosis``: it says what Redis showed of the group and the request. None:
    Redis showed nothing that explains the missing answer.
    """

    kind = "timeout"

    def __init__(self, message: str, *, diagnosis: str | None = None, **about: Any) -> None:
        super().__init__(message, **about)
        self.diagnosis = diagnosis


class NoResponders(RequestTimeout):
    """The group does not exist, so no answer can come. The request ended before its timeout (RIPC-REQ-16).

    A group that exists keeps the request, even if no member is connected. Such a request ends at its timeout.
    """

    kind = "no-responders"


class Rejected(RequestError):
    """The other side rejected the request. ``content`` is the reason that it sent, unchanged.

    ``code`` is a word for programs. It comes from the other side's ``Reject``, like ``data``. If an endpoint itself rejected
    the request, it is a ``ReasonCode``. None: there is no code (RIPC-RESP-22, RIPC-RESP-23).
    """

    kind = "rejected"

    def __init__(
        self, content: Any, *, code: str | None = None, data: Any = None, text: str | None = None, **about: Any
    ) -> None:
        said = content if isinstance(content, str) and content else text
        if said is None:
            said = f"rejected with {_shown.repr(content)}"
        elif len(said) > _LONGEST_SHOWN:
            said = f"{said[:_LONGEST_SHOWN]}... ({len(said)} characters)"
        if text is not None and code and not isinstance(content, str):
            said = f"{said} ({code})"
        super().__init__(said, **about)
        if self.group:
            self.args: tuple[Any, ...] = (f"group {self.group!r} rejected request {self.request_id}: {one_line(said)}",)
        self.content: Any = content
        self.code: str | None = code
        self.data: Any = data


class HandlerFailed(Rejected):
    """The other side's handler crashed; it did not refuse. ``content`` says what its ``expose_errors`` allows."""

    kind = "handler-failed"


class RequestCancelled(RequestError):
    """The endpoint was closed before there was an answer. What you cancel yourself raises ``CancelledError`` instead."""

    kind = "cancelled"


class RequestFailed(RequestError):
    """Redis refused for good to store the request, for example because a right is missing. A refusal that may pass (out of
    memory) is retried until the timeout.

    A ``Caller`` also raises it if it could not reach Redis until the timeout, or if the connection broke before Redis
    acknowledged the request. The message says whether Redis may have stored the request.
    """

    kind = "failed"


class Reject(RedisIPCError):
    """Raise it in a handler to reject a request with ``content`` (any JSON value).

    ``code`` is a word for programs. With a ``code``, ``content`` must be a string, the message, and ``data`` may be any JSON
    value. The requester finds them in ``Rejected.code`` and ``Rejected.data`` (RIPC-RESP-23). A requester that uses the gem
    gets one object with all three.
    """

    kind = "reject"

    def __init__(self, content: Any = None, *, code: str | None = None, data: Any = None) -> None:
        super().__init__(content)
        self.content: Any = content
        self.code: str | None = code
        self.data: Any = data
        if code is None:
            if data is not None:
                raise ConfigurationError('data needs a code beside it: Reject("...", code="not_found", data=...)')
            return
        if not isinstance(code, str) or not code.strip():
            raise ConfigurationError(f"code must be a word, a string that is not blank, got {code!r}")
        if content is not None and not isinstance(content, str):
            raise ConfigurationError(
                f"with a code, the content is the message, a string, got {type(content).__name__}; put values into data="
            )
        self.code = str.__str__(code)
        self.content = {"error": {"code": self.code, "message": content or self.code, "data": data}}


# Misuse


class ConfigurationError(RedisIPCError, ValueError):
    """An option, a name or a timeout that cannot work."""

    kind = "configuration"


class ContentError(RedisIPCError, ValueError):
    """Content that is not JSON. ``path`` names the part (``$.a[3]``)."""

    kind = "content"

    def __init__(self, message: str, path: str = "$") -> None:
        shown = path if len(path) <= 80 else f"{path[:40]}...{path[-30:]}"
        super().__init__(f"{message} (at {shown})")
        self.path = path


class NotConnected(RedisIPCError):
    """The endpoint is not connected: ``connect()`` was not called, or ``disconnect()`` was."""

    kind = "not-connected"


class AlreadyConnected(RedisIPCError):
    """``connect()`` was called twice."""

    kind = "already-connected"


class ClosedError(RedisIPCError):
    """The endpoint was used while it closes. After that, the error is ``NotConnected``."""

    kind = "closed"


class AlreadyAnswered(RedisIPCError):
    """A second answer to one request."""

    kind = "already-answered"


class Overloaded(RedisIPCError):
    """More requests are outstanding than ``max_outstanding`` allows."""

    kind = "overloaded"


class CannotWait(RedisIPCError):
    """A call that waits was made on the thread that brings the answers, so it would wait for ever. ``submit`` works there."""

    kind = "cannot-wait"


class ForkedError(RedisIPCError):
    """The process forked after ``connect()``. The child has neither the connections nor the threads of its parent."""

    kind = "forked"


class WrongLoopError(RedisIPCError):
    """An asyncio endpoint was used from another event loop than the one that it was connected in."""

    kind = "wrong-loop"


# Redis


class ConnectionLost(RedisIPCError, ConnectionError):
    """Redis cannot be reached, or refused the connection. ``__cause__`` is redis-py's error, if there is one."""

    kind = "connection"


# What on_error is given


class ReportedError(RedisIPCError):
    """A problem that belongs to no call. ``kind`` is a word for programs. ``entry_id`` is the entry ID in Redis, if there is
    one.

    ``fields`` are the raw fields of the entry, in the order in which Redis has them.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "",
        entry_id: str | None = None,
        fields: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(bounded(message))
        self.kind: str = kind or type(self).kind
        self.entry_id = entry_id
        self.fields: list[tuple[bytes, bytes]] = list(fields)


class EntryError(ReportedError):
    """A malformed entry for this group. It was acknowledged, and no other entry is affected."""

    kind = "malformed"


class HandlerError(ReportedError):
    """A handler raised, so its request was rejected, unless it had been answered before. ``__cause__`` is the exception.

    The option ``expose_errors`` decides how much of the exception the requester sees.
    """

    kind = "handler"


class LoopLagError(ReportedError):
    """The event loop stood still. Meanwhile the endpoint kept no request alive and answered none."""

    kind = "lag"
