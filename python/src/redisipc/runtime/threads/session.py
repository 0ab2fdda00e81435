"""One connection of a ``Stream``, from ``connect()`` to its end: its threads, and the calls that reach them."""

from __future__ import annotations

import atexit
import random
import threading
from collections.abc import Callable
from functools import partial
from logging import ERROR
from time import monotonic
from typing import Any

from redisipc.errors import CannotWait, ClosedError, ForkedError, Overloaded, RedisIPCError
from redisipc.protocol.events import Outcome, Outgoing
from redisipc.protocol.names import new_request_id
from redisipc.runtime.driver import Driver
from redisipc.runtime.hooks import Hook
from redisipc.runtime.reasons import raised_by
from redisipc.runtime.response import Response, response_of
from redisipc.runtime.weight import weight_of

from .backlog import Backlog
from .connector import Connector
from .handlers import CallbackJob, ObserverJob, log_callback
from .host import Host
from .loop import Loop, no_thread
from .requests import End, Ticket
from .session_base import SessionBase
from .starter import Starter, start
from .transport import SocketTransport
from .worker_pool import WorkerPool

CALLBACK_THREADS = 16
"""Callbacks of futures, and functions of cancelled requests, that run at once; more wait their turn."""
LEAVING_LOOKS = 0.1
"""Seconds between two checks whether Redis still answers, once leaving takes longer than allowed."""
OVERDUE = 0.9
"""Seconds after its timeout at which a caller no longer waits for the I/O thread (G1)."""


