"""Requests and responses without a stream, for tests that call a handler, or code that gets a response, by itself."""

from __future__ import annotations

import itertools
import time
from typing import Any

from redisipc.calls import explained, explained_call
from redisipc.errors import AlreadyAnswered, ConfigurationError, RequestError
from redisipc.protocol.content import decode, encode
from redisipc.protocol.events import Incoming
from redisipc.protocol.names import check_name
from redisipc.runtime.hooks import Hook
from redisipc.runtime.received import Received
from redisipc.runtime.request import Request
from redisipc.runtime.response import Response

_numbers = itertools.count(1)


@explained
class MadeRequest(Request):
    """A ``Request`` that keeps its answer in ``status`` and ``answer`` (None before), or sets ``ignored``."""

    __slots__ = ("_keeper",)

    def __init__(self, received: Received, keeper: _Keeper) -> None:
        super().__init__(received)
        self._keeper = keeper

    @property
    def status(self) -> str | None:
        """The kind of the answer: fulfilled or rejected."""
        return self._keeper.status

    @property
    def answer(self) -> Any:
        """The content of the answer."""
        return self._keeper.answered_with

    @property
    def ignored(self) -> bool:
        """Whether ``ignore()`` was called."""
        return self._keeper.ignored

    def cancel(self) -> None:
        """Act as a requester that gives up: ``cancelled`` becomes true, and the functions of ``on_cancel`` are called."""
        self._received.incoming.cancelled = True
        for callback in self._received.cancel_callbacks():
            callback()


class _Keeper:
    """Replaces the session: it keeps the answer."""

    takes_async: bool = True

    def __init__(self, group: str, timeout: float | None) -> None:
        self.group = group
        self.timeout = timeout
        self.status: str | None = None
        self.answered_with: Any = None
        self.ignored: bool = False

    def answer(self, received: Received, status: str, text: bytes) -> None:
        if not received.claim():
            raise AlreadyAnswered(f"request {received.id!r} is answered already; answer it once")
        self.status, self.answered_with = status, decode(text)

    def forget(self, received: Received) -> None:
        received.claim()
        self.ignored = True

    def call_now(self, hook: Hook) -> None:
        hook()

    def timeout_of(self, incoming: Incoming) -> float | None:
        return self.timeout


@explained_call
def make_request(
    content: Any = None,
    *,
    source: str = "web",
    group: str = "stock",
    id: str | None = None,
    instance: str = "5e1f00",
    starts: int = 1,
    redelivered: bool = False,
    age: float = 0.0,
    timeout: float | None = None,
) -> MadeRequest:
    """Make a request as a handler of ``group`` gets it from ``source``.

    Without ``id``, the request gets a new one. ``starts`` and ``redelivered`` describe a request that another instance
    started before. ``age`` is in seconds, and so is ``timeout``, the default that the requester announces. Raises
    ``ContentError`` for a content that cannot be sent, ``ConfigurationError`` for a name that is not a string.
    """
    for name, value in (("source", source), ("group", group), ("instance", instance)):
        check_name(name, value)
    number = f"{next(_numbers):021x}" if id is None else check_name("id", id)
    incoming = Incoming(
        b"%d-0" % int(time.time() * 1000),
        number.encode(),
        instance.encode(),
        source.encode(),
        encode(content),
        time.monotonic(),
    )
    incoming.age, incoming.starts, incoming.redelivered = age, starts, redelivered or starts > 1
    keeper = _Keeper(group, timeout)
    return MadeRequest(Received(keeper, incoming), keeper)


@explained_call
def make_response(
    value: Any = None, *, reason: Any = None, error: RequestError | None = None, id: str = "", elapsed: float = 0.001
) -> Response:
    """Make a response as ``send_to_group`` returns it: fulfilled with ``value``, or rejected.

    A rejected one has a ``reason`` of the other side, or an ``error`` that says why there was no answer, for example
    ``RequestTimeout("too late")``.
    """
    if error is not None and not isinstance(error, RequestError):
        raise ConfigurationError(
            f'error takes a RequestError, such as RequestTimeout("too late"), got {type(error).__name__}; '
            "for a reason of the other side, give reason="
        )
    if sum(given is not None for given in (value, reason, error)) > 1:
        raise ConfigurationError(
            "a response has one ending: give a value, or a reason=, or an error=, not several of them"
        )
    about = {"request_id": id or f"{next(_numbers):021x}", "elapsed": elapsed}
    if error is not None:
        return Response("rejected", error, about)
    if reason is not None:
        return Response("rejected", decode(encode(reason)), about)
    return Response("fulfilled", decode(encode(value)), about)
