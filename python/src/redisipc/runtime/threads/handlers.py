"""Running the user's code: handlers of requests, and callbacks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from redisipc.protocol.events import Incoming
from redisipc.runtime.request import Request

if TYPE_CHECKING:
    from .stream import Stream

logger = logging.getLogger("redisipc")


class RequestJob:
    """One start of the handler for one request; what it returns or raises is the answer."""

    __slots__ = ("_answer", "_core", "_request", "_stream")

    def __init__(self, stream: Stream, incoming: Incoming) -> None:
        self._stream = stream
        self._core = stream._driver.core
        self._request = incoming.data = Request(stream, incoming)
        self._answer: tuple[str, bytes] | None = None

    def run(self) -> None:
        stream, request = self._stream, self._request
        handler = stream._on_request or stream._no_handler
        try:
            value = handler(request)
        except BaseException as error:
            # SystemExit, too: the thread is ours, and the requester is to learn it.
            self._answer = stream._rejection(request, error)
        else:
            if not request.postponed and not request.answered:
                self._answer = stream._fulfilment(request, value)

    def finish(self, now: float) -> None:
        incoming = self._request._incoming
        if self._answer is not None and not self._request.postponed and incoming.answer is None:
            self._core.answer(incoming, *self._answer, now)
        self._core.handler_done(incoming, now)


class CallbackJob:
    """A callback of the user: whatever it raises is logged."""

    __slots__ = ("_arguments", "_callback")

    def __init__(self, callback: Callable[..., Any], *arguments: Any) -> None:
        self._callback = callback
        self._arguments = arguments

    def run(self) -> None:
        try:
            self._callback(*self._arguments)
        except BaseException:
            logger.exception("a callback raised")

    def finish(self, now: float) -> None:
        return None