class Session(SessionBase):
    """Made by ``Stream.connect``. Its calls may come from any thread, at any moment."""

    def __init__(self, connector: Connector, *about: Any) -> None:
        super().__init__(connector.fails_over, *about)
        self.address: str = connector.address
        self.secure: bool | None = connector.secure
        name = f"redisipc-{self.group}"
        # What was sent and has no outcome yet: a dict, whose operations are atomic, and which keeps the order.
        self.waiting: dict[Ticket, None] = {}
        self.joined: Ticket = Ticket()
        self.gone: Ticket = Ticket()
        self.loop: Loop = Loop(f"{name}-io")
        self.starter: Starter = Starter(f"{name}-start")
        self.loop.starter = self.starter
        self.reserve: Starter = Starter(f"{name}-reserve")
        pool = partial(WorkerPool, self.loop, self.starter, self.reserve)
        self.handlers: WorkerPool = pool(f"{name}-worker", self.options.concurrency, here=True)
        self.callbacks: WorkerPool = pool(f"{name}-callback", CALLBACK_THREADS)
        # Peers decide when a request is cancelled, so callbacks of own requests must not wait for these.
        cancels = pool(f"{name}-cancel", CALLBACK_THREADS)
        reports = pool(f"{name}-report", 1)
        say = partial(self.log, ERROR)
        slow = "reports were dropped: on_error, on_state or the log is too slow"
        self.reports: Backlog = Backlog(reports, reports, slow, say)
        slow = "calls of on_cancel functions were dropped: they are too slow"
        self.cancels: Backlog = Backlog(cancels, reports, slow, say)
        self._host = Host(self, connector)
        self.driver: Driver = Driver(self.endpoint, self._host, self.options.wakeups, connector.cluster)
        self.loop.driver = self.driver
        self.pools: tuple[WorkerPool, ...] = (self.handlers, self.callbacks, cancels, reports)
        self.observe(self._wake_observers)
        if self.observing is not None:
            self.observers: WorkerPool = pool(f"{name}-observer", 1)
            self.pools = (*self.pools, self.observers)
        self.loop.pools = (*self.pools, self.reports, self.cancels, self._host.openings)
        self.loop.handlers = self.handlers
        self._random = random.Random()

    # its life

    def start(self) -> None:
        """Begin to connect. Raises ``ConnectionLost`` where the system has no thread for it."""
        self.call(self.endpoint.start)
        # Registered from the beginning: if Ctrl-C ends connect() and the program, the session still cleans up.
        sessions[self] = None
        # Signal handlers cannot raise on the starter: once the starter runs, the I/O thread runs, too.
        self.starter.put(self._start_loop)
        try:
            start(self.starter.thread)
        except RuntimeError as error:
            raise no_thread(error) from error

    def _start_loop(self) -> None:
        try:
            self.reserve.thread.start()
            self.loop.thread.start()
        except RuntimeError as error:
            self.reason: str = f"no thread could be started: {error}"
            self.left()

    def close(self, grace: float) -> None:
        """Begin to leave; never waits."""
        asked = monotonic()
        self.leaves: bool = True
        self.call(lambda now: self.endpoint.close(now, max(0.0, asked + grace - now)))

    def abandon(self) -> None:
        """End now, whatever Redis does; never waits."""
        self.call(self.endpoint.abandon)

    def unused(self) -> None:
        """Another thread connected the Stream at the same moment: this one never begins."""
        self.ended: bool = True
        self.loop.poller.close()

    def unstarted(self) -> None:
        """``connect()`` was interrupted. If no thread ran yet, there is nothing to leave."""
        if not self.starter.thread.is_alive():
            sessions.pop(self, None)

    @property
    def stays(self) -> bool:
        """Whether its end has not begun."""
        return not self.leaves

    def wait_gone(self, until: float) -> None:
        """Wait until it has left, and no longer than ``until``: then it is abandoned.

        The last ``OVERDUE`` seconds are granted only while Redis answers.
        """
        self.gone.wait(until - OVERDUE)
        while self.gone.end is None and monotonic() < until and not self.hangs():
            self.gone.wait(min(until, monotonic() + LEAVING_LOOKS))
        if self.gone.end is None:
            self.abandon()
            self.gone.wait(monotonic() + 0.5)
        self._join(monotonic() + 0.5)

    def left(self) -> None:
        """The core has ended: on the I/O thread."""
        super().left()
        sessions.pop(self, None)
        self.joined.settle(End())
        self.gone.settle(End())
        for ticket in list(self.waiting):
            self._fail(ticket, ClosedError(f"{self!r} was closed"))
        self.loop.stop()
        self._host.openings.end()
        for pool in self.pools:
            pool.stop()
        self.reserve.stop()
        self.starter.put(self.starter.stop)

    def _join(self, until: float) -> None:
        """Wait for threads that run no code of the user, so that the program's end does not stop them halfway."""
        threads = [thread for thread in self.loop.threads if thread is not self.loop.lead.at_work]
        for pool in self.pools:
            threads += pool.idle_threads()
        if not self.reserve.busy:
            threads.append(self.reserve.thread)
        for thread in (*threads, self.starter.thread):
            if thread is not threading.current_thread() and thread.is_alive():
                thread.join(max(0.0, until - monotonic()))

    def after_fork(self) -> None:
        """In a forked child there are no threads and no connections: notify waiters, and close the copies."""
        super().after_fork()
        self.loop.forked = self.loop.stopped = True
        sessions.pop(self, None)
        for connection in self.driver.connections:
            if isinstance(connection.transport, SocketTransport):
                connection.transport.abandon()
        self.loop.poller.close()
        for ticket in list(self.waiting):
            ticket.settled(End(ForkedError(f"{self!r} was connected before this process was forked")))
        for ticket in (self.joined, self.gone):
            ticket.settle(End())

    # who calls

    @property
    def inside(self) -> bool:
        """Whether the calling thread is one of its own, which must not wait for its end."""
        me = threading.current_thread()
        own = (*self.loop.threads, self.starter.thread, self.reserve.thread)
        return me in own or any(pool.has(me) for pool in self.pools)

    def check_wait(self) -> None:
        """Raise ``CannotWait`` on the threads without which nothing would ever end."""
        me = threading.current_thread()
        if me is self.starter.thread or self.loop.needs(me):
            raise CannotWait(
                "Python ran this code (a finalizer, most likely) on the thread that must bring the answer. "
                "Call submit() and do not wait for its result, or hand the work to a thread of your own"
            )

    # asking

    def call(self, work: Callable[[float], None]) -> None:
        self.loop.call(work)

    def check_send(self, to: str, timeout: float) -> float:
        """Return the timeout, or raise for a request that cannot be sent, before anything is done."""
        limit = self.endpoint.check_send(to, timeout)
        most = self.options.max_outstanding
        held = len(self.waiting) + len(self.callbacks.jobs)
        if held >= most:
            raise Overloaded(f"max_outstanding is reached, with {held} outstanding; wait for some of them")
        return limit

    def new_id(self) -> bytes:
        return new_request_id(self._random).encode()

    def send(self, ticket: Ticket, request_id: bytes, text: bytes, to: str, limit: float, now: float) -> None:
        """Ask. The ticket is settled by ``now + limit`` + 1 s."""
        self.waiting[ticket] = None
        self.loop.call(partial(self._send, ticket, request_id, text, to, limit, now))
        if self.gone.end is not None:
            # The session ended in between: maybe no thread checks the calls any more.
            self._fail(ticket, ClosedError(f"{self!r} was closed"))

    def _send(
        self, ticket: Ticket, request_id: bytes, text: bytes, to: str, limit: float, now: float, _: float
    ) -> None:
        if ticket.end is not None or ticket not in self.waiting:
            # Given up before it was sent.
            self._fail(ticket, ClosedError("given up"))
            return
        try:
            outgoing = self.endpoint.send(text, to, limit, now, request_id)
        except RedisIPCError as error:
            self._fail(ticket, error)
            return
        outgoing.data = ticket
        ticket.outgoing = outgoing
        if self.observing is not None:
            self.observing.sent(outgoing)

    def _fail(self, ticket: Ticket, error: BaseException) -> None:
        self.waiting.pop(ticket, None)
        ticket.settled(End(error))

    def give_up(self, ticket: Ticket) -> None:
        """Nobody waits for it any longer."""
        self.waiting.pop(ticket, None)
        if not self.forked:
            self.loop.call(partial(self._give_up, ticket))

    def _give_up(self, ticket: Ticket, now: float) -> None:
        if ticket.outgoing is not None:
            self.endpoint.cancel(ticket.outgoing, now)

    def wait(self, ticket: Ticket, until: float) -> End:
        """Wait for a request. It ends even if the I/O thread does not bring the outcome in time (G1)."""
        return ticket.wait(until) or self.overdue(ticket)

    def overdue(self, ticket: Ticket) -> End:
        """It should have ended long ago: this process had no time for it, or its I/O thread is gone."""
        reason = "no answer in time; this process was too busy to look for one"
        outgoing = ticket.outgoing or Outgoing(b"", b"", "", monotonic(), monotonic())
        ticket.settle(End(None, outgoing, Outcome("timeout", None, reason), monotonic()))
        self.give_up(ticket)
        assert ticket.end is not None
        return ticket.end

    def response_of(self, end: End) -> Response:
        assert end.outgoing is not None
        assert end.outcome is not None
        return response_of(end.outgoing, end.outcome, self.stream, end.at)

    # code of the user

    def apart(self, work: Callable[[], None]) -> None:
        """Do work elsewhere that may wait for a lock of the user's threads."""
        self.reserve.put(work)

    def call_now(self, hook: Hook) -> None:
        try:
            hook()
        except KeyboardInterrupt:
            # The error comes most likely from the calling thread, not from the function.
            raise
        except BaseException as error:
            log_callback(error)

    def callback(self, hook: Hook, *arguments: Any) -> None:
        """Run a callback: on the I/O thread."""
        self.callbacks.add(CallbackJob(hook, *arguments), monotonic())

    def report(self, error: RedisIPCError, more: int = 0) -> None:
        job = CallbackJob(self.tell, error, weight=weight_of(error) + more)
        self.loop.call(partial(self.reports.add, job))

    def note(self, level: int, text: str) -> None:
        # Logging may wait for a disk, or run code of the user.
        self.loop.call(partial(self.reports.add, CallbackJob(self.log, level, text)))

    def call_hook(self, what: str, hook: Hook, argument: Any) -> None:
        job = CallbackJob(hook, argument, failed=partial(self.hook_raised, what))
        self.loop.call(partial(self.reports.add, job))

    def hook_raised(self, what: str, raised: BaseException) -> None:
        # On the thread for reports already. After the last state nobody would hand it another one.
        self.tell(raised_by(what, raised))

    def _wake_observers(self) -> None:
        assert self.observing is not None
        self.observers.add(ObserverJob(self.observing), monotonic())


sessions: dict[Session, None] = {}
"""Sessions that connect, are connected or leave. When the program ends, they leave."""


@atexit.register
def _leave() -> None:
    """At the end of the program, connected sessions still leave properly, within their ``close_timeout``."""
    living = list(sessions)
    left_connected = [session for session in living if session.stays]
    leaving = [session for session in living if not session.stays]
    start = monotonic()
    for session in left_connected:
        session.close(session.options.close_timeout)
    for session in leaving:
        session.wait_gone(start + OVERDUE)
    for session in left_connected:
        session.wait_gone(start + session.options.close_timeout + OVERDUE)
    for session in left_connected:
        session.warn_left("the program")
