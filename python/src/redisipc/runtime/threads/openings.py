"""Connections that are being opened. Each has a thread of its own, and one time limit for all its steps.

redis-py blocks, and has limits for single steps only. A name server, a provider of credentials, or a server that sends
one byte now and then may take longer than anybody waits. Then the thread is abandoned. It ends when that step ends.
"""

from __future__ import annotations

import socket
from _thread import allocate_lock
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from time import monotonic
from typing import Any

from redisipc.runtime.connection import Connection

from .connector import Connector, Opening
from .requests import LONGEST_WAIT
from .starter import new_thread, start

MOST_HANGING = 16
"""Openings that were given up and still hang. With so many of them, no further opening begins."""
SHUT_AGAIN = 1.0
"""Seconds between two checks of what hangs: it may have begun with its next connection."""
TOO_MANY = f"{MOST_HANGING} earlier attempts to connect still hang in a name server or a provider of credentials"


class Openings:
    """The openings of one endpoint. The I/O thread makes all calls. ``failed`` is called for what takes too long."""

    def __init__(self, failed: Callable[[Connection, int, str], None]) -> None:
        self.look_at: float = float("inf")
        self._failed = failed
        self._under_way: dict[Opening, tuple[Connection, int, float, float]] = {}
        self._hanging: dict[Opening, None] = {}

    def begin(self, connection: Connection, attempt: int) -> Opening | None:
        """A connection is to be opened. None if too many hang: then the opening has failed."""
        if len(self._hanging) >= MOST_HANGING:
            self._failed(connection, attempt, TOO_MANY)
            return None
        opening, limit = Opening(), connection.opening_limit
        until = monotonic() + limit
        self._under_way[opening] = connection, attempt, until, limit
        self.look_at = min(self.look_at, until)
        return opening

    def over(self, opening: Opening) -> None:
        """Its thread ends."""
        self._under_way.pop(opening, None)
        self._hanging.pop(opening, None)

    def look(self, now: float) -> None:
        """Give up openings that take too long, so that they are tried again."""
        if now < self.look_at:
            return
        for opening in self._hanging:
            opening.give_up()
        for opening, (connection, attempt, until, limit) in list(self._under_way.items()):
            if until <= now:
                del self._under_way[opening]
                self._hanging[opening] = None
                opening.give_up()
                self._failed(connection, attempt, f"no connection within {limit:g} s")
        due = [until for _, _, until, _ in self._under_way.values()]
        self.look_at = min([*due, now + SHUT_AGAIN] if self._hanging else due, default=float("inf"))

    def end(self) -> None:
        """Nobody waits for any of them."""
        for opening in (*self._under_way, *self._hanging):
            opening.give_up()


class WaitedOpenings:
    """The openings of a caller. Its threads wait for them."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._hanging: dict[Opening, None] = {}

    def open(self, name: str, seconds: float) -> socket.socket:
        """A connection within ``seconds``. Raises what redis-py raises, and TimeoutError."""
        connector, opening = self._connector, Opening()
        if not connector.blocks:
            return connector.connect(name, seconds)
        for hanging in list(self._hanging):
            hanging.give_up()
        if len(self._hanging) >= MOST_HANGING:
            raise TimeoutError(TOO_MANY)
        until = monotonic() + seconds
        results: deque[socket.socket | BaseException] = deque()
        signal = allocate_lock()
        signal.acquire()

        def work() -> None:
            try:
                results.append(connector.connect(name, seconds, opening=opening))
            except BaseException as error:
                results.append(error)
            signal.release()
            if opening.given_up:
                _close_unused(results)
            self._hanging.pop(opening, None)

        # A provider of credentials sees the context variables of the call.
        thread = new_thread(copy_context().run, (work,), "redisipc-connect")
        try:
            try:
                start(thread)
            except RuntimeError:
                # There is no thread for it. Each of its steps has a limit.
                return connector.connect(name, seconds)
            while not results and (left := until - monotonic()) > 0:
                signal.acquire(timeout=min(left, LONGEST_WAIT))
            if results:
                # Wait for its end here: if the program forks next, no thread of this library exists.
                thread.join(LONGEST_WAIT)
            else:
                raise TimeoutError(f"no connection within {seconds:.3g} s")
        except BaseException:
            self._hanging[opening] = None
            opening.give_up()
            _close_unused(results)
            if not thread.is_alive():
                self._hanging.pop(opening, None)
            raise
        result = results.popleft()
        if isinstance(result, BaseException):
            raise result
        return result


def _close_unused(results: deque[Any]) -> None:
    """Close a connection that was opened too late: nobody waits for it now."""
    with suppress(IndexError):
        result = results.popleft()
        if isinstance(result, socket.socket):
            result.close()
