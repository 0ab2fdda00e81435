"""The I/O thread of one endpoint. Only this thread touches the core, the driver and the sockets.

All other threads hand it calls, and never wait for a lock that it holds: the core has no lock. So a call may come
from a signal handler that interrupted another call, from a finalizer, or after an exception at any point.

Handlers that have been quick so far run on this thread, too. Before that it steps aside: if a handler is slow for once,
another thread takes the lead. While a thread leads, it runs no code of the user except finalizers, which Python may run
on any thread.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from logging import ERROR
from time import monotonic
from typing import Protocol

from redisipc.errors import ConfigurationError, ConnectionLost
from redisipc.runtime.driver import AFTER_DEFECT, Driver
from redisipc.runtime.internal_log import say
from redisipc.runtime.reasons import described

from .lead import Lead
from .poller import Poller
from .starter import Starter, new_thread
from .transport import SocketTransport

LONGEST_SLEEP = 1.0
"""Seconds after which it wakes by itself: an exception may have come between a call and its wake-up."""

LONGEST_ASIDE = 0.0015
"""Seconds for which quick handlers run on the thread that reads, before it reads and writes again."""
RETRY = 0.5
"""Seconds before a second thread that could not be started is tried again."""

Call = Callable[[float], None]


class Work(Protocol):
    """Handlers that wait for a thread."""

    @property
    def quick(self) -> bool: ...

    def run_here(self, until: float) -> None: ...

    def rest(self) -> None: ...


class Waits(Protocol):
    """Something else with times of its own: a pool."""

    look_at: float

    def look(self, now: float) -> None: ...


class Loop:
    """Waits for bytes, calls and times, and handles them."""

    def __init__(self, name: str) -> None:
        try:
            self.thread: threading.Thread = threading.Thread(target=self._run, name=name, daemon=True)
        except RuntimeError as error:
            # A sub-interpreter would wait for other threads before it lets the endpoint leave.
            raise no_thread(error) from error
        self.driver: Driver
        self.poller: Poller[SocketTransport] = Poller()
        self.lead: Lead = Lead(self.thread)
        self.pools: Sequence[Waits] = ()
        self.handlers: Work
        self.starter: Starter
        self.stopped: bool = False
        self.forked = False
        self._second: threading.Thread | None = None
        self._second_at = 0.0
        self._calls: deque[Call] = deque()
        self._asleep = False
        self._unwritten = False
        self._due = self._wakes_at = 0.0
        self._rests = self._called = False
        self._read_at = float("inf")

    def call(self, work: Call) -> None:
        """Let the I/O thread do ``work``. Never waits; may be called at any moment, from everywhere."""
        self._calls.append(work)
        # First the call, then the check: the thread checks for calls after it has said that it sleeps.
        if self._asleep:
            self._asleep = False
            self.poller.wake()

    def stop(self) -> None:
        """The threads end once they have done what they were called for."""
        self.stopped = True
        self.lead.end()

    @property
    def threads(self) -> list[threading.Thread]:
        """The two threads that lead in turn."""
        return [self.thread] if self._second is None else [self.thread, self._second]

    def needs(self, thread: threading.Thread) -> bool:
        """Whether nothing would be read while ``thread`` waits for an answer."""
        return thread in self.threads and thread is not self.lead.at_work

    # the threads

    def _run(self) -> None:
        me, lead = threading.current_thread(), self.lead
        while not self.stopped:
            try:
                if lead.leader is me or lead.wait(me):
                    self._turn(me)
            except BaseException as error:
                self._failed(error)
        if lead.leader is me:
            self._end()

    def _end(self) -> None:
        while self._calls:
            # These calls came too late. They still run, so that nobody is left waiting.
            try:
                self._calls.popleft()(monotonic())
            except BaseException as error:
                say(ERROR, "internal error at the end: %s", described(error), error=error)
        self.poller.close()

    def _failed(self, error: BaseException) -> None:
        """An unexpected exception: report it, and never repeat it without a pause."""
        try:
            self.driver.defect(error, monotonic())
        except BaseException as another:
            say(ERROR, "internal error, and no way to connect again: %s", described(another), error=another)
            time.sleep(AFTER_DEFECT)

    def _turn(self, me: threading.Thread) -> None:
        """One turn: wait for bytes and calls, hand them in, do what is due, and write."""
        driver, calls = self.driver, self._calls
        self._asleep = True
        if self._rests:
            # Its tasks are still due.
            self._rests = False
        else:
            # Checked once a turn: what becomes due by the bytes of this turn is done in the next one.
            deadline = driver.deadline()
            self._due = float("inf") if deadline is None else deadline
            self._read_at = float("inf")
            self._wakes_at = min(self._due, *[pool.look_at for pool in self.pools])
        if calls or self._unwritten:
            self._asleep = False
            timeout = 0.0
        else:
            timeout = self._left()
        ready = self.poller.wait(timeout)
        self._asleep = False
        now = monotonic()
        self._called = False
        for transport, readable, writable in ready:
            self._serve(transport, readable, writable, now)
        if driver.endpoint.wiring.pace.until > 0 and not self._called:
            read = len(ready) == 1 and ready[0][0].connection is driver.reader
            if (read or not ready) and self._may_rest(read, now):
                return
        while calls:
            calls.popleft()(now)
        if self._due <= now:
            driver.tick(now)
        driver.pump(now, reading=False)
        if self.handlers.quick:
            if not self._step_aside(me):
                return
            # Requests that were read together are answered together, before the next read is sent.
            now = monotonic()
            while calls:
                calls.popleft()(now)
            driver.pump(now)
        elif driver.held:
            driver.read_on(now)
        self._unwritten = False
        for pool in self.pools:
            if pool.look_at <= now:
                pool.look(now)

    def _may_rest(self, read: bool, now: float) -> bool:
        """Whether the turn may end, since only entries of others were read, and nothing else is due. If so, it also
        sends the next read when that is due.

        ``read``: something came from the connection for reading, and nothing else happened.
        """
        driver = self.driver
        if self._due <= now or self._calls or self._unwritten or self.handlers.quick:
            return False
        if read:
            until = driver.endpoint.rests(now, self._due)
            if until > now:
                self._read_at = until
                self._rests = True
        elif self._read_at <= now:
            self._rests = driver.read_on(now)
            self._read_at = float("inf")
        return self._rests

    def _step_aside(self, me: threading.Thread) -> bool:
        """Run handlers that are quick. Returns whether this thread still leads."""
        if not self.lead.watched:
            self._start_second()
            return True
        self._unwritten = True
        self.lead.step_aside()
        self.handlers.run_here(monotonic() + LONGEST_ASIDE)
        if self.forked or not self.lead.come_back(me):
            return False
        self.handlers.rest()
        return True

    def _start_second(self) -> None:
        now = monotonic()
        if self._second is None and now >= self._second_at:
            self._second_at = now + RETRY
            second = new_thread(self._run, (), f"{self.thread.name}-2")
            self.starter.put(partial(self._start, second))

    def _start(self, second: threading.Thread) -> None:
        """On the starter."""
        self._second = second
        try:
            second.start()
        except RuntimeError:
            # Handlers run on threads of the pool, as before.
            self._second = None

    def _left(self) -> float:
        """Seconds until something is due."""
        due = self._wakes_at if self._wakes_at < self._read_at else self._read_at
        left = due - monotonic()
        return LONGEST_SLEEP if left > LONGEST_SLEEP else left if left > 0.0 else 0.0

    def _serve(self, transport: SocketTransport, readable: bool, writable: bool, now: float) -> None:
        if transport.connection.transport is not transport:
            return
        if writable:
            transport.writable()
        data = transport.receive() if readable and not transport.broken else None
        # Calls first: a handler that was registered before a request was sent is there when the request is handed in.
        while self._calls:
            self._called = True
            self._calls.popleft()(now)
        if transport.connection.transport is not transport:
            return
        if data:
            self.driver.received(transport.connection, data, now)
        elif transport.broken:
            self.driver.lost(transport.connection, transport.broken, now)


def no_thread(error: RuntimeError) -> ConfigurationError | ConnectionLost:
    """Why an endpoint has no thread: the system has none left, the program is ending, or this is a sub-interpreter."""
    text = str(error)
    if "shutdown" in text:
        # Python starts no thread after the main thread has ended: in a function of atexit, for example.
        return ConnectionLost(f"the program is ending: {text}; connect earlier, or use a Caller, which needs no thread")
    if "interpreter" in text:
        # A sub-interpreter may refuse the threads of an endpoint: some refuse daemon threads, some all.
        return ConfigurationError(f"{text}; connect in the main interpreter, and hand the work of this one to it")
    return ConnectionLost(f"no thread could be started: {text}")
