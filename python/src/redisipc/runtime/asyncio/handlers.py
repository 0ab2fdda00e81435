"""Running the user's code: handlers of requests, and callbacks. Coroutines get a task, plain functions need none."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context
from functools import partial
from logging import ERROR
from typing import TYPE_CHECKING, Any

from redisipc.protocol.events import Incoming
from redisipc.runtime.hooks import Hook
from redisipc.runtime.internal_log import say
from redisipc.runtime.reasons import text_of
from redisipc.runtime.received import Received
from redisipc.runtime.request import Request

from . import lost_steps
from .session_base import SessionBase

if TYPE_CHECKING:
    from redisipc.runtime.observing import Observing

PLAIN = frozenset((type(None), bool, int, float, str, list, tuple, dict))
"""Classes of what handlers return as a rule, of which no value can be awaited."""
ENDS_THE_LOOP = (KeyboardInterrupt, SystemExit)
"""The exceptions that asyncio lets end the event loop, wherever they are raised."""


class RequestJob:
    """One start of the handler for one request; what it returns or raises is the answer."""

    __slots__ = ("_begun", "_ended", "_ending", "_received", "_session", "_task")

    def __init__(self, session: SessionBase, incoming: Incoming) -> None:
        self._session = session
        self._received = incoming.data = Received(session, incoming)
        self._begun = self._ended = False
        self._ending: tuple[tuple[str, bytes] | None] | None = None
        """Its answer, if it gave one, from its end until the core knows."""
        self._task: asyncio.Task[None] | None = None

    def look_after(self) -> None:
        """Between turns of the event loop: continue, or end, where an exception of a signal handler interrupted it."""
        if not self._begun:
            if self not in self._session.loop.jobs:
                self._session.loop.jobs.append(self)
        elif self._ending is not None:
            # It ended in order, and may have postponed its answer. Only the word of that may be lost.
            self._session.call(partial(self._finished, *self._ending))
        elif self._task is None or self._task.done():
            self._interrupted()
        else:
            lost_steps.look(self._task, self._stands_still)

    def _stands_still(self) -> None:
        """Its task will never continue."""
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
            # Else it is our own end, and others of the group start the request again.
            raise
        except BaseException as error:
            # GeneratorExit and exceptions of the user's own kind, too: the requester is to learn it, once.
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
    """A callback of the user, plain or a coroutine function: whatever it raises goes to ``failed``.

    ``on_end`` is called with it when nothing of it is left to run.
    """

    __slots__ = ("_arguments", "_begun", "_failed", "_hook", "_session", "_task", "on_end")

    def __init__(
        self, session: SessionBase, hook: Hook, *arguments: Any, failed: Callable[[BaseException], None] | None = None
    ) -> None:
        self._session = session
        self._hook = hook
        self._arguments = arguments
        self._failed = failed or _log_callback
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
                self._task = self._session.spawn(self._wait(value), context)
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
            # What tells of it may be the user's as well.
            _log_callback(another)


def _is_cancelled(error: BaseException) -> bool:
    """Whether somebody cancelled the running task, rather than that its own code raised that word."""
    task = asyncio.current_task()
    if not isinstance(error, asyncio.CancelledError) or task is None:
        return False
    # Python 3.10 does not say it.
    return sys.version_info < (3, 11) or task.cancelling() > 0


def _nothing(_job: CallbackJob) -> None:
    """Nobody counts it."""


def _log_callback(error: BaseException) -> None:
    say(ERROR, "a callback raised %s: %s", type(error).__name__, text_of(error), error=error)


def make_task(home: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None], context: Context) -> asyncio.Task[None]:
    """A task in ``context`` that runs at once as far as it can without waiting, where Python can do that."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=home, context=context, eager_start=True)
    if sys.version_info >= (3, 11):
        return home.create_task(work, context=context)
    return context.run(home.create_task, work)
