"""Running the user's code: handlers of requests, and callbacks. Coroutines get a task; plain functions run without one."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from functools import partial
from logging import ERROR
from typing import TYPE_CHECKING, Any

from redisipc.protocol.events import Incoming
from redisipc.runtime.hooks import Hook, name_of
from redisipc.runtime.internal_log import say
from redisipc.runtime.reasons import text_of
from redisipc.runtime.received import Received
from redisipc.runtime.request import Request

from . import lost_steps
from .session_base import SessionBase

if TYPE_CHECKING:
    from redisipc.runtime.observing import Observing

PLAIN = frozenset((type(None), bool, int, float, str, list, tuple, dict))
"""Classes of values that handlers usually return. None of these values can be awaited."""
ENDS_THE_LOOP = (KeyboardInterrupt, SystemExit)
"""Exceptions that end asyncio's event loop, wherever they are raised."""


class RequestJob:
    """One start of the handler for one request. Its return value or exception is the answer."""

    __slots__ = ("_begun", "_ended", "_ending", "_received", "_session", "_task")

    def __init__(self, session: SessionBase, incoming: Incoming) -> None:
        self._session = session
        self._received = incoming.data = Received(session, incoming)
        self._begun = self._ended = False
        self._ending: tuple[tuple[str, bytes] | None] | None = None
        """The answer, if there is one, from the handler's end until the core has it."""
        self._task: asyncio.Task[None] | None = None

    def look_after(self) -> None:
        """Between turns of the event loop: continue, or end, where an exception of a signal handler interrupted it."""
        if not self._begun:
            if self not in self._session.loop.jobs:
                self._session.loop.jobs.append(self)
        elif self._ending is not None:
            # The handler ended normally, and may have postponed its answer. Only the notice of its end was lost.
            self._session.call(partial(self._finished, *self._ending))
        elif self._task is None or self._task.done():
            self._interrupted()
        else:
            lost_steps.look(self._task, self._stands_still)

    def _stands_still(self) -> None:
        """The handler's task will never continue."""
        if self._ending is None:
            self._interrupted()

    def _interrupted(self) -> None:
        error = RuntimeError("the handler was interrupted by an exception of a signal handler")
        self._finish(self._session.rejection(self._received, error))

    def __call__(self) -> None:
        if self._begun:
            return
        session, received = self._session, self._received
        answer: tuple[str, bytes] | None = None
        waits = False
        try:
            self._begun = True
            hook = session.hooks.on_request
            assert hook is not None, "started without a handler"
            context = hook.context()
            value = context.run(hook.function, Request(received))
            if value.__class__ not in PLAIN and inspect.isawaitable(value):
                self._task = session.spawn(self._wait(value), context)
                waits = True
            elif not received.postponed and not received.answered:
                answer = session.fulfilment(received, value)
        except BaseException as error:
            answer = session.rejection(received, error)
            if isinstance(error, ENDS_THE_LOOP):
                raise
        finally:
            if not waits:
                self._finish(answer)

    async def _wait(self, value: Any) -> None:
        session, received = self._session, self._received
        answer: tuple[str, bytes] | None = None
        try:
            value = await value
            if not received.postponed and not received.answered:
                answer = session.fulfilment(received, value)
        except asyncio.CancelledError as error:
            if not session.closing:
                answer = session.rejection(received, error, "the handler was cancelled")
            # Otherwise this endpoint is ending, and another instance of the group starts the request again.
            raise
        except BaseException as error:
            # This includes GeneratorExit and the user's own BaseExceptions: the requester learns of each, once.
            if self._ending is None:
                answer = session.rejection(received, error)
            if isinstance(error, ENDS_THE_LOOP):
                raise
        finally:
            self._finish(answer)

    def _finish(self, answer: tuple[str, bytes] | None) -> None:
        if answer is not None and not self._received.claim():
            answer = None
        self._ending = (answer,)
        self._session.loop.call(partial(self._finished, answer))

    def _finished(self, answer: tuple[str, bytes] | None, now: float) -> None:
        if self._ended:
            return
        self._ended = True
        endpoint, incoming = self._session.endpoint, self._received.incoming
        self._session.started.pop(incoming, None)
        if answer is not None and incoming.answer is None:
            endpoint.answer(incoming, *answer, now)
        if self._session.observing is not None:
            self._session.observing.done(incoming)
        endpoint.handler_done(incoming, now)


class ObserverJob:
    """Calls the observers with what waits for them."""

    def __init__(self, observing: Observing) -> None:
        self._observing = observing
        self._begun = False

    def __call__(self) -> None:
        if self._begun:
            return
        try:
            self._begun = True
            self._observing.drain()
        finally:
            self._observing.drained()


class CallbackJob:
    """A callback of the user, a plain or a coroutine function. Its exceptions go to ``failed``.

    ``on_end`` is called with it when nothing of it is left to run. ``what`` it is, for a message. ``weight``: bytes that
    wait with it.
    """

    __slots__ = ("_arguments", "_begun", "_failed", "_hook", "_session", "_task", "_what", "on_end", "weight")

    def __init__(
        self,
        session: SessionBase,
        hook: Hook,
        *arguments: Any,
        failed: Callable[[BaseException], None] | None = None,
        what: str = "a callback",
        weight: int = 0,
    ) -> None:
        self._session = session
        self.weight: int = weight
        self._hook = hook
        self._arguments = arguments
        self._failed = failed or _log_callback
        self._what = what
        self._begun = False
        self._task: asyncio.Task[None] | None = None
        self.on_end: Callable[[CallbackJob], None] = _nothing

    @property
    def over(self) -> bool:
        """Whether it has run, or was cut off."""
        return self._begun and (self._task is None or self._task.done())

    def __call__(self) -> None:
        if self._begun:
            return
        waits = False
        try:
            self._begun = True
            context = self._hook.context()
            value = context.run(self._hook.function, *self._arguments)
            if inspect.isawaitable(value):
                name = f"{self._what} ({name_of(self._hook.function)})"
                self._task = self._session.spawn(self._wait(value), context, name)
                waits = True
        except BaseException as error:
            self._fail(error)
            if isinstance(error, ENDS_THE_LOOP):
                raise
        finally:
            if not waits:
                self.on_end(self)

    async def _wait(self, value: Any) -> None:
        try:
            await value
        except BaseException as error:
            if not _is_cancelled(error):
                self._fail(error)
            if isinstance(error, (*ENDS_THE_LOOP, asyncio.CancelledError)):
                raise
        finally:
            self.on_end(self)

    def _fail(self, error: BaseException) -> None:
        try:
            self._failed(error)
        except ENDS_THE_LOOP:
            raise
        except BaseException as another:
            # The code that reports this may also be the user's.
            _log_callback(another)


def _is_cancelled(error: BaseException) -> bool:
    """Whether the running task was cancelled from outside; its own code may also raise CancelledError."""
    task = asyncio.current_task()
    if not isinstance(error, asyncio.CancelledError) or task is None:
        return False
    # Python 3.10 has no such function.
    return sys.version_info < (3, 11) or task.cancelling() > 0


def _nothing(_job: CallbackJob) -> None:
    """This Python version does not count cancellations."""


def _log_callback(error: BaseException) -> None:
    say(ERROR, "a callback raised %s: %s", type(error).__name__, text_of(error), error=error)
