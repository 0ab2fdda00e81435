"""The part of one endpoint that lives in the event loop: everything happens in callbacks, there is no task of ours.

What comes is handed in by the transports' callbacks, answered futures are resolved there, and handlers that are plain
functions run there. Whatever a turn of the event loop wants to send leaves together at its end; a request that is alone
leaves at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from time import monotonic

from redisipc.errors import LoopLagError
from redisipc.runtime.driver import Driver

from .connection import TransportWire

JOBS_LIMIT = 0.005
"""Seconds for which plain handlers run in one turn of the event loop, before others have theirs."""
HEARTBEAT = 0.5
"""Seconds between two looks whether the event loop stood still."""
LAG = 2.0
"""Seconds of standing still that are reported: claims are renewed every 3, and lost after 10."""

logger = logging.getLogger("redisipc")


class Loop:
    """Timers, turns and jobs of one connected endpoint. Everything is called in the event loop."""

    def __init__(self, home: asyncio.AbstractEventLoop, lagged: Callable[[LoopLagError], None]) -> None:
        self.home = home
        self.driver: Driver
        self.jobs: deque[Callable[[], None]] = deque()
        self._lagged = lagged
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._scheduled = False
        self._working = False
        self._due = False
        self._stopped = False
        self._beat_at = 0.0
        self._heart: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._beat_at = monotonic()
        self._heart = self.home.call_later(HEARTBEAT, self._beat)
        self.work()

    def stop(self) -> None:
        """No more timers; jobs that wait still run."""
        self._stopped = True
        for handle in (self._timer, self._heart):
            if handle is not None:
                handle.cancel()

    def touch(self) -> None:
        """After a call into the core: write what may be written, now where it is alone, else when this turn ends."""
        if self._working or self._scheduled:
            return
        core = self.driver.core
        if core.outstanding + core.inflight > 1:
            self._soon()
            return
        self.driver.pump(monotonic())
        if self.jobs:
            self._soon()
        else:
            self._arm()

    def received(self, wire: TransportWire, data: bytes) -> None:
        if wire.lane.wire is wire:
            self.driver.received(wire.lane, data, monotonic())
            self.work()

    def lost(self, wire: TransportWire, reason: str) -> None:
        if wire.lane.wire is wire:
            self.driver.lost(wire.lane, reason, monotonic())
            self.work()

    def work(self) -> None:
        """Hand on what happened, run plain handlers, write what may be written, set the timer."""
        if self._working:
            return
        self._working = True
        try:
            start = now = monotonic()
            if self._due:
                self._due = False
                self.driver.tick(now)
            self.driver.pump(now)
            # With a turn scheduled there is a backlog, and that turn is for it.
            while self.jobs and not self._scheduled and now - start < JOBS_LIMIT:
                # What was read together is answered together.
                for _ in range(len(self.jobs)):
                    self.jobs.popleft()()
                    now = monotonic()
                    if now - start >= JOBS_LIMIT:
                        break
                self.driver.pump(now)
        except Exception as error:
            self.driver.defect(error, monotonic())
        finally:
            self._working = False
        if self.jobs:
            self._soon()
        self._arm()

    def _soon(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self.home.call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        self.work()

    # time

    def _arm(self) -> None:
        if self._stopped:
            return
        due = self.driver.deadline()
        if due is None:
            return
        if self._timer is not None:
            if self._timer_at <= due:
                return
            self._timer.cancel()
        self._timer_at = due
        self._timer = self.home.call_later(max(0.0, due - monotonic()), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._due = True
        self.work()

    def _beat(self) -> None:
        now = monotonic()
        gap, self._beat_at = now - self._beat_at, now
        self._heart = self.home.call_later(HEARTBEAT, self._beat)
        if gap > LAG:
            self._lagged(
                LoopLagError(
                    f"the event loop stood still for about {gap:.1f} s; nothing was kept alive or answered meanwhile. "
                    "Move blocking code out of it, with asyncio.to_thread for example"
                )
            )
