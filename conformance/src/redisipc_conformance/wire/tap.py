"""The tap: a RESP proxy between one endpoint of the testee and Redis.

It listens on a port of its own for each endpoint, so every command it sees is that endpoint's. It records commands *and*
replies with their times, and does to them what armed faults say. Bytes pass unchanged.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal

from .address import Address
from .exchange import Exchange
from .fault import Fault
from .link import Link
from .pipe import Pace

__all__ = ["Exchange", "Tap", "gate"]


class Tap:
    """The proxy of one endpoint. ``keep`` False: ``exchanges`` stays empty, for long runs.

    ``tls``: the context of a TLS server. The testee then uses TLS to the tap, independent of the tap's connection to
    Redis. ``guards``: the tap says the password to Redis and keeps it from the testee, and refuses what would change
    the server for others.
    """

    def __init__(
        self,
        upstream: Address,
        on_exchange: Callable[[Exchange], None],
        on_change: Callable[[], None],
        *,
        keep: bool = True,
        tls: ssl.SSLContext | None = None,
        guards: bool = False,
    ):
        self.upstream = upstream
        self.guards = guards
        self.exchanges: list[Exchange] = []
        self.faults: list[Fault] = []
        self.refusing = False
        self.refused: list[float] = []
        """When a connection was attempted and refused: seconds of time.monotonic()."""
        self.silent = False
        self.longest_reply = 0
        """Bytes: a longer reply ends its connection, as with a proxy that has a limit (0: no limit)."""
        self.pace = Pace()
        self.links: set[Link] = set()
        self.opened = 0
        """The number of connections that were accepted."""
        self.opened_at: list[float] = []
        self.closed_at: list[float] = []
        """When each was accepted, and when one that forwarded commands ended: seconds of time.monotonic()."""
        self._on_exchange = on_exchange
        self._on_change = on_change
        self._keep = keep
        self._tls = tls
        self._dead: set[Link] = set()
        self._server: asyncio.Server | None = None
        self._multis = 0

    async def start(self, port: int = 0) -> None:
        loop = asyncio.get_running_loop()
        # Known before it serves: a start that is cancelled leaves a server that `close` finds.
        self._server = await loop.create_server(
            lambda: Link(self), "127.0.0.1", port, ssl=self._tls, start_serving=False
        )
        await self._server.start_serving()

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The URL to which the testee connects."""
        address = replace(self.upstream, username=None, password=None) if self.guards else self.upstream
        return address.url("127.0.0.1", self.port, tls=self._tls is not None)

    def arm(self, fault: Fault) -> None:
        self.faults.append(fault)

    def cut(self, how: Literal["abort", "reset", "close"] = "abort", only: bytes = b"") -> int:
        """Breaks all connections now, or those whose last command was ``only``. Returns how many there were.

        ``reset`` sends an RST, ``close`` a FIN, ``abort`` what the kernel thinks right.
        """
        links = [link for link in self.links if not only or link.last == only]
        for link in links:
            link.cut(how)
        return len(links)

    def slow_down(self, rate: int) -> None:
        """So many bytes a second from now on, in each direction. They back up into the testee's own buffers."""
        self.pace.rate, self.pace.backs_up = rate, True

    def silence(self) -> None:
        """A black hole: no byte passes in either direction, and no connection is closed."""
        self.silent = True

    def resume(self) -> None:
        self.silent = False
        for link in list(self.links):
            link.resume()

    def forget(self, *, told: bool = False) -> int:
        """Makes the present connections half open; new ones work. Returns how many there were.

        No byte passes on them, and neither side notices that the other one left. They end with ``end_forgotten`` or
        ``close``.
        ``told``: the endpoint's side is closed at once, so that only Redis does not notice.
        """
        links, self.links = self.links, set()
        for link in links:
            link.dead = True
            if told and link.client is not None:
                link.client.abort()
        self._dead |= links
        return len(links)

    def end_forgotten(self) -> None:
        """Ends the connections that were forgotten."""
        dead, self._dead = self._dead, set()
        for link in dead:
            link.cut()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.end_forgotten()
        self.cut()

    # Used by the links

    def next_multi(self) -> int:
        self._multis += 1
        return self._multis

    def record(self, exchange: Exchange) -> None:
        if self._keep:
            self.exchanges.append(exchange)
        self._on_change()

    def settled(self, exchange: Exchange) -> None:
        self._on_exchange(exchange)
        self._on_change()

    def enter(self, link: Link) -> int:
        """Registers an accepted connection. Returns its number."""
        self.links.add(link)
        self.opened += 1
        self.opened_at.append(time.monotonic())
        return self.opened

    def refuse(self) -> None:
        """Notes that a connection was attempted in vain."""
        self.refused.append(time.monotonic())
        self._on_change()

    def leave(self, link: Link) -> None:
        if link in self.links:
            self.closed_at.append(time.monotonic())
        self.links.discard(link)
        self._dead.discard(link)

    def fault_for(self, args: list[bytes], queued: list[Exchange]) -> Fault | None:
        for fault in self.faults:
            if fault.strikes(args, [exchange.args for exchange in queued]):
                self._on_change()
                return fault
        return None


@asynccontextmanager
async def gate(url: str) -> AsyncIterator[str]:
    """A URL that leads to the server at ``url`` while this lasts, and tells no password of it."""
    tap = Tap(Address.parse(url), lambda exchange: None, lambda: None, keep=False, guards=True)
    await tap.start()
    try:
        yield tap.url
    finally:
        await tap.close()
