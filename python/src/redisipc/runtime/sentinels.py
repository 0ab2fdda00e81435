"""Asks Sentinels where the master is, as the user's client would, but in limited time.

redis-py asks them one after the other. The client for each one retries with pauses of its own, and has no time limit
unless the user set one. So one Sentinel that is gone or hangs would delay the connection to a healthy master.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from redis import exceptions

from .asking import Order, master_limit
from .client import address_of, connection_kwargs, within
from .handshake_errors import NO_MASTER, words_of

_UNANSWERED = (exceptions.ConnectionError, exceptions.TimeoutError)


class Directory:
    """The part of a pool that a redis-py connection that follows Sentinels needs. ``limit``: seconds for each step.

    ``order`` is kept from one question to the next. ``connection`` is the one that goes to the master.
    Each question is asked over connections of its own, those of ``pools``, which the twin closes.
    """

    is_master = True
    check_connection = False

    def __init__(
        self, pool: Any, order: Order[Any], retry: type[Any], client: Callable[..., Any], limit: float
    ) -> None:
        self.service_name: str = pool.service_name
        self.connection: Any = None
        self._order = order
        self._limit = limit
        self._manager = copy.copy(pool.sentinel_manager)
        known = order.of(self._manager.sentinels)
        limits = [order.limit(sentinel, limit) for sentinel in known]
        self.pools: list[Any] = [
            _pool_like(sentinel.connection_pool, retry, seconds)
            for sentinel, seconds in zip(known, limits, strict=True)
        ]
        self._asked = [
            _Asked(client(connection_pool=pool), self.service_name, sentinel, order)
            for pool, sentinel in zip(self.pools, known, strict=True)
        ]
        self._manager.sentinels = list(self._asked)

    def get_master_address(self) -> Any:
        """The address, or a coroutine that returns it, as the client's kind has it."""
        try:
            found = self._manager.discover_master(self.service_name)
        except exceptions.ConnectionError as error:
            raise self._nobody_knows() from error
        return self._address(found) if inspect.isawaitable(found) else self._named(found)

    async def _address(self, found: Awaitable[Any]) -> Any:
        try:
            return self._named(await found)
        except exceptions.ConnectionError as error:
            raise self._nobody_knows() from error

    def _named(self, address: Any) -> Any:
        """It goes to the master now, which may hang and not be replaced yet."""
        limit = master_limit(self._limit, monotonic() - self._manager.sentinels[0].begun)
        for name in ("socket_timeout", "socket_connect_timeout"):
            setattr(self.connection, name, min(getattr(self.connection, name), limit))
        return address

    def _nobody_knows(self) -> exceptions.ConnectionError:
        """redis-py's own text has the ``repr`` of each client."""
        said = ", ".join(f"{address_of(each.client)} {each.said}" for each in self._asked)
        return exceptions.ConnectionError(f"{NO_MASTER} for {self.service_name!r}: {said}")

    def remember(self) -> None:
        """A connection was opened: the Sentinel that named the master is asked first the next time."""
        self._order.led(self._manager.sentinels[0].sentinel)


class _Asked:
    """The client of one Sentinel. ``said``: what it answered to the question for the masters, for a message.

    ``sentinel`` is the user's client for it. ``begun``: when it was asked.
    """

    def __init__(self, client: Any, service: str, sentinel: Any, order: Order[Any]) -> None:
        self.client = client
        self.said = "was not asked"
        self.sentinel = sentinel
        self.begun = 0.0
        self._service = service
        self._order = order

    def sentinel_masters(self) -> Any:
        """The masters that it knows, or a coroutine that returns them."""
        self.begun = monotonic()
        self._order.asks(self.sentinel)
        try:
            masters = self.client.sentinel_masters()
        except _UNANSWERED as error:
            self._failed(error)
            raise
        return self._masters(masters) if inspect.isawaitable(masters) else self._answered(masters)

    async def _masters(self, masters: Awaitable[Any]) -> Any:
        try:
            return self._answered(await masters)
        except _UNANSWERED as error:
            self._failed(error)
            raise

    def _answered(self, masters: Any) -> Any:
        self._order.answered(self.sentinel)
        state = masters.get(self._service)
        if state is None:
            known = ", ".join(map(repr, masters))
            self.said = f"knows only {known}" if known else "knows no master"
        elif state["is_master"] and not state["is_sdown"] and not state["is_odown"]:
            self.said = "sees too few other Sentinels"
        else:
            self.said = "says that it is down"
        return masters

    def _failed(self, error: Exception) -> None:
        self.said = f"did not answer ({words_of(error)})"


def _pool_like(pool: Any, retry: type[Any], limit: float) -> Any:
    kwargs = within(connection_kwargs(pool.connection_kwargs, retry), limit)
    return type(pool)(connection_class=pool.connection_class, **kwargs)
