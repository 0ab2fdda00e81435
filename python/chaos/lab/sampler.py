"""Samples of the resources that Redis uses, at intervals, for runs that look for growth."""

from __future__ import annotations

import asyncio
import contextlib

from redisipc_conformance.wire.client import RedisFailure

from .lab import Lab
from .redis import Away


async def sample_redis(lab: Lab) -> None:
    """Writes rows ``redis t memory clients keys entries consumers pending`` until it is cancelled."""
    while True:
        await asyncio.sleep(lab.load.sample)
        with contextlib.suppress(Away, RedisFailure):
            lab.rows("redis", *await _sample(lab))


async def _sample(lab: Lab) -> list[int]:
    redis = lab.site.redis
    memory = int((await redis.info("memory"))["used_memory"])
    clients = int((await redis.info("clients"))["connected_clients"])
    keys = await redis("DBSIZE")
    length = await redis("XLEN", lab.site.stream)
    groups = await redis("XINFO", "GROUPS", lab.site.stream)
    facts = [dict(zip(group[::2], group[1::2], strict=True)) for group in groups]
    return [
        memory,
        clients,
        keys,
        length,
        sum(fact[b"consumers"] for fact in facts),
        sum(fact[b"pending"] for fact in facts),
    ]
