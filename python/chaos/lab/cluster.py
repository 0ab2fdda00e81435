"""A cluster of three masters with a replica each; the stream lives in one slot."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any, NamedTuple

from .members import Member
from .node import BUS, Node, node
from .redis import Away, Redis, text
from .replicas import LIMIT
from .site import Site
from .watch import Watch

SLOTS = 16384
MASTERS = 3
UNWELL = {"fail", "fail?", "handshake", "noaddr"}


class Line(NamedTuple):
    """One node, as CLUSTER NODES describes it."""

    id: str
    port: int
    flags: set[str]
    master: str
    slots: list[tuple[int, int]]


class Cluster(Site):
    name = "cluster"
    stream = "{shop}"
    runtimes = ("threads", "asyncio")

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.nodes: list[Node] = []
        self.slot = 0
        self._owner = 0

    @property
    def redis(self) -> Redis:
        return self.nodes[self._owner].redis

    async def open(self, watch: Watch) -> None:
        def config(port: int) -> tuple[str, ...]:
            cluster = (
                "--cluster-enabled",
                "yes",
                "--cluster-config-file",
                "nodes.conf",
                "--cluster-node-timeout",
                "2000",
            )
            announce = ("--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port", str(port))
            return (*cluster, *announce, "--repl-diskless-sync-delay", "0")

        for number in range(2 * MASTERS):
            self.nodes.append(await node(self.server, config, watch, 65535 - BUS))
            await self.nodes[-1].redis("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        first = self.nodes[0].redis.address.port
        for each in self.nodes[1:]:
            await each.redis("CLUSTER", "MEET", "127.0.0.1", first, first + BUS)
        for number, each in enumerate(self.nodes[:MASTERS]):
            slots = range(number * SLOTS // MASTERS, (number + 1) * SLOTS // MASTERS)
            await each.redis("CLUSTER", "ADDSLOTS", *slots)
        await self.until("all know each other", self._all_known)
        for number, each in enumerate(self.nodes[MASTERS:]):
            await each.redis("CLUSTER", "REPLICATE", (await self.nodes[number].redis("CLUSTER", "MYID")).decode())
        await self.until("each master has a replica", self._replicated)
        self.slot = await self.nodes[0].redis("CLUSTER", "KEYSLOT", self.stream)
        await self.find_owner()

    async def until(self, what: str, condition: Any) -> None:
        end = monotonic() + LIMIT
        while not await condition():
            if monotonic() > end:
                raise Away(f"not within {LIMIT:g} s: {what}")
            await asyncio.sleep(0.1)

    async def _all_known(self) -> bool:
        infos = [text(await each.redis("CLUSTER", "INFO")) for each in self.nodes]
        return all("cluster_state:ok" in info and f"cluster_known_nodes:{2 * MASTERS}" in info for info in infos)

    async def _replicated(self) -> bool:
        for each in self.nodes[MASTERS:]:
            if (await each.redis.info("replication")).get("master_link_status", "").strip() != "up":
                return False
        # All nodes must know the replicas: a master whose replica is unknown is not replaced.
        for each in self.nodes:
            if sum("slave" in line.flags for line in await self.lines(each)) != MASTERS:
                return False
        return True

    async def agreed(self) -> bool:
        """Whether all nodes work, and agree which nodes are masters, and of which slots."""
        try:
            views = [await self.lines(each) for each in self.nodes]
        except Away:
            return False
        if any(line.flags & UNWELL for lines in views for line in lines):
            return False
        return len({frozenset((one.port, one.master, tuple(one.slots)) for one in lines) for lines in views}) == 1

    async def lines(self, of: Node) -> list[Line]:
        """The reply of one node to CLUSTER NODES."""
        found = []
        for row in text(await of.redis("CLUSTER", "NODES", seconds=1.0)).splitlines():
            id, address, flags, master, _, _, _, _, *slots = row.split()
            spans = [part.split("-") for part in slots if not part.startswith("[")]
            port = int(address.partition("@")[0].rpartition(":")[2])
            found.append(
                Line(id, port, set(flags.split(",")), master, [(int(span[0]), int(span[-1])) for span in spans])
            )
        return found

    async def view(self) -> list[Line]:
        """The reply to CLUSTER NODES of any node that replies."""
        for each in self.nodes:
            try:
                return await self.lines(each)
            except Away:
                continue
        raise Away("no node answers")

    def by_port(self, port: int) -> Node:
        return next(each for each in self.nodes if each.port == port)

    async def find_owner(self, other_than: Node | None = None) -> Node:
        """Waits until another working master has the slot. From then on, ``redis`` is that master."""
        end = monotonic() + LIMIT
        while monotonic() < end:
            for each in self.nodes:
                if each is other_than:
                    continue
                try:
                    lines = await self.lines(each)
                except Away:
                    continue
                for line in lines:
                    mine = any(first <= self.slot <= last for first, last in line.slots)
                    if mine and "master" in line.flags and not line.flags & {"fail", "fail?"}:
                        owner = self.by_port(line.port)
                        if owner is not other_than:
                            self._owner = self.nodes.index(owner)
                            return owner
            await asyncio.sleep(0.02)
        raise Away(f"nobody else has the slot within {LIMIT:g} s")

    @property
    def owner(self) -> Node:
        return self.nodes[self._owner]

    async def reach(self, member: Member) -> dict[str, Any]:
        return {"nodes": [["127.0.0.1", each.port] for each in self.nodes[:MASTERS]]}

    async def close(self) -> None:
        for each in self.nodes:
            await each.close()
