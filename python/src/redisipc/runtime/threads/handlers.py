"""Running the user's code: handlers of requests, and callbacks."""

from __future__ import annotations

from collections.abc import Callable
from logging import ERROR
from typing import TYPE_CHECKING, Any

from redisipc.protocol.events import Incoming
from redisipc.runtime.internal_log import say
from redisipc.runtime.reasons import text_of
from redisipc.runtime.received import Received
from redisipc.runtime.request import Request
from redisipc.runtime.session import BaseSession

if TYPE_CHECKING:
    from redisipc.runtime.observing import Observing


class RequestJob:
    """One start of the handler for one request. Its return value or exception is the answer."""

    __slots__ = ("_answer", "_received", "_session")

    def __init__(self, session: BaseSession, incoming: Incoming) -> None:
        self._session = session
        self._received = incoming.data = Received(session, incoming)
        self._answer: tuple[str, bytes] | None = None

    def run(self) -> None:
        session, received = self._session, self._received
        handler = session.hooks.on_request
        try:
            assert handler is not None, "started without a handler"
            value = handler(Request(received))
            if received.postponed or received.answered:
                return
            answer = session.fulfilment(received, value)
        except BaseException as error:
            # Also SystemExit: the thread belongs to this library, and the requester learns of the exception. The same
            # if the value itself raised.
            answer = session.rejection(received, error)
        if received.claim():
            self._answer = answer

    def finish(self, now: float) -> None:
        endpoint, incoming = self._session.endpoint, self._received.incoming
        if self._answer is not None and incoming.answer is None:
            endpoint.answer(incoming, *self._answer, now)
        if self._session.observing is not None:
            self._session.observing.done(incoming)
        endpoint.handler_done(incoming, now)


class ObserverJob:
    """Calls the observers with what waits for them."""

    def __init__(self, observing: Observing) -> None:
        self._observing = observing

    def run(self) -> None:
        self._observing.drain()

    def finish(self, now: float) -> None:
        self._observing.drained()


class CallbackJob:
    """A callback of the user, or a line of the log. Its exceptions go to ``failed``.

    ``weight``: bytes that wait with it. ``on_finish`` is called with them when it has run.
    """

    __slots__ = ("_arguments", "_callback", "_failed", "on_finish", "weight")

    def __init__(
        self,
        callback: Callable[..., Any],
        *arguments: Any,
        failed: Callable[[BaseException], None] | None = None,
        weight: int = 0,
    ) -> None:
        self._callback = callback
        self._arguments = arguments
        self._failed = failed or log_callback
        self.weight: int = weight
        self.on_finish: Callable[[int], None] | None = None

    def run(self) -> None:
        try:
            self._callback(*self._arguments)
        except BaseException as error:
            try:
                self._failed(error)
            except BaseException as another:
                # The code that reports this may also be the user's.
                log_callback(another)

    def finish(self, now: float) -> None:
        if self.on_finish is not None:
            self.on_finish(self.weight)


def log_callback(error: BaseException) -> None:
    """A function of the user raised, and no caller waits for it."""
    say(ERROR, "a callback raised %s: %s", type(error).__name__, text_of(error), error=error)
