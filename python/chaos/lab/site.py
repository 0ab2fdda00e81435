"""The places of Redis, and the taps through which the members reach it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from redisipc_conformance.server import start

from .members import Member
from .redis import Redis
from .watch import Watch, WatchedTap

OPERATOR = "operator"
"""The user and password of the operator. Faults of the members' user do not change it."""
OPERATORS_USER = ("--user", OPERATOR, "on", f">{OPERATOR}", "~*", "&*", "+@all")

SLOW_LOADING = ("--key-load-delay", "5000")
"""Redis waits 5 ms for each key, so it loads a few megabytes slowly. It replies to clients after each 2 MiB."""


class Site(ABC):
    """One way of running Redis. ``stream``: the name of the stream; ``clients``: the runtimes that can use this site."""

    name = ""
    stream = "shop"
    runtimes: tuple[str, ...] = ("threads", "asyncio", "node", "gem")

    def __init__(self, server: str) -> None:
        self.server = server
        self.watch: Watch

    @property
    @abstractmethod
    def redis(self) -> Redis:
        """The server that has the stream now."""

    def pids(self) -> list[int]:
        """The process that has the stream now, if it runs on this machine."""
        try:
            pid = getattr(self.redis.server, "pid", None)
        except AttributeError:
            # There is none yet.
            return []
        return [] if pid is None else [pid]

    @abstractmethod
    async def open(self, watch: Watch) -> None:
        """Starts it. Raises NoServer with the reason if it is not available."""

    @abstractmethod
    async def reach(self, member: Member) -> dict[str, Any]:
        """The configuration with which a new member finds its Redis."""

    @abstractmethod
    async def close(self) -> None: ...


class Tapped(Site):
    """A site with a tap for each member. The taps lead to the present server."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self._taps: list[WatchedTap] = []

    async def reach(self, member: Member) -> dict[str, Any]:
        if member.tap is None:
            tap = WatchedTap(self.redis.address, self.watch)
            await tap.start()
            self._taps.append(tap)
            member.tap = tap
        return {"url": member.tap.url}

    async def close(self) -> None:
        for tap in self._taps:
            await tap.close()


class Plain(Tapped):
    """One server."""

    name = "plain"
    loading: ClassVar[tuple[str, ...]] = SLOW_LOADING

    def __init__(self, server: str, config: tuple[str, ...] = (), environment: dict[str, str] | None = None) -> None:
        super().__init__(server)
        self._config = (*config, *self.loading, *OPERATORS_USER)
        self._environment = environment
        self._redis: Redis

    @property
    def redis(self) -> Redis:
        return self._redis

    async def open(self, watch: Watch) -> None:
        self.watch = watch
        server = await asyncio.to_thread(start, self.server, self._config, self._environment)
        self._redis = Redis(server, OPERATOR)

    async def close(self) -> None:
        await super().close()
        if hasattr(self, "_redis"):
            await self._redis.close()
