"""A master and a replica behind an address that moves. The tap of each member leads to the present master."""

from __future__ import annotations

import asyncio
from time import monotonic

from redisipc_conformance.server import start

from .redis import Redis
from .replicas import in_step
from .site import OPERATOR, OPERATORS_USER, Tapped
from .watch import Watch

CONFIG = ("--repl-diskless-sync-delay", "0", "--repl-timeout", "10", *OPERATORS_USER)


class Pair(Tapped):
    """Each promotion exchanges ``master`` and ``replica``."""

    name = "pair"

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.servers: list[Redis] = []

    @property
    def redis(self) -> Redis:
        return self.servers[0]

    @property
    def replica(self) -> Redis:
        return self.servers[1]

    async def open(self, watch: Watch) -> None:
        self.watch = watch
        for _ in range(2):
            self.servers.append(Redis(await asyncio.to_thread(start, self.server, CONFIG), OPERATOR))
        await self.follow()

    async def follow(self) -> None:
        """Waits until the replica follows the master and has all its data."""
        await self.replica("REPLICAOF", self.redis.address.host, self.redis.address.port)
        await in_step(self.redis, [self.replica])

    async def promote(self) -> float:
        """Makes the replica the master, and moves the address to it. Returns the time of this."""
        await self.replica("REPLICAOF", "NO", "ONE")
        self.servers.reverse()
        for tap in self._taps:
            tap.upstream = self.redis.address
            tap.refusing = False
        return monotonic()

    def separate(self) -> None:
        """Makes the old master unreachable."""
        for tap in self._taps:
            tap.refusing = True
            tap.cut("reset")

    async def close(self) -> None:
        await super().close()
        for server in self.servers:
            await server.close()
