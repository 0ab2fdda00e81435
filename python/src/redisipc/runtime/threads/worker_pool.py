"""Threads that run the user's code.

No lock is taken here: jobs and idle workers lie in deques, whose operations are atomic. A finalizer that Python runs on
one of these threads may therefore call the endpoint at any moment.
"""

from __future__ import annotations

import threading
from _thread import LockType, allocate_lock
from collections import deque
from logging import ERROR
from time import monotonic
from typing import Protocol

from redisipc.runtime.internal_log import say
from redisipc.runtime.reasons import described

from .loop import Loop
from .starter import Starter, new_thread

QUICK_JOB = 0.0003
"""A job that takes fewer seconds on average counts as quick. Waking another thread may cost as much."""
WORKER_GRACE = 0.002
"""Seconds for which jobs wait for a worker that should be quick, before another one is woken."""
HELD = 0.05
"""If a woken worker has taken no job after so many seconds, another one is woken."""
IDLE_LIFE = 10.0
"""Seconds after which a worker without work ends."""
RETRY = 0.5
"""Seconds before a thread that could not be started is tried again."""


class Job(Protocol):
    """Code of the user to run. ``run`` on a worker, then ``finish`` on the I/O thread. Neither raises."""

    def run(self) -> None: ...

    def finish(self, now: float) -> None: ...


class Worker:
    """A thread of a pool."""

    __slots__ = ("busy", "signal", "thread")

    def __init__(self) -> None:
        self.signal: LockType = allocate_lock()
        self.signal.acquire()
        self.busy: bool = False
        self.thread: threading.Thread


