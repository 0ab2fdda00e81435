"""The threads of one endpoint: one of them leads, which means that it reads; any other may send.

The lock guards the core and the driver; whatever a method's text says "locked" about is called with it held. Nothing
that waits, and no code of the user, runs while it is held. ``unlock`` is the one way to release it after something was
changed: it sends what was written meanwhile, then wakes whoever was answered.

Leading goes to whoever is best placed. A caller that waits for its answer leads itself, so that no second thread has to
be woken for it; when it leaves, the lead lies free for a moment, since its next call will most likely take it again. A
worker that read a request runs it itself: a quick handler (by experience) at once, and nobody reads meanwhile; else
another worker is woken first to lead. One worker naps while the lead lies free like that, and takes it when nothing
moved for a whole nap: a handler that is quick as a rule and slow today delays others by that much, once.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from time import monotonic
from typing import Protocol

from redisipc.runtime.driver import Driver

from .connection import Poller, SocketWire
from .crew import Crew
from .requests import Ticket

QUICK = 0.0003
"""Seconds that a handler takes on average to count as quick: what waking another thread may cost."""
HELD_ANSWERS = 8
"""Answers of quick handlers that are written together at most."""
SOON = 0.001
"""Seconds within which a caller that calls again is expected to go on doing so."""
LONGEST_WAIT = 60.0

logger = logging.getLogger("redisipc")


class Job(Protocol):
    """Code of the user to run. ``run`` without the lock, then ``finish`` with it. Neither raises."""

    def run(self) -> None: ...

    def finish(self, now: float) -> None: ...


class Loop:
    """Leads, follows, naps and runs jobs, for one connected endpoint."""

    def __init__(self, name: str) -> None:
        self.lock = threading.Lock()
        self.poller = Poller()
        self.dirty: list[SocketWire] = []
        self.driver: Driver
        self.jobs: deque[Job] = deque()
        self.crew = Crew(self, f"{name}-worker")
        self.turns = 0
        self.stopped = False
        self._leading = False
        self._caller_leads = False
        self._reserved: object | None = None
        self._courtesy = False
        self._delivered_at = 0.0
        self._planned = 0.0
        self._followers: dict[Ticket, None] = {}
        self._signals: list[threading.Lock] = []
        self._pace = 2 * QUICK
        self._held = 0
        self._mine = threading.local()

    # for everybody

    def unlock(self) -> None:
        """Release the lock, send what was written, wake who was answered."""
        # Taken out, since others go on filling the lists as soon as the lock is free.
        dirty, signals = [], []
        if self.dirty:
            dirty = self.dirty[:]
            self.dirty.clear()
        if self._signals:
            signals, self._signals = self._signals, signals
        self.lock.release()
        look = False
        for wire in dirty:
            look = wire.flush() or look
        for signal in signals:
            signal.release()
        if look:
            self.poller.poke()

    def touch(self) -> None:
        """Locked. After a call into the core: write what may be written, see that somebody leads."""
        self.driver.pump(monotonic())
        if self._leading:
            self._poke_if_earlier()
            if self.jobs:
                self.crew.wake()
        elif self.jobs or self._reserved is None:
            self.crew.wake()

    def _poke_if_earlier(self) -> None:
        due = self.driver.deadline()
        if due is not None and due < self._planned:
            self._planned = due
            self.poller.poke()

    def finish(self, ticket: Ticket) -> None:
        """Locked. What the ticket waits for is there."""
        ticket.done = True
        if ticket in self._followers:
            del self._followers[ticket]
            self._signals.append(ticket.signal)
            self._delivered_at = monotonic()

    def add(self, job: Job) -> None:
        """Locked. Have a job run by a worker soon."""
        self.jobs.append(job)

    def wait(self, ticket: Ticket) -> None:
        """Locked, and released when it returns or raises.

        Wait until the ticket is done, leading meanwhile if nobody does.
        """
        if not ticket.done:
            if self._leading:
                self._follow(ticket)
                return
            try:
                self._lead_for(ticket)
            except BaseException:
                self.unlock()
                raise
        if self._courtesy and self.crew.napping and not self.jobs and not self._signals:
            # The next read leaves with the next call, which is due at once, or when the nap ends.
            self.lock.release()
        else:
            self.unlock()

    def wait_until(self, ticket: Ticket, timeout: float) -> bool:
        """Locked, and released when it returns. Wait for a ticket that workers will finish; whether it is done."""
        if ticket.done:
            self.unlock()
            return True
        return self._follow(ticket, timeout)

    def _follow(self, ticket: Ticket, timeout: float = -1) -> bool:
        self._followers[ticket] = None
        self._poke_if_earlier()
        self.unlock()
        done = ticket.signal.acquire(timeout=timeout)
        if done:
            # Others may wait for the same, as for the end of the endpoint.
            ticket.signal.release()
        return done

    def calling(self, now: float) -> None:
        """Locked. A thread is about to wait for an answer."""
        self._courtesy = now - self._delivered_at < SOON

    # callers

    def _lead_for(self, ticket: Ticket) -> None:
        self._leading = self._caller_leads = True
        try:
            while not ticket.done:
                self._turn()
                if self.jobs:
                    self.crew.wake()
        finally:
            self._leading = self._caller_leads = False
            self.turns += 1
            self._delivered_at = monotonic()
            if self._followers or self.jobs or not self._courtesy:
                self._reserved = None
                self.crew.wake()
            else:
                self._reserved = self
                if not self.crew.napping:
                    self.crew.wake()

    # leading

    def _turn(self) -> None:
        """Locked, and again when it returns. Wait for what comes, hand it in, do what is due."""
        driver = self.driver
        now = monotonic()
        due = driver.deadline()
        if due is None or due > now + LONGEST_WAIT:
            due = now + LONGEST_WAIT
        self._planned = due
        self.unlock()
        arrived: list[tuple[SocketWire, bytes | None]] = []
        try:
            for wire, readable, writable in self.poller.wait(max(0.0, due - now)):
                if writable:
                    wire.writable()
                if readable:
                    arrived.append((wire, wire.receive()))
        finally:
            self._lock_surely()
        try:
            self._hand_in(arrived, monotonic())
        except Exception as error:
            driver.defect(error, monotonic())

    def _hand_in(self, arrived: list[tuple[SocketWire, bytes | None]], now: float) -> None:
        driver = self.driver
        for wire, data in arrived:
            if wire.lane.wire is not wire:
                continue
            if data:
                driver.received(wire.lane, data, now)
            elif data is not None:
                driver.lost(wire.lane, wire.broken, now)
        if not arrived:
            for lane in driver.lanes:
                if isinstance(lane.wire, SocketWire) and lane.wire.broken:
                    driver.lost(lane, lane.wire.broken, now)
        if now >= self._planned:
            driver.tick(now)
        driver.pump(now)

    def _lock_surely(self) -> None:
        """Take the lock; a KeyboardInterrupt that comes meanwhile is raised afterwards, with the lock held."""
        interrupted: BaseException | None = None
        while True:
            try:
                self.lock.acquire()
                break
            except BaseException as error:
                interrupted = error
        if interrupted is not None:
            raise interrupted

    # workers

    def start(self) -> None:
        """Locked. From now on somebody leads."""
        self.crew.wake()

    def stop(self) -> None:
        """Locked. All workers end, once there are no more jobs."""
        if self.jobs:
            self.crew.wake()
        self.stopped = True
        self.poller.poke()
        self.crew.wake_all()

    @property
    def in_job(self) -> bool:
        """Whether the calling thread runs a job of this loop."""
        return getattr(self._mine, "job", False)

    @property
    def unsettled(self) -> bool:
        """Whether the lead lies free, or is with a caller who will soon leave it: somebody must nap."""
        return self._reserved is not None or self._caller_leads

    def settle(self) -> bool:
        """Locked. Nothing moved for a nap: the lead is free for whoever wants it. Returns whether somebody has it."""
        self._reserved = None
        return self._leading

    def step(self) -> bool:
        """Locked. Run a job, or lead for a turn; whether there was anything to do."""
        if self.jobs and (self._reserved is None or self._reserved is self):
            self._run_job()
        elif not self._leading and self._reserved is None and not self.stopped:
            self._lead()
        else:
            return False
        return True

    def _lead(self) -> None:
        self._leading = True
        before = self._delivered_at
        try:
            if self._held:
                self._held = 0
                self.driver.pump(monotonic())
            self._turn()
        finally:
            self._leading = False
        if self._courtesy and self._delivered_at != before and not self._followers and not self.jobs:
            self._reserved = self

    def _run_job(self) -> None:
        job = self.jobs.popleft()
        quick = self._pace < QUICK
        reserved: object | None = None
        if quick and not self._leading:
            # Nobody reads while it runs; the one who naps looks whether it takes longer than it should.
            reserved = self._reserved = object()
            if not self.crew.napping:
                self.crew.wake()
            self.lock.release()
        else:
            if not self._leading or self.jobs:
                self.crew.wake()
            self.unlock()
        self._mine.job = True
        start = monotonic()
        try:
            job.run()
        finally:
            now = monotonic()
            self._mine.job = False
            self.lock.acquire()
        self.turns += 1
        if reserved is not None and self._reserved is reserved:
            self._reserved = None
        job.finish(now)
        self._pace += (min(now - start, 0.1) - self._pace) * 0.1
        if quick and self.jobs and self._held < HELD_ANSWERS:
            self._held += 1
        else:
            self._held = 0
            self.driver.pump(now)
