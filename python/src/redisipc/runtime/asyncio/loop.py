"""The part of one endpoint that lives in the event loop. Everything happens in callbacks; it has no task of its own.

The transports' callbacks hand in the bytes that arrive. They also resolve the futures of answered requests, and run handlers that
are plain functions. All that one turn of the event loop wants to send is sent together at its end. A request that is alone is
sent at once.

A signal handler, or a finalizer, may interrupt any of this and call the endpoint. Its call then waits until the interrupted call
is done with the core. If the signal handler raises, the core may be left in the middle of a change: the next visit repairs it.

A signal handler may also interrupt the event loop's own code, for example while it sorts its timers, or while a transport writes.
So only callbacks of the event loop set timers. A call writes at once only from a task; elsewhere it waits for a turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from logging import ERROR
from time import monotonic
from typing import Any, TypeVar

from redisipc.errors import LoopLagError
from redisipc.runtime.connection import Connection
from redisipc.runtime.driver import Driver
from redisipc.runtime.internal_log import say
from redisipc.runtime.reasons import described

from .transport import LoopTransport

JOBS_LIMIT = 0.005
"""Seconds for which plain handlers run in one turn of the event loop, before others have theirs."""
HEARTBEAT = 0.5
"""Seconds between two checks: did the event loop stand still, and did one of our callbacks get lost?

