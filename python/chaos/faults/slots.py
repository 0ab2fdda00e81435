"""The slot of the stream moves in the cluster, or its master is lost."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import ClassVar, cast

from ..lab.cluster import Cluster
from ..lab.redis import Away
from .base import Fault, NotNow


class ClusterFault(Fault):
    sites = ("cluster",)
    quiet = 8.0
    aim = 2.0
    _text = ""

    @property
    def cluster(self) -> Cluster:
        return cast(Cluster, self.lab.site)

    async def prepare(self) -> None:
        # After the last fault, some nodes may still take a replica for the master.
        if not await self.cluster.agreed():
            raise NotNow("the nodes of the cluster do not agree yet")
        await super().prepare()

    async def proof(self) -> str:
        return self._text


class SlotMoved(ClusterFault):
    """Moves the slot like a resharding: IMPORTING, MIGRATING, MIGRATE of each key, SETSLOT."""

    name = "slot-moved"
    what = "The slot moves to another master at once: MOVED."
    to_redis = "away"
    window: ClassVar[tuple[float, float]] = (0.0, 0.0)

    async def strike(self) -> None:
        cluster, slot = self.cluster, self.cluster.slot
        source = cluster.owner
        lines = {line.port: line for line in await cluster.view()}
        masters = [line for line in lines.values() if "master" in line.flags and not line.flags & {"fail", "fail?"}]
        others = [line for line in masters if line.port != source.port]
        there = self.random.choice(others)
        target = cluster.by_port(there.port)
        here = lines[source.port].id
        window = self.random.uniform(*self.window)
        await target.redis("CLUSTER", "SETSLOT", slot, "IMPORTING", here)
        await source.redis("CLUSTER", "SETSLOT", slot, "MIGRATING", there.id)
        keys = 0
        await asyncio.sleep(window)
        while found := await source.redis("CLUSTER", "GETKEYSINSLOT", slot, 10):
            where = target.redis.address
            await source.redis("MIGRATE", where.host, where.port, "", 0, 5000, "KEYS", *found)
            keys += len(found)
            await asyncio.sleep(window / 5)
        await asyncio.sleep(window)
        for node in [target, source, *(cluster.by_port(line.port) for line in masters)]:
            await node.redis("CLUSTER", "SETSLOT", slot, "NODE", there.id)
        self.over = monotonic()
        await cluster.find_owner(source)
        self._asked = keys

    async def proof(self) -> str:
        seen = self.refused("MOVED", "ASK")
        return f"{self._asked} keys moved, {seen}" if seen else ""


class SlotMovedSlowly(SlotMoved):
    name = "slot-moved-slowly"
    what = "The slot moves within 1 to 4 s, in which both masters send the client to the other one: ASK."
    window = (0.5, 2.0)


class ClusterFailover(ClusterFault):
    name = "cluster-failover"
    what = "CLUSTER FAILOVER: the replica of the slot's master takes over, and no write is lost."
    to_redis = "away"

    async def strike(self) -> None:
        old = self.cluster.owner
        lines = await self.cluster.view()
        id = next(line.id for line in lines if line.port == old.port)
        replicas = [line for line in lines if line.master == id and not line.flags & {"fail", "fail?"}]
        await self.cluster.by_port(replicas[0].port).redis("CLUSTER", "FAILOVER")
        new = await self.cluster.find_owner(old)
        self.over = monotonic()
        self._text = f"port {old.port} to {new.port}"


class ClusterMasterKilled(ClusterFault):
    name = "cluster-master-killed"
    what = "The slot's master is killed, and its replica takes over."
    to_redis = "failover"

    async def strike(self) -> None:
        self.old = self.cluster.owner
        await self.end_master()
        new = await self.cluster.find_owner(self.old)
        self.over = monotonic()
        self._text = f"port {self.old.port} to {new.port}"

    async def end_master(self) -> None:
        await self.old.redis.kill()

    async def bring_back(self) -> None:
        await self.old.redis.start()

    async def mend(self) -> None:
        await self.bring_back()
        await self.cluster.until("the old master is a replica that follows", self._follows)

    async def _follows(self) -> bool:
        try:
            said = await self.old.redis.info("replication")
        except Away:
            return False
        return said["role"].strip() == "slave" and said.get("master_link_status", "").strip() == "up"


class ClusterMasterHung(ClusterMasterKilled):
    """Nothing tells the members that the master hangs: they notice it because no reply comes."""

    name = "cluster-master-hung"
    what = "The slot's master is stopped (SIGSTOP), and its replica takes over."
    to_members = "cut off"
    seconds = (6.0, 8.0)
    after = 4.0
    aim = 6.0
    aim_from = "strike"

    async def prepare(self) -> None:
        await super().prepare()
        self.members = self.lab.free()

    async def end_master(self) -> None:
        await asyncio.to_thread(self.old.server.freeze)

    async def bring_back(self) -> None:
        await asyncio.to_thread(self.old.server.thaw)
