"""Running the user's code: handlers of requests, and callbacks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from redisipc.protocol.events import Incoming
from redisipc.runtime.received import Received
from redisipc.runtime.request import Request
from redisipc.runtime.session import BaseSession

if TYPE_CHECKING:
    from redisipc.runtime.observing import Observing

logger: logging.Logger = logging.getLogger("redisipc")


class RequestJob:
    """One start of the handler for one request; what it returns or raises is the answer."""

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
        except BaseException as error:
            # SystemExit, too: the thread is ours, and the requester is to learn it.
            answer = session.rejection(received, error)
            if received.claim():
                self._answer = answer
        else:
            if not received.postponed and not received.answered:
                answer = session.fulfilment(received, value)
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
    """A callback of the user, or a line of the log: whatever it raises goes to ``failed``."""

    __slots__ = ("_arguments", "_callback", "_failed")

    def __init__(
        self, callback: Callable[..., Any], *arguments: Any, failed: Callable[[BaseException], None] | None = None
    ) -> None:
        self._callback = callback
        self._arguments = arguments
        self._failed = failed or _log_callback

    def run(self) -> None:
        try:
            self._callback(*self._arguments)
        except BaseException as error:
            self._failed(error)

    def finish(self, now: float) -> None:
        return None


def _log_callback(error: BaseException) -> None:
    logger.error("a callback raised %r", error, exc_info=error)
