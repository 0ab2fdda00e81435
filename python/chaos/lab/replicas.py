"""Replication: who is the master, who follows, and how far behind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic

from .redis import Away, Redis

LIMIT = 40.0
"""Seconds within which replicas must be in step, and a failover must have a new master."""


async def role(redis: Redis) -> str:
    """``master``, ``slave``, or an empty text where it does not answer."""
    try:
        return (await redis.info("replication"))["role"].strip()
    except Away:
        return ""


async def offset(redis: Redis) -> int:
    """How many bytes of the replication stream it has."""
    said = await redis.info("replication")
    return int(said.get("slave_repl_offset", said["master_repl_offset"]))


async def in_step(master: Redis, replicas: Sequence[Redis]) -> None:
    """Waits until all of them follow and have what the master had. Raises Away."""
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
    """The replicas follow no longer: what is written from now on, only the master has."""
    for replica in replicas:
        await replica.config("masteruser", "nobody")
        await replica.config("masterauth", "nothing")
    await master("CLIENT", "KILL", "TYPE", "replica")


async def let_go(servers: Sequence[Redis]) -> None:
    """Undoes ``hold_back`` on all that answer."""
    for server in servers:
        try:
            await server.config("masteruser", "")
            await server.config("masterauth", "")
        except Away:
            continue