An exception of a signal handler may come between taking a callback out of the event loop and calling it: then it is
lost. So two timers check in turn, and each starts the other again if it is overdue.
"""
MOST_TRIES = 3
"""How many times a call is tried if an exception interrupts it each time."""
LAG = 2.0
"""Report an event loop that stood still for as many seconds. Claims are renewed every 3 s, and lost after 10 s."""

T = TypeVar("T")
Call = Callable[[float], None]


class Loop:
    """Timers, turns and jobs of one connected endpoint. Everything is called in the event loop's thread."""

    def __init__(self, home: asyncio.AbstractEventLoop, lagged: Callable[[LoopLagError], None]) -> None:
        self.home = home
        self.driver: Driver
        self.jobs: deque[Callable[[], None]] = deque()
        self.look_after: Callable[[], None] = lambda: None
        self.stopped: bool = False
        self._lagged = lagged
        self._calls: deque[Call] = deque()
        self._tried: Call | None = None
        self._tries = 0
        self._busy = False
        self._abandoned = False
        self._half_done = False
        self._scheduled_at: float | None = None
        self._due = False
        self._reading = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._rest: asyncio.TimerHandle | None = None
        self._beat_at = 0.0
        self._hearts: list[asyncio.TimerHandle] = []
        self._beats_at = [0.0, 0.0]

    def start(self) -> None:
        self._beat_at = monotonic()
        for which in (0, 1):
            self._beats_at[which] = self._beat_at + (1 + which) * HEARTBEAT
            self._hearts.append(self.home.call_at(self.home.time() + (1 + which) * HEARTBEAT, self._beat, which))

    def stop(self) -> None:
        """Set no more timers. Waiting jobs still run."""
        self.stopped = True
        for handle in (self._timer, self._rest, *self._hearts):
            if handle is not None:
                handle.cancel()

    def abandon(self) -> None:
        """In a forked child: code that still runs here must not touch the core, nor open a connection."""
        self.stop()
        self._abandoned = True

    def call(self, work: Call) -> None:
        """Do ``work`` with the core: now, or when the call that this one interrupted is done with the core.

        If it is alone, its commands are written at once, else at the end of this turn of the event loop.
        """
        if self._abandoned:
            return
        self._calls.append(work)
        if self._busy:
            # The call that holds the core makes this call, too.
            return
        now = monotonic()
        scheduled_at = self._scheduled_at
        if scheduled_at is not None and now - scheduled_at < HEARTBEAT:
            # A turn will come soon. With many requests in progress, most calls end here.
            return
        if asyncio.current_task(self.home) is None:
            self._soon()
            return
        self._visit(now, self._called)
        if self.jobs or self._calls:
            self._soon()
        elif self._scheduled_at is None:
            self._arm_soon(now)

    def received(self, transport: LoopTransport, data: Any) -> None:
        connection = transport.connection
        if connection.transport is transport:
            driver = self.driver
            if driver.endpoint.wiring.pace.until > 0 and connection is driver.reader and self._may_rest():
                self._received_alone(connection, data)
            else:
                # This comes first: wherever an exception comes after it, the bytes are handed in, or their connection ends.
                self._calls.append(partial(driver.received, connection, data))
                self._serve()

    def lost(self, transport: LoopTransport, reason: str) -> None:
        if transport.connection.transport is transport:
            self._calls.append(partial(self.driver.lost, transport.connection, reason))
            self._serve()

    def work(self) -> None:
        """Report what happened, run plain handlers and write: in a task now, elsewhere in a callback soon."""
        if self._busy:
            return
        if asyncio.current_task(self.home) is None:
            self._soon()
        else:
            self._work()
            self._arm_soon(monotonic())

    def _serve(self) -> None:
        """In a callback of the event loop."""
        if not self._busy:
            self._work()
            if not self._has_turn():
                # A turn that comes soon sets the timer.
                self._arm()

    def _work(self) -> None:
        start = now = monotonic()
        try:
            self._visit(now, self._pumped)
            # If a turn is scheduled, there is a backlog, and that turn works on it.
            while self.jobs and self._scheduled_at is None and not self._abandoned and now - start < JOBS_LIMIT:
                now = self._run_jobs(start)
                self._visit(now, self._pumped)
            if self.driver.held:
                # The next read is sent after the tasks have run whose answers just came.
                self._soon(inside=True)
        except Exception as error:
            # It is repaired at the next visit.
            say(ERROR, "internal error, connecting again: %s", described(error), error=error)
        if self.jobs or self._calls or self._half_done:
            self._soon(inside=True)

    # visits of the core

    def _visit(self, now: float, then: Call) -> None:
        """Do something with the core. If another call comes meanwhile, on the same thread, it is queued."""
        if self._abandoned:
            return
        mend = self._half_done
        try:
            self._busy = self._half_done = True
            if mend:
                self.driver.mend(now)
            then(now)
            self._half_done = False
        finally:
            self._busy = False

    def _called(self, now: float) -> None:
        self._do_calls(now)
        endpoint = self.driver.endpoint
        if endpoint.outstanding + endpoint.inflight > 1:
            self._soon()
        else:
            self.driver.pump(now)

    def _pumped(self, now: float) -> None:
        self._do_calls(now)
        if self._due:
            self._due = False
            self.driver.tick(now)
        reading, self._reading = self._reading, False
        self.driver.pump(now, reading)

    def _do_calls(self, now: float) -> None:
        calls = self._calls
        while calls:
            call = calls[0]
            # Taken out when it is done: one that an exception interrupted is made again, but not for ever.
            self._tries = self._tries + 1 if call is self._tried else 1
            self._tried = call
            if self._tries <= MOST_TRIES:
                call(now)
            calls.popleft()
        self._tried = None

    def _run_jobs(self, start: float) -> float:
        """Run plain handlers for a while, so that requests that were read together are answered together. Returns the time."""
        now = start
        try:
            self._busy = True
            for _ in range(len(self.jobs)):
                # Taken out when it has begun, which it does once.
                self.jobs[0]()
                self.jobs.popleft()
                now = monotonic()
                if now - start >= JOBS_LIMIT or self._abandoned:
                    break
        finally:
            self._busy = False
        return now

    # a group that reads others' entries only: no whole turn for each read

    def _may_rest(self) -> bool:
        """Whether nothing waits outside the core."""
        return not (self._calls or self.jobs or self._busy or self._half_done or self.stopped)

    def _received_alone(self, connection: Connection, data: Any) -> None:
        """Hand in what was read. If nothing else is due before the timer, only the time of the next read remains to be set."""
        now = monotonic()
        self._visit_alone(self.driver.received, connection, data, now)
        if self._timer is not None and self._timer_at > now and self._may_rest():
            until = self.driver.endpoint.rests(now, self._timer_at)
            if until > now:
                if self._rest is not None:
                    self._rest.cancel()
                # Where this timer gets lost, the other one comes soon: what was read is to be acknowledged.
                self._rest = self.home.call_later(until - now, self._read_on)
                return
        self._serve()

    def _read_on(self) -> None:
        self._rest = None
        if not (self._may_rest() and self._visit_alone(self.driver.read_on, monotonic()) and self._may_rest()):
            self._serve()

    def _visit_alone(self, then: Callable[..., T], *arguments: Any) -> T | None:
        """Visit the core with fewer calls than ``_visit``, if no call can be waiting and nothing needs repair."""
        try:
            # Wherever an exception comes from now on, the connection ends.
            self._busy = self._half_done = True
            done = then(*arguments)
            self._half_done = False
            return done
        except Exception as error:
            # It is repaired at the next visit.
            say(ERROR, "internal error, connecting again: %s", described(error), error=error)
            return None
        finally:
            self._busy = False

    # turns

    def _soon(self, inside: bool = False) -> None:
        """``inside``: the caller is a callback or a task of the event loop, so the event loop is awake."""
        if self._abandoned or self._has_turn():
            return
        self._scheduled_at = monotonic()
        if not inside and asyncio.current_task(self.home) is None and not self._busy:
            # It may be a signal handler, for which the event loop would not wake up.
            self.home.call_soon_threadsafe(self._turn)
        else:
            self.home.call_soon(self._turn)

    def _has_turn(self) -> bool:
        """Whether a turn will come soon. A turn that is long overdue has got lost."""
        return self._scheduled_at is not None and monotonic() - self._scheduled_at < HEARTBEAT

    def _turn(self) -> None:
        self._scheduled_at = None
        self._reading = True
        self._serve()

    # time

    def _arm_soon(self, now: float) -> None:
        """Request that a turn sets the timer, unless the heartbeat comes early enough to do it."""
        due = self.driver.deadline()
        if due is None or self.stopped or due > now + HEARTBEAT:
            return
        if self._timer is None or self._timer_at > due:
            self._soon()

    def _arm(self) -> None:
        """Set the timer. Only in a callback of the event loop."""
        if self.stopped:
            return
        due = self.driver.deadline()
        if due is None:
            return
        now = monotonic()
        if self._timer is not None:
            if self._timer_at <= due and now < self._timer_at + HEARTBEAT:
                return
            # Too late, or lost: an exception came between taking it out of the event loop and calling it.
            self._timer.cancel()
        self._timer_at = max(now, due)
        self._timer = self.home.call_later(self._timer_at - now, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._due = True
        self._serve()

    def _beat(self, which: int) -> None:
        if self.stopped:
            return
        # The next one first: nothing that comes below can stop the heart.
        self._hearts[which] = self.home.call_later(2 * HEARTBEAT, self._beat, which)
        now = monotonic()
        self._beats_at[which] = now + 2 * HEARTBEAT
        gap, self._beat_at = now - self._beat_at, now
        if self._beats_at[1 - which] < now - HEARTBEAT:
            self._beats_at[1 - which] = now + HEARTBEAT
            self._hearts[1 - which].cancel()
            self._hearts[1 - which] = self.home.call_later(HEARTBEAT, self._beat, 1 - which)
        if gap > LAG:
            self._lagged(
                LoopLagError(
                    f"the event loop stood still for about {gap:.1f} s; nothing was kept alive or answered meanwhile. "
                    "Move blocking code out of it, with asyncio.to_thread for example"
                )
            )
        self.look_after()
        if self._half_done or self._calls or self.jobs:
            self._soon()
        self._arm()
