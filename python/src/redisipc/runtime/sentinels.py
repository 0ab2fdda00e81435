"""Asks Sentinels where the master is, as the user's client would, but in limited time.

redis-py asks them one after the other. The client for each one retries with pauses of its own, and has no time limit
unless the user set one. So one Sentinel that is gone or hangs would delay the connection to a healthy master.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from redis import exceptions

from .client import address_of, connection_kwargs, within
from .handshake_errors import NO_MASTER, words_of

_UNANSWERED = (exceptions.ConnectionError, exceptions.TimeoutError)


class Directory:
    """The part of a pool that a redis-py connection that follows Sentinels needs. ``limit``: seconds for each step.

    ``order`` has the Sentinels' clients, the one that answered last first. It is kept from one question to the next.
    Each question is asked over connections of its own, those of ``pools``, which the twin closes.
    """

    is_master = True
    check_connection = False

    def __init__(self, pool: Any, order: list[Any], retry: type[Any], client: Callable[..., Any], limit: float) -> None:
        self.service_name: str = pool.service_name
        self._order = order
        self._manager = copy.copy(pool.sentinel_manager)
        if not order:
            order += self._manager.sentinels
        self.pools: list[Any] = [_pool_like(sentinel.connection_pool, retry, limit) for sentinel in order]
        self._asked = [_Asked(client(connection_pool=pool), self.service_name) for pool in self.pools]
        self._manager.sentinels = list(self._asked)

    def get_master_address(self) -> Any:
        """The address, or a coroutine that returns it, as the client's kind has it."""
        try:
            found = self._manager.discover_master(self.service_name)
        except exceptions.ConnectionError as error:
            raise self._nobody_knows() from error
        return self._address(found) if inspect.isawaitable(found) else found

    async def _address(self, found: Awaitable[Any]) -> Any:
        try:
            return await found
        except exceptions.ConnectionError as error:
            raise self._nobody_knows() from error

    def _nobody_knows(self) -> exceptions.ConnectionError:
        """redis-py's own text has the ``repr`` of each client."""
        said = ", ".join(f"{address_of(each.client)} {each.said}" for each in self._asked)
        return exceptions.ConnectionError(f"{NO_MASTER} for {self.service_name!r}: {said}")

    def remember(self) -> None:
        """A connection was opened: the Sentinel that named the master is asked first the next time."""
        index = self._asked.index(self._manager.sentinels[0])
        self._order.insert(0, self._order.pop(index))


class _Asked:
    """The client of one Sentinel. ``said``: what it answered to the question for the masters, for a message."""

    def __init__(self, client: Any, service: str) -> None:
        self.client = client
        self.said = "was not asked"
        self._service = service

    def sentinel_masters(self) -> Any:
        """The masters that it knows, or a coroutine that returns them."""
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
