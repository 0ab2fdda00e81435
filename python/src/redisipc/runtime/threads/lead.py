"""Decides which of two threads leads. Only the leader touches the core, the driver and the sockets of an endpoint.

This is the leader/followers pattern with one follower. The leader may run a quick handler itself. This saves two
switches between threads. Before that it steps aside. The follower waits meanwhile. If the leader does not come back
within one or two grace waits, the follower takes the lead. Both threads belong to the endpoint, so no signal handler
runs on them.
"""

from __future__ import annotations

import threading
from _thread import allocate_lock

GRACE_WAIT = 0.002
"""Grace wait in seconds: a leader that runs a handler for longer is replaced, after two of them at the latest."""
_GRACE_WAITS = 25
"""After so many grace waits in a row, in which no leader stepped aside, the follower sleeps until it is woken."""


class Lead:
    """At first, the first thread leads. ``watched``: a follower waits for it; ``at_work``: who runs handlers."""

    def __init__(self, first: threading.Thread) -> None:
        self.leader: threading.Thread | None = first
        self.at_work: threading.Thread | None = None
        self.watched: bool = False
        self._held = allocate_lock()
        self._held.acquire()
        self._follower = allocate_lock()
        self._follower.acquire()
        self._asleep = False
        self._aside = False
        self._over = False
        self._times = 0

    # the leader

    def step_aside(self) -> None:
        """From now on the follower may take the lead."""
        self._times += 1
        self.at_work, self.leader = self.leader, None
        self._aside = True
        self._held.release()
        # Set the mark first, then check: the follower checks again after it has said that it sleeps.
        if self._asleep:
            self._wake()

    def come_back(self, me: threading.Thread) -> bool:
        """Its handlers have ended: lead again, unless the follower does. Returns whether it leads."""
        self.at_work = None
        if not self._held.acquire(blocking=False):
            return False
        self._aside = False
        self.leader = me
        return True

    def end(self) -> None:
        """The follower waits no longer."""
        self._over = True
        self._wake()

    def _wake(self) -> None:
        self._asleep = False
        try:
            self._follower.release()
        except RuntimeError:  # it is up
            pass

    # the follower

    def wait(self, me: threading.Thread) -> bool:
        """Wait for a moment, or sleep while nothing happens. Returns whether it leads now; call it again where it does not."""
        self.watched = True
        for _ in range(_GRACE_WAITS):
            times = self._times
            was_aside = self._aside
            self._follower.acquire(timeout=GRACE_WAIT)
            if was_aside and self._aside and times == self._times and self._held.acquire(blocking=False):
                self._aside = self.watched = False
                self.leader = me
                return True
            if times != self._times or self._over:
                return False
        self._asleep = True
        if not self._aside and not self._over:
            self._follower.acquire()
        self._asleep = False
        return False
