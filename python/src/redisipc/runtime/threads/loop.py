"""The I/O thread of one endpoint: it alone touches the core, the driver and the sockets.

Everybody else hands it calls and waits for nothing that it holds: there is no lock around the core. So a call may come
from a signal handler that interrupted another call, from a finalizer, or after an exception at any point. No code of the
user runs on this thread, but for finalizers, which Python runs where it likes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from redisipc.errors import ConfigurationError
from redisipc.runtime.driver import Driver

from .connection import SocketWire
from .poller import Poller

LONGEST_SLEEP = 1.0
"""Seconds after which it looks by itself: an exception may have come between a call and the poke that belongs to it."""

Call = Callable[[float], None]


class Waits(Protocol):
    """Something else that is due at a time: a crew."""

    look_at: float

    def look(self, now: float) -> None: ...


class Loop:
    """Waits for bytes, calls and times, and does what they ask for."""

    def __init__(self, name: str) -> None:
        try:
            self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        except RuntimeError as error:
            # A sub-interpreter would wait for other threads before it lets the endpoint leave.
            raise ConfigurationError(
                f"{error}; connect in the main interpreter, and hand the work of this one to it"
            ) from error
        self.driver: Driver
        self.poller = Poller()
        self.crews: Sequence[Waits] = ()
        self.stopped = False
        self.forked = False
        self._calls: deque[Call] = deque()
        self._asleep = False

    def call(self, work: Call) -> None:
        """Have ``work`` done on the I/O thread. Never waits; may be called at any moment, from everywhere."""
        self._calls.append(work)
        # First the call, then the look: the thread looks for calls after it said that it sleeps.
        if self._asleep:
            self._asleep = False
            self.poller.poke()

    def stop(self) -> None:
        """The thread ends once it has done what it was called for."""
        self.stopped = True

    # the thread

    def _run(self) -> None:
        while not self.stopped:
            try:
                self._turn()
            except BaseException as error:
                self._failed(error)
        while self._calls:
            # Told too late: whoever waits is not left waiting.
            try:
                self._calls.popleft()(monotonic())
            except Exception:
                pass
        self.poller.close()

    def _failed(self, error: BaseException) -> None:
        try:
            self.driver.defect(error, monotonic())
        except Exception:
            # Again in the next turn; what is due is put off by the driver.
            pass

    def _turn(self) -> None:
        """Wait for what comes, hand it in, do what is due, write what may be written."""
        driver, calls = self.driver, self._calls
        self._asleep = True
        if calls:
            self._asleep = False
            timeout = 0.0
        else:
            timeout = self._left()
        ready = self.poller.wait(timeout)
        self._asleep = False
        now = monotonic()
        for wire, readable, writable in ready:
            self._serve(wire, readable, writable, now)
        while calls:
            calls.popleft()(now)
        due = driver.deadline()
        if due is not None and due <= now:
            driver.tick(now)
        driver.pump(now)
        for crew in self.crews:
            if crew.look_at <= now:
                crew.look(now)

    def _left(self) -> float:
        """Seconds until something is due."""
        now = monotonic()
        due = now + LONGEST_SLEEP
        deadline = self.driver.deadline()
        if deadline is not None and deadline < due:
            due = deadline
        for crew in self.crews:
            if crew.look_at < due:
                due = crew.look_at
        return max(0.0, due - now)

    def _serve(self, wire: SocketWire, readable: bool, writable: bool, now: float) -> None:
        if wire.lane.wire is not wire:
            return
        if writable:
            wire.writable()
        data = wire.receive() if readable and not wire.broken else None
        if data:
            self.driver.received(wire.lane, data, now)
        elif wire.broken:
            self.driver.lost(wire.lane, wire.broken, now)
