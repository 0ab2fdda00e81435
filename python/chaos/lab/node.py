"""One of several servers, behind a tap of its own. Clients and other servers use the address of the tap."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from redisipc_conformance.server import NoServer, start
from redisipc_conformance.server.local import LocalServer
from redisipc_conformance.wire.address import Address

from .redis import Redis
from .site import OPERATOR, OPERATORS_USER
from .watch import Watch, WatchedTap

BUS = 10_000
"""The nodes of a cluster use a second port: their first one plus this number. The sum must be a valid port."""
START_ATTEMPTS = 20


@dataclass(eq=False)
class Node:
    """``port`` is the port that it announces, which is that of the tap."""

    redis: Redis
    tap: WatchedTap
    server: LocalServer

    @property
    def port(self) -> int:
        return self.tap.port

    async def close(self) -> None:
        await self.tap.close()
        await self.redis.close()


async def node(name: str, config: Callable[[int], tuple[str, ...]], watch: Watch, highest: int = 65535) -> Node:
    """Starts a server; ``config`` is given the port that it is to announce. Raises NoServer, also for an
    image, since the members of a cluster must reach each other on this machine."""
    tap = WatchedTap(Address("127.0.0.1", 0), watch)
    await tap.start()
    options = (*config(tap.port), *OPERATORS_USER)
    for _ in range(START_ATTEMPTS):
        server = await asyncio.to_thread(start, name, options)
        redis = Redis(server, OPERATOR)
        if isinstance(server, LocalServer) and redis.address.port <= highest:
            tap.upstream = redis.address
            return Node(redis, tap, server)
        await redis.close()
        if not isinstance(server, LocalServer):
            break
    await tap.close()
    raise NoServer("several servers that know each other need a program, not an image")
