"""Who waits for a request that was sent: a future."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from redisipc.protocol.events import Outgoing


class RequestFuture(asyncio.Future[Any]):
    """An ``asyncio.Future`` whose ``cancel()`` gives the request up: it is deleted, and its handler learns it."""

    def __init__(self, cancel: Callable[[Outgoing], None], *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._give_up = cancel
        self._outgoing: Outgoing | None = None

    def cancel(self, msg: Any | None = None) -> bool:
        if not super().cancel(msg):
            return False
        if self._outgoing is not None:
            self._give_up(self._outgoing)
        return True

    @property
    def request_id(self) -> str:
        """The id of the request, as its handler sees it."""
        return self._outgoing.id.decode() if self._outgoing is not None else ""
