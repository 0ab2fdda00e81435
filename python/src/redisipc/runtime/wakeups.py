"""The connection that listens for wake-ups. It is optional: only latency depends on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redisipc.protocol.commands import Failure
from redisipc.protocol.endpoint import Endpoint
from redisipc.protocol.events import State

from .connection import REPLY_LIMIT, Connection
from .resp import MISSING

PING_AFTER = 30.0
"""Seconds of silence after which it is asked whether it still lives."""
RETRY_AFTER = 2.0
"""Seconds before it is opened again."""


class Wakeups:
    """Subscribes to the core's wake-up channels whenever the endpoint is up, and tells the core of each message."""

    def __init__(
        self, endpoint: Endpoint, connection: Connection, open: Callable[[Connection, int], None], on: bool
    ) -> None:
        self.connection = connection
        self._endpoint = endpoint
        self._open = open
        self._on = on
        self._again_at = 0.0
        self._stale = False
        self._asked = False

    def connection_lost(self) -> None:
        """Redis was away: the subscription is lost, or belongs to a server that is no longer the master."""
        self._stale = True

    def look(self, now: float) -> None:
        """Open the connection if it should be open and is not."""
        if not self._on or self._endpoint.state is not State.UP or now < self._again_at:
            return
        if self._stale:
            self._stale = False
            self.give_up(now)
        if self.connection.transport is None and not self.connection.opening:
            self._open(self.connection, 0)

    def opened(self, now: float) -> None:
        """The connection is open: subscribe. Raises OSError."""
        assert self.connection.transport is not None
        self.connection.transport.send(self.connection.pack([("SUBSCRIBE", *self._endpoint.wakeup_channels())]))
        self._asked = True
        self.connection.reply_by = now + REPLY_LIMIT

    def received(self, data: Any, now: float) -> None:
        """Messages, and the answers to SUBSCRIBE and PING. Raises ``ProtocolError``."""
        connection = self.connection
        connection.parser.feed(data)
        while connection.transport is not None and (reply := connection.parser.gets()) is not MISSING:
            self._asked = False
            connection.reply_by = now + PING_AFTER
            if isinstance(reply, Failure):
                # Most likely the user has no right to subscribe. The core then checks more often for responses others
                # read.
                self._on = reply.kind not in ("NOPERM", "ERR")
                self.give_up(now)
            else:
                self._message(reply, now)

    def _message(self, reply: Any, now: float) -> None:
        if isinstance(reply, list) and reply[0] == b"message":
            self._endpoint.woken(reply[1], now)
        elif isinstance(reply, list) and reply[0] == b"subscribe":
            self._endpoint.listening(True, now)

    def overdue(self, now: float) -> None:
        """Nothing came for long: send a PING. If there is no answer either, open the connection again."""
        if self._asked or self.connection.transport is None:
            self.give_up(now)
            return
        try:
            self.connection.transport.send(self.connection.pack([("PING",)]))
        except OSError:
            self.give_up(now)
        else:
            self._asked = True
            self.connection.reply_by = now + REPLY_LIMIT

    def give_up(self, now: float) -> None:
        """The connection is lost, or could not be opened."""
        self.connection.drop()
        self._again_at = now + RETRY_AFTER
        self._endpoint.listening(False, now)
