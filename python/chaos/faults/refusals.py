"""Redis replies, and refuses commands."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path
from time import monotonic

from redisipc_conformance.wire.client import RedisFailure

from ..lab.redis import Away
from .base import Fault


class Misconf(Fault):
    """A background save failed, so Redis refuses each write, also XREADGROUP and XCLAIM."""

    to_redis = "no writes"

    async def strike(self) -> None:
        redis = self.redis
        # A folder with the name of the file makes each save fail, whatever user Redis runs as.
        self._obstacle = Path(await redis.setting("dir")) / await redis.setting("dbfilename")
        await self._place()
        await redis.config("stop-writes-on-bgsave-error", "yes")
        await redis.config("save", "3600 1")
        end = monotonic() + 5
        await redis.reply("BGSAVE")
        while monotonic() < end and (await redis.info("persistence"))["rdb_last_bgsave_status"].strip() != "err":
            await asyncio.sleep(0.02)

    async def _place(self) -> None:
        self._obstacle.unlink(missing_ok=True)
        (self._obstacle / "x").mkdir(parents=True)

    async def proof(self) -> str:
        return self.refused("MISCONF")

    async def mend(self) -> None:
        await self.redis.config("stop-writes-on-bgsave-error", "no")
        await self.redis.config("save", "")
        shutil.rmtree(self._obstacle, ignore_errors=True)


class MisconfShort(Misconf):
    name = "misconf"
    what = "MISCONF refuses all writes for 5 s."
    seconds = (4.0, 6.0)
    quiet = 4.0


class MisconfLong(Misconf):
    name = "misconf-long"
    what = "MISCONF refuses all writes for 14 s."
    seconds = (13.0, 16.0)
    quiet = 13.0


class NoReplicas(Fault):
    name = "no-replicas"
    what = "NOREPLICAS refuses all writes for 4 s."
    to_redis = "away"
    seconds = (3.0, 5.0)

    async def strike(self) -> None:
        await self.redis.config("min-replicas-to-write", 1)

    async def proof(self) -> str:
        return self.refused("NOREPLICAS")

    async def mend(self) -> None:
        await self.redis.config("min-replicas-to-write", 0)


class OutOfMemory(Fault):
    name = "oom"
    what = "OOM refuses writes that need memory for 4 s."
    to_redis = "memory"
    seconds = (3.0, 5.0)

    async def strike(self) -> None:
        await self.redis.config("maxmemory-policy", "noeviction")
        await self.redis.config("maxmemory", 1)

    async def proof(self) -> str:
        return self.refused("OOM")

    async def mend(self) -> None:
        await self.redis.config("maxmemory", 0)


class OutOfMemoryLong(OutOfMemory):
    name = "oom-long"
    what = "OOM refuses writes that need memory for 13 s."
    seconds = (12.0, 14.0)
    quiet = 6.0


class OutOfMemoryAndCut(OutOfMemory):
    name = "oom-and-cut"
    what = "OOM for 6 s, and all connections break while it lasts."
    seconds = (5.0, 7.0)
    _killed = 0

    async def strike(self) -> None:
        await super().strike()
        await asyncio.sleep(1.0)
        self._killed = await self.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    async def proof(self) -> str:
        refused = self.refused("OOM")
        return f"{refused}, {self._killed} connections killed" if refused and self._killed else ""


class ReadOnly(Fault):
    name = "readonly"
    what = "Redis is a replica for 4 s and refuses writes with READONLY."
    to_redis = "away"
    seconds = (3.0, 5.0)

    async def strike(self) -> None:
        await self.redis("REPLICAOF", "127.0.0.1", 1)

    async def proof(self) -> str:
        return self.refused("READONLY")

    async def mend(self) -> None:
        await self.redis("REPLICAOF", "NO", "ONE")


class MaxClients(Fault):
    name = "maxclients"
    what = "All connections end, and Redis accepts only a few new ones for 4 s."
    to_redis = "full"
    seconds = (3.0, 5.0)
    _before = 0

    async def strike(self) -> None:
        self._limit = await self.redis.setting("maxclients")
        self._before = await self._rejected()
        await self.redis.config("maxclients", 4)
        await self.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await self.redis("CLIENT", "KILL", "TYPE", "pubsub")

    async def _rejected(self) -> int:
        return int((await self.redis.info("stats"))["rejected_connections"])

    async def proof(self) -> str:
        with contextlib.suppress(Away, RedisFailure):
            refused = await self._rejected() - self._before
            return f"{refused} connections rejected" if refused else ""
        return ""

    async def mend(self) -> None:
        await self.redis.config("maxclients", self._limit)
