"""Asks Sentinels where the master is, as the user's client would, but in limited time.

redis-py asks them one after the other. The client for each one retries with pauses of its own, and has no time limit
unless the user set one. So one Sentinel that is gone or hangs would delay the connection to a healthy master.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .client import connection_kwargs, within


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
        self._asked = [client(connection_pool=pool) for pool in self.pools]
        self._manager.sentinels = list(self._asked)

    def get_master_address(self) -> Any:
        """The address, or a coroutine that returns it, as the client's kind has it."""
        return self._manager.discover_master(self.service_name)

    def remember(self) -> None:
        """A connection was opened: the Sentinel that named the master is asked first the next time."""
        index = self._asked.index(self._manager.sentinels[0])
        self._order.insert(0, self._order.pop(index))


def follows_sentinels(pool: Any) -> bool:
    """Whether connections of this pool ask Sentinels for the master."""
    return getattr(pool, "sentinel_manager", None) is not None and bool(pool.is_master)


def _pool_like(pool: Any, retry: type[Any], limit: float) -> Any:
    kwargs = within(connection_kwargs(pool.connection_kwargs, retry), limit)
    return type(pool)(connection_class=pool.connection_class, **kwargs)
