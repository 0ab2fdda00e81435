"""The host of a driver, for threads: the driver calls it to report and to ask, on the I/O thread (except ``_open``)."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from functools import partial
from logging import DEBUG
from time import monotonic
from typing import Any

from redisipc.protocol.events import Incoming, Outcome, Outgoing, StateChanged
from redisipc.runtime.connection import Connection
from redisipc.runtime.handshake_errors import of_handshake
from redisipc.runtime.host import BaseHost
from redisipc.runtime.received import Received

from .connector import Connector, Opening
from .handlers import CallbackJob, RequestJob
from .openings import Openings
from .requests import End, make_end
from .session_base import SessionBase
from .starter import new_thread
from .transport import SocketTransport


class Host(BaseHost):
    """Opens connections in threads of their own, and hands jobs to the pools."""

    def __init__(self, session: SessionBase, connector: Connector) -> None:
        super().__init__(session, connector.cluster)
        self._session = session
        self._connector = connector
        self.openings: Openings = Openings(self._open_failed)

    def open(self, connection: Connection, attempt: int) -> None:
        name = self.connection_name(connection, self._session.endpoint.instance)
        opening = self.openings.begin(connection, attempt)
        if opening is not None:
            self._session.starter.put(partial(self._open_apart, connection, attempt, name, opening))

    def _open_failed(self, connection: Connection, attempt: int, reason: str) -> None:
        session = self._session
        session.loop.call(partial(session.driver.open_failed, connection, attempt, reason, False))

    def _open_apart(self, connection: Connection, attempt: int, name: str, opening: Opening) -> None:
        """It has a thread of its own, so that nothing else waits for Redis or a name server."""
        try:
            new_thread(self._open, (connection, attempt, name, opening), "redisipc-connect").start()
        except RuntimeError:
            # No thread is left. It must still connect, or it would never come back.
            self._open(connection, attempt, name, opening)

    def _open(self, connection: Connection, attempt: int, name: str, opening: Opening) -> None:
        loop, driver = self._session.loop, self._session.driver
        try:
            sock = self._connector.connect(name, connection.patience, connection.place, opening)
        except BaseException as error:
            reason, permanent = of_handshake(error)
            self._session.cause = error
            loop.call(lambda now: driver.open_failed(connection, attempt, reason, permanent, now))
        else:
            loop.call(lambda now: self._opened(connection, attempt, sock, now))
            if self._session.gone.end is not None:
                # Perhaps every thread that could take it has ended.
                sock.close()
        loop.call(lambda now: self.openings.over(opening))

    def _opened(self, connection: Connection, attempt: int, sock: socket.socket, now: float) -> None:
        loop = self._session.loop
        if loop.stopped or attempt != connection.attempt or not connection.opening:
            # It came too late.
            sock.close()
            return
        self._session.driver.opened(connection, attempt, SocketTransport(connection, sock, loop.poller), now)

    def start(self, incoming: Incoming) -> None:
        if self._session.observing is not None:
            self._session.observing.started(incoming)
        self._session.handlers.add(RequestJob(self._session, incoming), monotonic())

    def cancelled(self, incoming: Incoming, reason: str) -> None:
        if self._session.observing is not None:
            self._session.observing.lost(incoming, reason)
        if isinstance(incoming.data, Received):
            for callback in incoming.data.cancel_callbacks():
                self._session.cancels.add(CallbackJob(callback), monotonic())

    def finished(self, outgoing: Outgoing, outcome: Outcome) -> None:
        session = self._session
        if session.observing is not None or session.log_to.isEnabledFor(DEBUG):
            self.tell_finished(outgoing, outcome)
        ticket: Any = outgoing.data
        session.waiting.pop(ticket, None)
        ticket.settled(make_end(End, (None, outgoing, outcome, monotonic())))

    def changed(self, event: StateChanged) -> None:
        super().changed(event)
        if self._session.has_joined or event.permanent:
            self._session.joined.settle(End())

    def reads(self) -> None:
        if self._session.has_joined:
            self._session.joined.settle(End())

    def closed(self) -> None:
        self.tell_left()
        self._session.left()

    def started(self) -> Iterable[Incoming]:
        # No signal handler ever runs on the I/O thread.
        return ()

    def mended(self, now: float) -> None:
        return None
