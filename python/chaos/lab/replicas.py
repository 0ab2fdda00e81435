"""Replication: the role of each server, and how far a replica is behind its master."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic

from .redis import Away, Redis

LIMIT = 40.0
"""Replicas must have all data, and a failover must have a new master, within so many seconds."""


async def role(redis: Redis) -> str:
    """``master``, ``slave``, or an empty text if it does not reply."""
    try:
        return (await redis.info("replication"))["role"].strip()
    except Away:
        return ""


async def offset(redis: Redis) -> int:
    """The number of bytes of the replication stream that it has."""
    said = await redis.info("replication")
    return int(said.get("slave_repl_offset", said["master_repl_offset"]))


async def in_step(master: Redis, replicas: Sequence[Redis]) -> None:
    """Waits until all replicas follow the master and have the data that it had. Raises Away."""
    end = monotonic() + LIMIT
    for replica in replicas:
        while True:
            try:
                said = await replica.info("replication")
                if (
                    said.get("master_link_status", "").strip() == "up"
                    and await offset(replica) >= await offset(master) - 100_000
                ):
                    break
            except Away:
                pass
            if monotonic() > end:
                raise Away(f"a replica is not in step within {LIMIT:g} s")
            await asyncio.sleep(0.05)


async def hold_back(master: Redis, replicas: Sequence[Redis]) -> None:
    """Stops the replication, so that only the master has the writes from now on."""
    for replica in replicas:
        await replica.config("masteruser", "nobody")
        await replica.config("masterauth", "nothing")
    await master("CLIENT", "KILL", "TYPE", "replica")


async def let_go(servers: Sequence[Redis]) -> None:
    """Undoes ``hold_back`` on all servers that reply."""
    for server in servers:
        try:
            await server.config("masteruser", "")
            await server.config("masterauth", "")
        except Away:
            continue
