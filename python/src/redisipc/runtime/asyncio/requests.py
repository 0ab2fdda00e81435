"""Who waits for a request that was sent: a future."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from redisipc.errors import RedisIPCError
from redisipc.protocol.events import Outcome, Outgoing

if TYPE_CHECKING:
    from .session import Session


class End(NamedTuple):
    """How something that was waited for ended: an error to raise, or the outcome of a request."""

    error: Exception | None = None
    outgoing: Outgoing | None = None
    outcome: Outcome | None = None
    at: float = 0.0


class Ticket:
    """A task that waits. ``outgoing`` is the request that was made of it, None until the core made it."""

    __slots__ = ("future", "outgoing")

    def __init__(self, home: asyncio.AbstractEventLoop) -> None:
        self.outgoing: Outgoing | None = None
        self.future: asyncio.Future[End] = home.create_future()

    def done(self) -> bool:
        return self.future.done()

    def settled(self, end: End) -> None:
        """It has ended so, unless it had ended before."""
        if not self.future.done():
            self.future.set_result(end)


class RequestFuture(asyncio.Future[Any]):
    """An ``asyncio.Future`` whose ``cancel()`` gives the request up: it is deleted, and its handler learns it."""

    def __init__(self, session: Session, request_id: bytes) -> None:
        super().__init__(loop=session.loop.home)
        self.outgoing: Outgoing | None = None
        self._id = request_id
        self._session = session

    def settled(self, end: End) -> None:
        """It has ended so, unless it had ended before."""
        if self.done():
            return
        if end.error is not None:
            self.set_exception(end.error)
            return
        try:
            self.set_result(self._session.response_of(end).result())
        except RedisIPCError as error:
            self.set_exception(error)

    def cancel(self, msg: Any | None = None) -> bool:
        """Give the request up. Returns whether it had not ended before."""
        if not super().cancel(msg):
            return False
        self._session.give_up(self)
        return True

    @property
    def request_id(self) -> str:
        """The id of the request, as its handler sees it."""
        return self._id.decode()
