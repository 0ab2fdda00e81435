"""Private servers for the scenarios that flush, restart or reconfigure Redis."""

from __future__ import annotations

import asyncio
import contextlib

from ..scenario.model import Scenario
from ..server import NoServer, Server, private
from ..server.url import GivenServer
from ..wire.address import Address
from ..wire.client import Client
from ..within import within

MOST_SERVERS = 4
"""Own servers that run side by side."""


class OwnServers:
    """Gives them out and takes them back. One that was only flushed is used again: a container takes seconds to start."""

    def __init__(self, like: Server) -> None:
        self._like = like
        self._free: list[Server] = []
        self._all: set[Server] = set()
        self._room = asyncio.Semaphore(MOST_SERVERS)

    @property
    def why_not(self) -> str:
        """Why there can be none. Empty if there can."""
        if isinstance(self._like, GivenServer):
            return (
                f"it needs a Redis of its own, and the one at the {self._like.kind} is not the suite's to stop or flush"
            )
        return ""

    async def acquire(self) -> Server:
        await self._room.acquire()
        try:
            if self._free:
                return self._free.pop()
            server = await asyncio.shield(asyncio.to_thread(private, self._like))
            self._all.add(server)
            return server
        except BaseException:
            self._room.release()
            raise

    async def release(self, server: Server, scenario: Scenario) -> None:
        """Drops a server whose state is unknown."""
        try:
            if scenario.needs & {"restart", "config", "oom"} or not await self._emptied(server):
                self._all.discard(server)
                await asyncio.to_thread(server.close)
            else:
                self._free.append(server)
        finally:
            self._room.release()

    @staticmethod
    async def _emptied(server: Server) -> bool:
        client = Client(Address.parse(server.url))
        try:
            await within(client("FLUSHALL"), 2.0)
            return True
        except Exception:
            return False
        finally:
            with contextlib.suppress(Exception):
                await client.close()

    async def close(self) -> None:
        servers, self._all = self._all, set()
        await asyncio.gather(*(asyncio.to_thread(server.close) for server in servers), return_exceptions=True)


__all__ = ["NoServer", "OwnServers"]
