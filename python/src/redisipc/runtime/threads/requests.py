"""Who waits for a request that was sent: a thread that blocks, or a future."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from redisipc.protocol.events import Outcome, Outgoing


class Ticket:
    """A thread that waits until something is done. ``done`` is set under the loop's lock."""

    __slots__ = ("done", "outcome", "signal")

    def __init__(self) -> None:
        self.done = False
        self.outcome: Outcome | None = None
        self.signal = threading.Lock()
        self.signal.acquire()


class RequestFuture(Future[Any]):
    """A ``concurrent.futures.Future`` whose ``cancel()`` gives the request up: it is deleted, and its handler learns
    it.
    """

    def __init__(self, cancel: Callable[[Outgoing], None]) -> None:
        super().__init__()
        self._give_up = cancel
        self._outgoing: Outgoing | None = None

    def cancel(self) -> bool:
        if not super().cancel():
            return False
        if self._outgoing is not None:
            self._give_up(self._outgoing)
        return True

    @property
    def request_id(self) -> str:
        """The id of the request, as its handler sees it."""
        return self._outgoing.id.decode() if self._outgoing is not None else ""
