"""The host of a driver, for asyncio: the driver calls it to report and to ask. All calls come in the event loop."""

from __future__ import annotations

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

from .connector import Connector
from .handlers import CallbackJob, RequestJob
from .openings import Openings
from .requests import End, make_end
from .session_base import SessionBase
from .transport import LoopTransport


class Host(BaseHost):
    """Opens connections in tasks of their own, and hands jobs to the loop."""

    def __init__(self, session: SessionBase, connector: Connector) -> None:
        super().__init__(session, connector.cluster)
        self._session = session
        self._connector = connector
        self.openings: Openings = Openings(session.loop.home, self._open_failed)

    def open(self, connection: Connection, attempt: int) -> None:
        name = self.connection_name(connection, self._session.endpoint.instance)
        self.openings.begin(connection, attempt, self._open(connection, attempt, name))

    def _open_failed(self, connection: Connection, attempt: int, reason: str) -> None:
        session = self._session
        session.call(partial(session.driver.open_failed, connection, attempt, reason, False))

    def after_fork(self) -> None:
        """In a forked child: the parent's openings are left to the parent."""
        self._connector.abandon()
        self.openings.cancel()

    async def _open(self, connection: Connection, attempt: int, name: str) -> None:
        loop, driver = self._session.loop, self._session.driver
        try:
            writer = await self._connector.connect(name, connection.patience, connection.place)
        except BaseException as error:
            reason, permanent = of_handshake(error)
            self._session.cause = error
            loop.call(lambda now: driver.open_failed(connection, attempt, reason, permanent, now))
            if not isinstance(error, Exception):
                raise
        else:
            loop.call(lambda now: self._opened(connection, attempt, writer, now))
        loop.work()

    def _opened(self, connection: Connection, attempt: int, writer: Any, now: float) -> None:
        loop = self._session.loop
        if loop.stopped or attempt != connection.attempt or not connection.opening:
            # It came too late.
            writer.transport.abort()
            return
        self._session.driver.opened(
            connection, attempt, LoopTransport(connection, writer, loop.received, loop.lost), now
        )

    def start(self, incoming: Incoming) -> None:
        session = self._session
        if incoming not in session.started:
            job = session.started[incoming] = RequestJob(session, incoming)
            session.loop.jobs.append(job)
            if session.observing is not None:
                session.observing.started(incoming)

    def cancelled(self, incoming: Incoming, reason: str) -> None:
        if self._session.observing is not None:
            self._session.observing.lost(incoming, reason)
        if isinstance(incoming.data, Received):
            for callback in incoming.data.cancel_callbacks():
                self._session.cancels.add(CallbackJob(self._session, callback, what="on_cancel"))

    def finished(self, outgoing: Outgoing, outcome: Outcome) -> None:
        session = self._session
        if session.observing is not None or session.log_to.isEnabledFor(DEBUG):
            self.tell_finished(outgoing, outcome)
        waiter: Any = outgoing.data
        if waiter is None:
            # The call was interrupted before it began to wait.
            return
        session.waiting.pop(waiter, None)
        waiter.settled(make_end(End, (None, outgoing, outcome, monotonic())))

    def changed(self, event: StateChanged) -> None:
        super().changed(event)
        if self._session.has_joined or event.permanent:
            self._session.tell_joined()

    def reads(self) -> None:
        if self._session.has_joined:
            self._session.tell_joined()

    def closed(self) -> None:
        self.tell_left()
        self._session.left()

    def started(self) -> Iterable[Incoming]:
        return list(self._session.started)

    def mended(self, now: float) -> None:
        """Report the outcomes that got lost on their way, after all earlier calls."""
        session = self._session
        waiting = list(session.waiting)
        session.call(lambda _now: session.settle_lost(waiting))
