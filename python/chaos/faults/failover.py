"""Another server becomes the master, with or without the last writes."""

from __future__ import annotations

import asyncio
import signal
from time import monotonic
from typing import ClassVar, cast

from ..lab.pair import Pair
from ..lab.replicas import hold_back, let_go, offset, role
from ..lab.sentinels import NAME, Sentinels
from .base import Fault


class Promotion(Fault):
    """The replica takes over, and the address moves to it."""

    sites = ("pair",)
    to_redis = "failover"
    quiet = 6.0
    aim = 2.0
    behind: ClassVar[tuple[float, float]] = (0.0, 0.0)
    _text = ""

    @property
    def pair(self) -> Pair:
        return cast(Pair, self.lab.site)

    async def strike(self) -> None:
        old, new = self.pair.redis, self.pair.replica
        if self.behind[1]:
            await hold_back(old, [new])
            await asyncio.sleep(self.random.uniform(*self.behind))
        self.pair.separate()
        lost = await offset(old) - await offset(new)
        self.over = await self.pair.promote()
        if lost > 0 or not self.behind[1]:
            self._text = f"port {old.address.port} to {new.address.port}, {max(lost, 0)} bytes lost"

    async def proof(self) -> str:
        return self._text

    async def mend(self) -> None:
        await let_go(self.pair.servers)
        await self.pair.follow()


class Promoted(Promotion):
    name = "promoted"
    what = "The replica is promoted and the address moves to it; few writes are lost."


class PromotedBehind(Promotion):
    name = "promoted-behind"
    what = "A replica that is up to 1.5 s behind is promoted: the writes of that time are lost."
    behind = (0.2, 1.5)


class Elected(Fault):
    """The Sentinels make another server the master."""

    sites = ("sentinel",)
    to_redis = "failover"
    quiet = 8.0
    aim = 2.0
    behind: ClassVar[tuple[float, float]] = (0.0, 0.0)
    at_once: ClassVar[bool] = False
    """Whether the old master comes back before all Sentinels know the new one, so that there are two masters for a while."""
    _text = ""

    @property
    def sentinels(self) -> Sentinels:
        return cast(Sentinels, self.lab.site)

    async def strike(self) -> None:
        site = self.sentinels
        self.old = site.master
        if self.behind[1]:
            await hold_back(self.old.redis, [replica.redis for replica in site.replicas])
            await asyncio.sleep(self.random.uniform(*self.behind))
        had = await offset(self.old.redis)
        await self.end_master()
        await site.elected()
        self.over = await site.named(all_of_them=False)
        lost = had - await offset(site.redis)
        if lost > 0 or not self.behind[1]:
            self._text = f"port {self.old.port} to {site.master.port}" + (
                f", {lost} bytes lost" if self.behind[1] else ""
            )

    async def end_master(self) -> None:
        raise NotImplementedError

    async def bring_back(self) -> None:
        """The old master comes back, as a replica."""

    async def proof(self) -> str:
        return self._text

    async def mend(self) -> None:
        if self.at_once:
            self.over = None
        else:
            await self.sentinels.named(all_of_them=True)
        await self.bring_back()
        await let_go([node.redis for node in self.sentinels.nodes])
        await self.sentinels.together()


class FailoverAsked(Elected):
    name = "failover-asked"
    what = "SENTINEL FAILOVER: another server becomes the master; writes that the old one still accepts are lost."

    async def end_master(self) -> None:
        await self.sentinels.ask(self.sentinels.watchers[0][0], "SENTINEL", "FAILOVER", NAME)

    async def bring_back(self) -> None:
        while await role(self.old.redis) != "slave":
            await asyncio.sleep(0.02)
        self.over = monotonic()


class MasterKilled(Elected):
    name = "master-killed"
    what = "The master is killed, and the Sentinels make a replica the master."

    async def end_master(self) -> None:
        await self.old.redis.kill()

    async def bring_back(self) -> None:
        await self.old.redis.start()


class MasterKilledBehind(MasterKilled):
    name = "master-killed-behind"
    what = "The master is killed while the replicas are up to 1.5 s behind: the writes of that time are lost."
    behind = (0.2, 1.5)


class MasterBackAtOnce(MasterKilled):
    name = "master-back-at-once"
    what = "The master is killed, and comes back as a master without data before the Sentinels know the new one."
    at_once = True


class MasterHung(Elected):
    """Nothing tells the members that the master hangs: they notice it because no reply comes."""

    name = "master-hung"
    what = "The master stands still (SIGSTOP), and the Sentinels make a replica the master."
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


class MasterAndSentinelKilled(MasterKilled):
    name = "master-and-sentinel-killed"
    what = "The master is killed, and one of the Sentinels with it."

    async def end_master(self) -> None:
        self.sentinels.sentinel(0).send_signal(signal.SIGKILL)
        self.sentinels.sentinel(0).wait()
        await super().end_master()

    async def mend(self) -> None:
        await super().mend()
        # If it came back earlier, it would name the old master, which would be a master again until the others prevail.
        self.sentinels.again(0)
