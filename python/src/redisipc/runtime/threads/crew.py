"""The threads of a loop: started when they are missed, parked when there is nothing to do, ended when they are many."""

from __future__ import annotations

import logging
import threading
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .loop import Loop

NAP = 0.002
"""Seconds for which the lead may lie free."""
IDLE_LIFE = 10.0
"""Seconds after which a worker without work ends, but for the last two."""

logger = logging.getLogger("redisipc")


class Worker:
    """A thread of the crew. ``restless``: whether it may nap instead of sleeping until it is woken."""

    __slots__ = ("restless", "signal", "thread")

    def __init__(self) -> None:
        self.signal = threading.Lock()
        self.signal.acquire()
        self.restless = True
        self.thread: threading.Thread


class Crew:
    """Workers that run jobs and lead. Everything but ``join`` is called with the loop's lock held."""

    def __init__(self, loop: Loop, name: str) -> None:
        self.napping = False
        self._loop = loop
        self._name = name
        self._idle: list[Worker] = []
        self._workers: set[Worker] = set()

    def wake(self) -> None:
        """One more worker looks what there is to do."""
        if self._loop.stopped:
            return
        if self._idle:
            # The one that slept last: what it needs is still in the caches.
            self._idle.pop().signal.release()
            return
        worker = Worker()
        worker.thread = threading.Thread(target=self._work, args=(worker,), name=self._name, daemon=True)
        self._workers.add(worker)
        try:
            worker.thread.start()
        except RuntimeError as error:  # the interpreter is shutting down, or the system has no more threads
            self._workers.discard(worker)
            logger.error("no thread could be started: %s", error)

    def wake_all(self) -> None:
        """Everybody looks that the loop was stopped."""
        for worker in self._idle:
            worker.signal.release()
        self._idle.clear()

    def join(self, timeout: float) -> None:
        """Wait for workers to end, but not for the one that calls this."""
        until = monotonic() + timeout
        for worker in list(self._workers):
            if worker.thread is not threading.current_thread():
                worker.thread.join(max(0.0, until - monotonic()))

    def _work(self, me: Worker) -> None:
        loop = self._loop
        loop.lock.acquire()
        try:
            while loop.jobs or not loop.stopped:
                if not loop.step() and not self._park(me):
                    break
        finally:
            self._workers.discard(me)
            last = loop.stopped and not self._workers
            loop.unlock()
            if last:
                loop.poller.close()

    def _park(self, me: Worker) -> bool:
        """Sleep until woken, or nap. Returns whether to go on living."""
        loop = self._loop
        nap = me.restless and not self.napping and loop.unsettled
        seen = loop.turns
        self.napping = self.napping or nap
        self._idle.append(me)
        loop.unlock()
        woken = me.signal.acquire(timeout=NAP if nap else IDLE_LIFE)
        loop.lock.acquire()
        if nap:
            self.napping = False
        if not woken:
            if me in self._idle:
                self._idle.remove(me)
            else:
                # Woken in the last moment.
                me.signal.acquire()
                woken = True
        me.restless = True
        if nap and loop.turns == seen:
            # Nothing moved: whoever has the lead, or may take it, is busy for longer.
            me.restless = not loop.settle()
            return True
        return woken or nap or len(self._workers) <= 2
