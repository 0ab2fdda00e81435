"""The one tree of errors. Every layer imports it, it imports nothing.

::

    RedisIPCError
    ├── RequestError                 a request that was sent ended without a fulfilled answer.
    │   ├── RequestTimeout           no answer in time (also the builtin TimeoutError).
    │   │   └── NoResponders         ended early: the group that it asks does not exist.
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
    ├── ConnectionLost               Redis cannot be reached or refuses us (also the builtin ConnectionError).
    └── ReportedError                what on_error is given: .kind, .entry_id, .fields.
        ├── EntryError               an entry that is not a RedisIPC entry (kind "malformed").
        ├── HandlerError             a handler raised; __cause__ is its exception (kind "handler").
        └── LoopLagError             the event loop stood still (kind "lag").

``connect()`` raises ConnectionLost, ConfigurationError and AlreadyConnected; sending raises the misuse errors and,
where it is asked to return the bare value, RequestError. ConnectionLost is also given to ``on_error``, once per loss.
All of them can be pickled.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Sequence
from typing import Any

_shown = reprlib.Repr()
_shown.maxstring = _shown.maxother = 200
_LONGEST = 500
"""Characters of a reason that a message shows; ``Rejected.content`` has all."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that end a line, move a cursor or turn the direction of text; and lone surrogates, which nothing can write."""


def one_line(text: str) -> str:
    """The text with each control character written as an escape.

    Names, ids and reasons come from others: what they hold must forge no line of a log and command no terminal.
    """
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text) if not text.isprintable() else text


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
        super().__init__(one_line(message))
        self.request_id = request_id
        self.group = group
        self.stream = stream
        self.elapsed = elapsed


class RequestTimeout(RequestError, TimeoutError):
    """No answer in time. It says nothing about whether the handler ran.

    ``diagnosis`` is a word for programs, one of ``Diagnosis``, that says what Redis showed of the group and the request. None:
    it showed nothing that explains it.
    """

    kind = "timeout"

    def __init__(self, message: str, *, diagnosis: str | None = None, **about: Any) -> None:
        super().__init__(message, **about)
        self.diagnosis = diagnosis


class NoResponders(RequestTimeout):
    """The group that it asks does not exist, so that no answer can come: it ended before its timeout (RIPC-REQ-16).

    A group that exists, but has no connected member, keeps the request, which then ends at its timeout.
    """

    kind = "no-responders"


class Rejected(RequestError):
    """The other side rejected the request; ``content`` is what it said, as it came.

    ``code`` is a word for programs: the one that the other side's ``Reject`` had, with its ``data``, or a ``ReasonCode``
    where an endpoint rejected by itself. None: there is no code (RIPC-RESP-22, RIPC-RESP-23).
    """

    kind = "rejected"

    def __init__(
        self, content: Any, *, code: str | None = None, data: Any = None, text: str | None = None, **about: Any
    ) -> None:
        said = content if isinstance(content, str) and content else text
        if said is None:
            said = f"rejected with {_shown.repr(content)}"
        elif len(said) > _LONGEST:
            said = f"{said[:_LONGEST]}... ({len(said)} characters)"
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
    """Redis refused to store the request for good: a missing right, say. What may pass (out of memory) is retried until
    the timeout.
    """

    kind = "failed"


class Reject(RedisIPCError):
    """Raise it in a handler to reject a request with ``content`` (any JSON value).

    With a ``code``, a word for programs, ``content`` is the message, a string, and ``data`` any JSON value. The requester
    finds them in ``Rejected.code`` and ``Rejected.data`` (RIPC-RESP-23). A gem's user gets the object that holds all three.
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

    ``fields`` are the raw fields of the entry as Redis has them, in their order.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "",
        entry_id: str | None = None,
        fields: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(one_line(message))
        self.kind: str = kind or type(self).kind
        self.entry_id = entry_id
        self.fields: list[tuple[bytes, bytes]] = list(fields)


class EntryError(ReportedError):
    """A malformed entry for this group. It was acknowledged, and no other entry is affected."""

    kind = "malformed"


class HandlerError(ReportedError):
    """A handler raised: the request was rejected, unless it was answered before. ``__cause__`` is the exception.

    The option ``expose_errors`` decides how much of it the requester sees.
    """

    kind = "handler"


class LoopLagError(ReportedError):
    """The event loop stood still. Meanwhile the endpoint kept no request alive and answered none."""

    kind = "lag"
