"""One connection of a ``Stream``, from ``connect()`` to its end, in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextvars import Context
from functools import partial
from time import monotonic
from typing import Any

from redisipc.errors import (
    ClosedError,
    ForkedError,
    Overloaded,
    RedisIPCError,
    ReportedError,
    RequestFailed,
    WrongLoopError,
)
from redisipc.protocol.events import Incoming, Outcome
from redisipc.protocol.names import new_request_id
from redisipc.runtime.driver import Driver
from redisipc.runtime.hooks import Hook
from redisipc.runtime.response import Response, response_of
from redisipc.runtime.weight import weight_of

from .backlog import Backlog
from .connector import Connector
from .handlers import ENDS_THE_LOOP, CallbackJob, ObserverJob
from .host import Host
from .loop import Loop
from .requests import End
from .session_base import Job, SessionBase, Waiter
from .transport import LoopTransport
from .user_tasks import LAST_CALLS, TURNS, UserTasks

LEAVING_LOOKS = 0.1
"""Seconds between two checks whether Redis still answers, once leaving takes longer than allowed."""
OVERDUE = 0.9
"""Seconds after its limit at which leaving stops to wait for Redis."""


class Session(SessionBase):
    """Made by ``Stream.connect``. Its calls come from the event loop's thread, or from a signal handler on it."""

    takes_async: bool = True

    def __init__(self, connector: Connector, *about: Any) -> None:
        super().__init__(connector.fails_over, *about)
        self.address: str = connector.address
        self.secure: bool | None = connector.secure
        home = asyncio.get_running_loop()
        self.tasks: UserTasks = UserTasks(home, self._tell_cancelled)
        # What was sent and has no outcome yet, and whose handler runs: in order.
        self.waiting: dict[Waiter, None] = {}
        self.started: dict[Incoming, Job] = {}
        self.joined: asyncio.Future[None] = home.create_future()
        self.gone: asyncio.Future[None] = home.create_future()
        self.loop: Loop = Loop(home, self.report)
        self.reports: Backlog = self._backlog("reports were dropped: on_error, on_state or the log is too slow")
        self.cancels: Backlog = self._backlog("calls of on_cancel functions were dropped: they are too slow")
        self._host = Host(self, connector)
        self.driver: Driver = Driver(self.endpoint, self._host, self.options.wakeups, connector.cluster)
        self.loop.driver = self.driver
        self.loop.look_after = self.look_after
        self._random = random.Random()
        self.observe(self._wake_observers, *ENDS_THE_LOOP)
        self._guard = _until_the_loop_ends(self)

    # its life

    async def start(self) -> None:
        """Begin to connect."""
        # It is suspended at its yield. Whoever ends the event loop normally closes it, as asyncio.run does.
        await self._guard.asend(None)
        self.loop.start()
        self.call(self.endpoint.start)

    def close(self, grace: float) -> None:
        """Begin to leave; never waits."""
        asked = monotonic()
        self.leaves: bool = True
        self.call(lambda now: self.endpoint.close(now, max(0.0, asked + grace - now)))
        self.loop.work()

    async def wait_gone(self, until: float) -> None:
        """Wait until it has left, and no longer than ``until``: then it is abandoned. Handlers that still run are cancelled.

        The last ``OVERDUE`` seconds are granted only while Redis answers. Callbacks may run as long, and a little longer.
        """
        await asyncio.wait([self.gone], timeout=max(0.0, until - OVERDUE - monotonic()))
        while not self.gone.done() and monotonic() < until and not self.hangs():
            await asyncio.wait([self.gone], timeout=min(LEAVING_LOOKS, max(0.0, until - monotonic())))
        if not self.gone.done():
            self.call(self.endpoint.abandon)
            self.loop.work()
        if not self.gone.done():
            self.left()
        # Callbacks about the end at least begin: Python warns about a coroutine that never began.
        for _ in range(TURNS):
            await asyncio.sleep(0)
        await self.tasks.end(max(until - OVERDUE, min(until, monotonic() + LAST_CALLS)))
        await self._host.openings.end()
        await self._guard.aclose()
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def tell_joined(self) -> None:
        if not self.joined.done():
            self.joined.set_result(None)

    def left(self) -> None:
        """The core has ended."""
        super().left()
        self.loop.stop()
        # From now on nothing looks after them.
        self._host.openings.look_after(())
        for waiter in list(self.waiting):
            self._fail(waiter, ClosedError(f"{self!r} was closed"))
        self.tell_joined()
        if not self.gone.done():
            self.gone.set_result(None)

    def lose_loop(self) -> None:
        """The event loop ended without closing anything: end its connections, so that Redis notices."""
        self.ended = True
        for transport in self._transports():
            transport.shut_down()

    def after_fork(self) -> None:
        """In a forked child the connections belong to the parent. Nothing more is read from them, even if the loop continues."""
        super().after_fork()
        self.loop.abandon()
        self._host.after_fork()
        for transport in self._transports():
            transport.abandon()
        for waiter in list(self.waiting):
            future: asyncio.Future[Any] | None = waiter.future
            if future is not None and not future.done():
                future.set_exception(ForkedError(f"{self!r} was connected before this process was forked"))
                # Nobody may wait in the child: asyncio must not report that the exception was never retrieved.
                future.exception()

    def _transports(self) -> list[LoopTransport]:
        return [
            connection.transport
            for connection in self.driver.connections
            if isinstance(connection.transport, LoopTransport)
        ]

    # who calls

    @property
    def cut_off(self) -> str:
        return super().cut_off or ("its event loop has ended" if self.loop.home.is_closed() else "")

    def check(self) -> None:
        if self.forked or self.ended:
            super().check()
        if asyncio._get_running_loop() is not self.loop.home:
            self.check_loop()

    def check_loop(self) -> None:
        running = asyncio._get_running_loop()
        home = self.loop.home
        if running is home:
            return
        if home.is_closed():
            raise WrongLoopError(f"the event loop that {self!r} was connected in has ended; call connect() in this one")
        where = "another event loop" if running is not None else "a thread without an event loop"
        raise WrongLoopError(
            f"{self!r} was connected in one event loop and is used in {where}; connect one Stream per loop, or go "
            "through asyncio.run_coroutine_threadsafe"
        )

    def serve(self) -> None:
        home = self.loop.home
        with contextlib.suppress(RuntimeError):  # it has ended
            home.call_soon_threadsafe(super().serve)

    # asking

    def call(self, work: Callable[[float], None]) -> None:
        self.loop.call(work)

    def check_send(self, to: str, timeout: float) -> float:
        """Return the timeout, or raise for a request that cannot be sent, before anything is done."""
        limit = self.endpoint.check_send(to, timeout)
        held = len(self.waiting)
        if held >= self.options.max_outstanding:
            raise Overloaded(f"max_outstanding is reached, with {held} outstanding; wait for some of them")
        return limit

    def new_id(self) -> bytes:
        return new_request_id(self._random).encode()

    def send(self, waiter: Waiter, request_id: bytes, text: bytes, to: str, limit: float) -> None:
        """Ask. The waiter is settled within ``limit`` + 1 s."""
        self.waiting[waiter] = None
        self.loop.call(partial(self._send, waiter, request_id, text, to, limit))

    def _send(self, waiter: Waiter, request_id: bytes, text: bytes, to: str, limit: float, now: float) -> None:
        if waiter.done():
            # Given up before it was sent.
            self.waiting.pop(waiter, None)
            return
        try:
            # The outcome is there already if an exception came before the waiter was noted.
            outgoing = self.endpoint.find(request_id) or self.endpoint.send(text, to, limit, now, request_id)
        except RedisIPCError as error:
            self._fail(waiter, error)
            return
        outgoing.data = waiter
        waiter.outgoing = outgoing
        if self.observing is not None:
            self.observing.sent(outgoing)

    def _fail(self, waiter: Waiter, error: Exception) -> None:
        self.waiting.pop(waiter, None)
        waiter.settled(End(error))

    def give_up(self, waiter: Waiter) -> None:
        """Nobody waits for it any longer."""
        self.waiting.pop(waiter, None)
        if not self.forked and not self.ended:
            self.call(partial(self._give_up, waiter))

    def _give_up(self, waiter: Waiter, now: float) -> None:
        if waiter.outgoing is not None:
            self.endpoint.cancel(waiter.outgoing, now)

    def settle_lost(self, waiting: list[Waiter]) -> None:
        """After an interruption: those of ``waiting`` whose end got lost on its way."""
        for waiter in waiting:
            outgoing = waiter.outgoing
            if outgoing is None:
                self._fail(waiter, RequestFailed("interrupted by an exception of a signal handler before it was sent"))
            elif outgoing.state == "finished" and waiter in self.waiting:
                self.waiting.pop(waiter, None)
                reason = "interrupted by an exception of a signal handler; its answer got lost"
                waiter.settled(End(None, outgoing, Outcome("failed", None, reason), monotonic()))

    def response_of(self, end: End) -> Response:
        assert end.outgoing is not None
        assert end.outcome is not None
        return response_of(end.outgoing, end.outcome, self.stream, end.at)

    # code of the user

    def spawn(self, work: Coroutine[Any, Any, None], context: Context, callback: str = "") -> asyncio.Task[None]:
        return self.tasks.spawn(work, context, callback)

    def _tell_cancelled(self, what: str, again: bool) -> None:
        text = f"{what} was cancelled: it had not ended when its endpoint had left; let it end sooner, or raise close_timeout"
        if again or what.startswith("on_error"):
            self.log(logging.ERROR, text)
        else:
            self.report(ReportedError(text, kind="callback"))

    def look_after(self) -> None:
        """Between turns of the event loop: find what got lost when a signal handler raised."""
        self._host.openings.look_after(self.driver.connections)
        for job in list(self.started.values()):
            job.look_after()
        self.reports.look_after()
        self.cancels.look_after()

    def report(self, error: RedisIPCError, more: int = 0) -> None:
        hook = self.hooks.on_error
        weight = weight_of(error) + more
        if hook is None:
            hook = Hook(partial(self.log, logging.ERROR, str(error), error.__cause__))
            self._add(CallbackJob(self, hook, weight=weight))
        else:
            failed = partial(self.failed_report, error)
            self._add(CallbackJob(self, hook, error, failed=failed, what="on_error", weight=weight))

    def call_now(self, hook: Hook) -> None:
        job = CallbackJob(self, hook, what="on_cancel")
        if asyncio._get_running_loop() is self.loop.home:
            job()
        else:
            self.loop.home.call_soon_threadsafe(job)

    def note(self, level: int, text: str) -> None:
        self._add(CallbackJob(self, Hook(partial(self.log, level, text))))

    def call_hook(self, what: str, hook: Hook, argument: Any) -> None:
        self._add(CallbackJob(self, hook, argument, failed=partial(self.hook_raised, what), what=what))

    def _wake_observers(self) -> None:
        assert self.observing is not None
        self.loop.jobs.append(ObserverJob(self.observing))

    def _add(self, job: CallbackJob) -> None:
        self.call(lambda _now: self.reports.add(job))

    def _backlog(self, dropped: str) -> Backlog:
        def say(text: str) -> None:
            self.loop.jobs.append(CallbackJob(self, Hook(partial(self.log, logging.ERROR, text))))

        return Backlog(self.loop.jobs, dropped, say)


async def _until_the_loop_ends(session: Session) -> AsyncGenerator[None, None]:
    """An event loop that ends normally closes its asynchronous generators. An endpoint that is still connected leaves then."""
    try:
        yield
    finally:
        if not session.ended and not session.forked:
            session.close(0)
            await asyncio.wait([session.gone], timeout=OVERDUE)
            if not session.gone.done():
                session.call(session.endpoint.abandon)
                session.loop.work()
            session.warn_left("its event loop")
