"""Redis is away or does not reply: it is stopped, busy, restarting or loading."""

from __future__ import annotations

import asyncio
import contextlib
import os
from time import monotonic
from typing import ClassVar

from redisipc_conformance.wire.client import RedisFailure

from ..lab.redis import Away
from .base import Fault


class Frozen(Fault):
    """The process of Redis is stopped; its connections stay open."""

    to_redis = "away"

    async def strike(self) -> None:
        await asyncio.to_thread(self.redis.server.freeze)

    async def proof(self) -> str:
        try:
            await self.redis.reply("PING", seconds=0.3)
        except Away:
            return f"no answer after {monotonic() - self._began:.1f} s"
        return ""

    async def mend(self) -> None:
        await asyncio.to_thread(self.redis.server.thaw)
        await self.redis.back()


class FrozenShort(Frozen):
    name = "redis-frozen"
    what = "Redis is stopped for 3 s (SIGSTOP)."
    seconds = (2.5, 3.5)


class FrozenLong(Frozen):
    name = "redis-frozen-long"
    what = "Redis is stopped for 12 s (SIGSTOP)."
    seconds = (11.0, 13.0)
    quiet = 12.0


class Paused(Fault):
    """CLIENT PAUSE: Redis lets commands wait."""

    to_redis = "away"
    mode: ClassVar[str]
    seconds = (2.5, 3.5)
    _waited = 0.0

    async def strike(self) -> None:
        await self.redis("CLIENT", "PAUSE", int(self.length * 1000), self.mode)
        self._probe = asyncio.create_task(self._measure())

    async def _measure(self) -> None:
        await self.redis("SET", "chaos:probe", "1", "PX", 1000, seconds=self.length + 10)
        self._waited = monotonic() - self._began

    async def proof(self) -> str:
        return f"a command waited {self._waited:.1f} s" if self._waited > self.length - 0.5 else ""

    async def mend(self) -> None:
        with contextlib.suppress(Away, RedisFailure):
            await self._probe
        await self.redis.reply("CLIENT", "UNPAUSE")


class PausedWrites(Paused):
    name = "client-pause-write"
    what = "CLIENT PAUSE lets all writes wait for 3 s."
    mode = "WRITE"


class PausedAll(Paused):
    name = "client-pause-all"
    what = "CLIENT PAUSE lets all commands wait for 3 s."
    mode = "ALL"


class Busy(Fault):
    name = "busy-script"
    what = "A script that does not end: BUSY for 4 s."
    to_redis = "away"
    seconds = (3.0, 5.0)

    async def strike(self) -> None:
        # The script has a connection of its own, because the operator's connection must not wait for it.
        await self.redis.config("lua-time-limit", 50)
        self._script = asyncio.create_task(self._run())

    async def _run(self) -> None:
        other = type(self.redis)(self.redis.server, "operator")
        with contextlib.suppress(Away, RedisFailure):
            await other.reply("EVAL", "while true do end", 0, seconds=self.length + 30)

    async def proof(self) -> str:
        return self.refused("BUSY")

    async def mend(self) -> None:
        end = monotonic() + 10
        while not self._script.done() and monotonic() < end:
            await self.redis.reply("SCRIPT", "KILL")
            await asyncio.wait([self._script], timeout=0.1)
        await self.redis.back()


class Restart(Fault):
    """Redis ends and starts again; a new ``run_id`` proves it."""

    to_redis = "restart"
    empty = False

    async def strike(self) -> None:
        self._run_id = (await self.redis.info("server"))["run_id"]
        await self.down()

    async def down(self) -> None:
        await self.redis.stop()

    async def proof(self) -> str:
        # First the time for which it is away passes. Then it must reply before anything can be asked.
        await self.redis.start(empty=self.empty)
        await self.redis.back()
        now = (await self.redis.info("server"))["run_id"]
        return f"run_id {self._run_id[:6]} is {now[:6]} now" if now != self._run_id else ""

    async def mend(self) -> None:
        await self.redis.start(empty=self.empty)
        await self.redis.back()


class RestartShort(Restart):
    name = "restart"
    what = "Redis restarts in order and is away for 1 s; nothing is lost."
    seconds = (0.5, 1.5)


class RestartLong(Restart):
    name = "restart-long"
    what = "Redis restarts in order and is away for 12 s; nothing is lost."
    seconds = (11.0, 13.0)
    quiet = 12.0


class RestartOld(Restart):
    name = "restart-old-data"
    what = "Redis is killed, and comes back without the last writes of up to 1 s."
    to_redis = "rewind"
    seconds = (0.3, 1.0)
    quiet = 6.0

    async def down(self) -> None:
        await self.redis("SAVE")
        await asyncio.sleep(self.random.uniform(0.1, 1.0))
        await self.redis.kill()


class RestartEmpty(Restart):
    name = "restart-empty"
    what = "Redis is killed, and comes back without data."
    to_redis = "empty"
    empty = True
    seconds = (0.3, 1.0)
    quiet = 6.0

    async def down(self) -> None:
        await self.redis.kill()


class Loading(Fault):
    """The server waits for each key that it loads (``lab.site.SLOW_LOADING``)."""

    name = "loading"
    what = "Redis restarts and answers LOADING for 3 s."
    to_redis = "restart"
    quiet = 4.0
    keys, size = 600, 20_000

    async def strike(self) -> None:
        # Data that can be compressed would be loaded before Redis replied to anybody.
        ballast = [("SET", f"ballast:{number}", os.urandom(self.size)) for number in range(self.keys)]
        await self.redis.together(("SELECT", 1), *ballast, ("SELECT", 0))
        await self.redis.stop()
        await self.redis.start()

    async def proof(self) -> str:
        return self.refused("LOADING")

    async def mend(self) -> None:
        await self.redis.back()
        await self.redis.together(("SELECT", 1), ("FLUSHDB",), ("SELECT", 0))