class WorkerPool:
    """At most ``limit`` workers with one queue. ``add`` and ``look`` are called by the I/O thread alone.

    ``reserve`` runs jobs while no thread can be started. ``here``: jobs that are quick may run on the I/O thread.
    """

    def __init__(
        self, loop: Loop, starter: Starter, reserve: Starter, name: str, limit: int, here: bool = False
    ) -> None:
        self.jobs: deque[Job] = deque()
        self.look_at: float = float("inf")
        self._loop = loop
        self._starter = starter
        self._reserve = reserve
        self._name = name
        self._limit = limit
        self._here = here
        self._idle: deque[Worker] = deque()
        self._workers: dict[Worker, None] = {}
        self._mean_seconds = 2 * QUICK_JOB
        self._taken = 0
        self._seen = 0

    def add(self, job: Job, now: float) -> None:
        """Run a job soon."""
        self.jobs.append(job)
        if self._runs_here or (self._mean_seconds < QUICK_JOB and len(self._workers) > len(self._idle)):
            # A busy worker or the I/O thread takes it, probably sooner than another worker would wake up.
            if self.look_at == float("inf"):
                self._seen = self._taken
                self.look_at = now + WORKER_GRACE
        else:
            self._wake(now)
            if self.look_at == float("inf"):
                # A finalizer may delay the woken worker: Python may run one on any thread.
                self._seen = self._taken
                self.look_at = now + HELD

    def look(self, now: float) -> None:
        """Make sure that jobs are taken: wake one more worker if none was taken since the last call."""
        if now < self.look_at:
            return
        self.look_at = float("inf")
        if self.jobs:
            if self._taken == self._seen or (len(self._workers) == len(self._idle) and not self._runs_here):
                self._wake(now)
            self._seen = self._taken
            self.look_at = min(self.look_at, now + WORKER_GRACE)
            if len(self._workers) >= self._limit and not self._idle:
                # All allowed workers are busy. The one that ends its job first takes the next.
                self.look_at = float("inf")

    @property
    def _runs_here(self) -> bool:
        return self._here and self._mean_seconds < QUICK_JOB and self._loop.lead.watched

    @property
    def quick(self) -> bool:
        """Whether there are jobs that the I/O thread may run."""
        return bool(self.jobs) and self._mean_seconds < QUICK_JOB

    def run_here(self, until: float) -> None:
        """Run jobs on the calling thread. Begin none after ``until``."""
        while self._mean_seconds < QUICK_JOB:
            try:
                job = self.jobs.popleft()
            except IndexError:
                return
            self._do(job)
            del job
            if self._loop.forked or monotonic() >= until:
                return

    def rest(self) -> None:
        """On the I/O thread again: jobs that are done need no worker."""
        if not self.jobs:
            self.look_at = float("inf")

    def stop(self) -> None:
        """All workers end once there are no more jobs."""
        while self._idle:
            try:
                self._idle.pop().signal.release()
            except IndexError:
                break

    def has(self, thread: threading.Thread) -> bool:
        """Whether a thread is one of the workers."""
        return any(worker.thread is thread for worker in list(self._workers))

    def idle_threads(self) -> list[threading.Thread]:
        """Threads without a job, which end soon after ``stop``."""
        return [worker.thread for worker in list(self._workers) if not worker.busy]

    # on the I/O thread

    def _wake(self, now: float) -> None:
        try:
            # The worker that slept last: its data is still in the processor's caches.
            self._idle.pop().signal.release()
            return
        except IndexError:
            pass
        if len(self._workers) < self._limit:
            worker = Worker()
            worker.thread = new_thread(self._work, (worker,), self._name)
            self._workers[worker] = None
            self._starter.put(lambda: self._start(worker))

    def _not_started(self, worker: Worker, now: float) -> None:
        self._workers.pop(worker, None)
        if not self.jobs:
            return
        self.look_at = min(self.look_at, now + RETRY)
        if not self._workers:
            # A late start is better than none: the reserve runs one job at a time. Not on the starter: where no thread
            # can be started, it connects.
            self._reserve.put(self._run_in_reserve)

    def _ended(self, worker: Worker, now: float) -> None:
        self._workers.pop(worker, None)
        if self.jobs:
            # A job came while the worker decided to end.
            self._wake(now)

    # on the starter

    def _start(self, worker: Worker) -> None:
        try:
            worker.thread.start()
        except RuntimeError as error:  # the system has no more threads, or the interpreter is shutting down
            self._loop.call(lambda now: self._not_started(worker, now))
            if "shutdown" not in str(error):
                say(ERROR, "no thread could be started for %d jobs, trying again: %s", len(self.jobs), error)

    # on the reserve

    def _run_in_reserve(self) -> None:
        try:
            job = self.jobs.popleft()
        except IndexError:
            return
        _run(job)
        self._loop.call(job.finish)
        self._loop.call(lambda now: self._not_started(Worker(), now))

    # on a worker

    def _work(self, me: Worker) -> None:
        loop = self._loop
        while True:
            try:
                job = self.jobs.popleft()
            except IndexError:
                if self._park(me):
                    continue
                break
            me.busy = True
            self._do(job)
            me.busy = False
            if loop.forked:
                return
            # The job holds objects of the user: do not keep them while this worker is idle.
            del job
        loop.call(lambda now: self._ended(me, now))

    def _do(self, job: Job) -> None:
        self._taken += 1
        start = monotonic()
        _run(job)
        self._mean_seconds += (min(monotonic() - start, 0.1) - self._mean_seconds) * 0.1
        if not self._loop.forked:
            self._loop.call(job.finish)

    def _park(self, me: Worker) -> bool:
        """Sleep until woken. Returns whether the worker continues."""
        self._idle.append(me)
        # First into the list, then the check: whoever adds a job in between finds this worker there.
        if self.jobs or self._loop.stopped:
            return self._out(me) or bool(self.jobs)
        return me.signal.acquire(timeout=IDLE_LIFE) or self._out(me)

    def _out(self, me: Worker) -> bool:
        """Leave the list of idle workers. Returns whether another thread woke this one meanwhile."""
        try:
            self._idle.remove(me)
        except ValueError:
            return me.signal.acquire()
        return False


def _run(job: Job) -> None:
    """No job raises. If one did, its worker would be lost for good, and the request would seem to run for ever."""
    try:
        job.run()
    except BaseException as error:
        say(ERROR, "internal error in a job: %s", described(error), error=error)
