"""A request that was sent is waited for by a future."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from redisipc.calls import explained_methods
from redisipc.errors import RedisIPCError
from redisipc.protocol.events import Outcome, Outgoing
from redisipc.runtime.response import Response

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    T = TypeVarWithDefault("T", default=Any)
else:
    T = TypeVar("T")


class End(NamedTuple):
    """The end of a wait: an error to raise, or the outcome of a request."""

    error: Exception | None = None
    outgoing: Outgoing | None = None
    outcome: Outcome | None = None
    at: float = 0.0


make_end: Callable[[type[End], tuple[None, Outgoing, Outcome, float]], End] = tuple.__new__
"""As ``End(...)`` does it, but without a call of a Python function: each request ends by it."""


class Ticket:
    """A task that waits. ``outgoing`` is the core's request, None until the core has made it."""

    __slots__ = ("future", "outgoing")

    def __init__(self, home: asyncio.AbstractEventLoop) -> None:
        self.outgoing: Outgoing | None = None
        self.future: asyncio.Future[End] = asyncio.Future(loop=home)

    def done(self) -> bool:
        return self.future.done()

    def settled(self, end: End) -> None:
        """It has ended so, unless it had ended before."""
        if not self.future.done():
            self.future.set_result(end)


class FutureTicket:
    """The same for a future that the user holds. Its result is the value of the response."""

    __slots__ = ("_session", "future", "outgoing")

    def __init__(self, session: Asker) -> None:
        self.outgoing: Outgoing | None = None
        self.future: asyncio.Future[Any] | None = None
        self._session = session

    def done(self) -> bool:
        return self.future is None or self.future.done()

    def settled(self, end: End) -> None:
        """It has ended so, unless it had ended before."""
        future = self.future
        if future is None:
            return
        if not future.done():
            try:
                if end.error is not None:
                    raise end.error
                future.set_result(self._session.response_of(end).result())
            except RedisIPCError as error:
                future.set_exception(error)
        # The future refers to this object. Removing the reference here leaves no cycle to collect.
        self.future = None


class Asker(Protocol):
    """The session that sent a request, as its future knows it."""

    def give_up(self, ticket: FutureTicket) -> None:
        """The caller no longer waits for it."""

    def response_of(self, end: End) -> Response:
        """The response to return for an end."""


@explained_methods
class RequestFuture(asyncio.Future[T]):
    """An ``asyncio.Future`` whose ``cancel()`` deletes the request, and notifies its handler."""

    def __init__(
        self, session: Asker, ticket: FutureTicket, home: asyncio.AbstractEventLoop, request_id: bytes
    ) -> None:
        super().__init__(loop=home)
        self._ticket = ticket
        ticket.future = self
        self._id = request_id
        self._session = session

    def cancel(self, msg: Any | None = None) -> bool:
        """Give the request up. Returns whether it had not ended before."""
        if not super().cancel(msg):
            return False
        self._session.give_up(self._ticket)
        return True

    @property
    def request_id(self) -> str:
        """The id of the request, as its handler sees it."""
        return self._id.decode()
