"""Running the user's code: handlers of requests, and callbacks. Coroutines get a task, plain functions need none."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from redisipc.protocol.events import Incoming, State
from redisipc.runtime.request import Request

if TYPE_CHECKING:
    from .stream import Stream

logger = logging.getLogger("redisipc")


class RequestJob:
    """One start of the handler for one request; what it returns or raises is the answer."""

    __slots__ = ("_core", "_request", "_stream")

    def __init__(self, stream: Stream, incoming: Incoming) -> None:
        self._stream = stream
        self._core = stream._driver.core
        self._request = incoming.data = Request(stream, incoming)

    def __call__(self) -> None:
        stream, request = self._stream, self._request
        handler = stream._on_request or stream._no_handler
        try:
            value = handler(request)
            if inspect.isawaitable(value):
                stream._spawn(self._wait(value))
                return
        except BaseException as error:
            self._finish(stream._rejection(request, error))
            if not isinstance(error, Exception):
                raise
            return
        self._finish(None if request.postponed or request.answered else stream._fulfilment(request, value))

    async def _wait(self, value: Any) -> None:
        stream, request = self._stream, self._request
        answer: tuple[str, bytes] | None = None
        try:
            value = await value
            if not request.postponed and not request.answered:
                answer = stream._fulfilment(request, value)
        except asyncio.CancelledError as error:
            if self._core.state not in (State.CLOSING, State.CLOSED):
                answer = stream._rejection(request, error, "the handler was cancelled")
            # Else it is our own end, and others of the group start the request again.
            raise
        except Exception as error:
            answer = stream._rejection(request, error)
        finally:
            self._finish(answer)

    def _finish(self, answer: tuple[str, bytes] | None) -> None:
        incoming = self._request._incoming
        if answer is not None and not self._request.postponed and incoming.answer is None:
            self._core.answer(incoming, *answer, self._stream._now())
        self._core.handler_done(incoming, self._stream._now())
        self._stream._loop.touch()


class CallbackJob:
    """A callback of the user, plain or a coroutine function: whatever it raises is logged."""

    __slots__ = ("_arguments", "_callback", "_stream")

    def __init__(self, stream: Stream, callback: Callable[..., Any], *arguments: Any) -> None:
        self._stream = stream
        self._callback = callback
        self._arguments = arguments

    def __call__(self) -> None:
        try:
            value = self._callback(*self._arguments)
            if inspect.isawaitable(value):
                self._stream._spawn(self._wait(value))
        except Exception:
            logger.exception("a callback raised")

    async def _wait(self, value: Any) -> None:
        try:
            await value
        except Exception:
            logger.exception("a callback raised")


def make_task(home: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task that runs at once as far as it can without waiting, where Python can do that."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=home, eager_start=True)
    return home.create_task(work)
