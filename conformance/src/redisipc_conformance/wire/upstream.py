"""Redis' side of a connection of the tap."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Listener(Protocol):
    """The receiver of bytes from Redis (`link.Link`)."""

    def from_redis(self, data: bytes) -> None: ...
    def redis_left(self) -> None: ...


class Upstream(asyncio.Protocol):
    def __init__(self, listener: Listener):
        self.listener = listener

    def data_received(self, data: bytes) -> None:
        self.listener.from_redis(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.listener.redis_left()
