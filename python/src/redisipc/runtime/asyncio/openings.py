"""Connections that are being opened, each in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from time import monotonic
from typing import Any

from redisipc.runtime.connection import Connection

from . import lost_steps

LAST_HANDSHAKE = 0.2
"""Seconds for which leaving waits for connections that are being opened: cancelled, they would be left open."""
INTERRUPTED = "an exception of a signal handler interrupted its opening"


class Openings:
    """An exception of a signal handler may end a task without a word, or lose its next step. ``failed`` is then called."""

    def __init__(self, home: asyncio.AbstractEventLoop, failed: Callable[[Connection, int, str], None]) -> None:
        self._home = home
        self._failed = failed
        self._under_way: dict[asyncio.Task[None], tuple[Connection, int, float, float]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def begin(self, connection: Connection, attempt: int, work: Coroutine[Any, Any, None]) -> None:
        """Open a connection by ``work``."""
        task = self._home.create_task(work)
        self._under_way[task] = connection, attempt, monotonic(), connection.opening_limit
        task.add_done_callback(self._over)

    def look_after(self, connections: Iterable[Connection]) -> None:
        """Between turns of the event loop: give up openings that take too long or got lost, so that they are tried again."""
        alive: set[tuple[Connection, int]] = set()
        for task, (connection, attempt, since, limit) in list(self._under_way.items()):
            if monotonic() - since > limit:
                self._give_up(task, f"no connection within {limit:g} s")
            elif not task.done():
                alive.add((connection, attempt))
                lost_steps.look(task, partial(self._give_up, task, INTERRUPTED))
        for connection in connections:
            if connection.opening and (connection, connection.attempt) not in alive:
                # The task ended, and the core does not know the result. A result that is on its way to the core comes before
                # this.
                self._failed(connection, connection.attempt, INTERRUPTED)

    def cancel(self) -> None:
        """Cancel the openings that are under way."""
        for task in self._under_way:
            task.cancel()

    async def end(self) -> None:
        """At the end: connections that are being opened are closed as well."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=LAST_HANDSHAKE)
        self.cancel()
        self.look_after(())

    def _over(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)

    def _give_up(self, task: asyncio.Task[None], reason: str) -> None:
        opening = self._under_way.pop(task, None)
        if opening is not None:
            task.cancel()
            self._failed(opening[0], opening[1], reason)
