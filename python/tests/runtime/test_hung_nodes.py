"""Nodes that hang, SIGSTOP, while an endpoint or a caller connects: the way to a node that works stays short."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio

from ..support_server import Server
from .faces import Face, until
from .test_cluster import STREAM, Cluster
from .test_sentinels import Sentinels

AIM = 2.0
"""Seconds from a failover to the first success."""
LATE = 1.0
"""Seconds more for a busy machine."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.nodes[0].pause(False)
    cluster.nodes[1].pause(False)
    cluster.stop()


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    servers = [Server(), Server()]
    for server in servers:
        server.start()
    yield servers
    for server in servers:
        server.stop()


def client_of(face: Face, cluster: Cluster) -> Any:
    module: Any = redis if face.name == "threads" else redis.asyncio
    nodes = [module.cluster.ClusterNode("127.0.0.1", node.port) for node in cluster.nodes]
    return module.RedisCluster(startup_nodes=nodes)


async def close(face: Face, client: Any) -> None:
    await face.call(client.close if face.name == "threads" else getattr(client, "aclose", client.close))


def sentinel_client(face: Face, sentinels: Sentinels) -> Any:
    kind: Any = redis.sentinel.Sentinel if face.name == "threads" else redis.asyncio.sentinel.Sentinel
    return kind([("127.0.0.1", port) for port in sentinels.ports]).master_for("main")


async def back_after(member: Any, hang: Callable[[], None], take_over: Callable[[], None]) -> float:
    """Seconds from a take-over until ``member`` is back. The master hung for so long that attempts to reach it take 5 s."""
    session = member._session
    driver = session.driver
    hang()

    def silent(now: float) -> None:
        for connection in driver.connections:
            connection.patience = 5.0
        driver.lost(driver.writer, "it hangs", now)

    session.call(silent)
    await until(lambda: not member.connected)
    await asyncio.sleep(0.5)
    await asyncio.to_thread(take_over)
    start = time.monotonic()
    await until(lambda: member.connected, 15.0)
    return time.monotonic() - start


def gives_one_slot_away(cluster: Cluster) -> None:
    """Clients know the other node only if it has a slot as well."""
    for raw in reversed(cluster.raw):
        raw.execute_command("CLUSTER", "SETSLOT", (cluster.slot + 1) % 16384, "NODE", cluster.ids[1])


async def test_a_node_that_takes_over_late_is_reached_within_2_s(face: Face, cluster: Cluster) -> None:
    gives_one_slot_away(cluster)
    client = client_of(face, cluster)
    member = await face.connected(STREAM, "stock", lambda request: request.content, client=client)
    took = await back_after(
        member,
        lambda: cluster.nodes[0].pause(True),
        lambda: cluster.raw[1].execute_command("CLUSTER", "SETSLOT", cluster.slot, "NODE", cluster.ids[1]),
    )
    assert took < AIM + LATE
    await face.close()
    await close(face, client)


async def test_a_master_that_sentinels_name_late_is_reached_within_2_s(
    face: Face, servers: list[Server], tmp_path: Path
) -> None:
    old, new = servers
    sentinels = Sentinels(old, tmp_path)
    try:
        member = await face.connected(
            "sent", "stock", lambda request: request.content, client=sentinel_client(face, sentinels)
        )

        def take_over() -> None:
            for port in sentinels.ports:
                with redis.Redis(port=port) as raw:
                    raw.execute_command("SENTINEL REMOVE", "main")
                    raw.execute_command("SENTINEL MONITOR", "main", "127.0.0.1", new.port, 2)

        took = await back_after(member, lambda: old.pause(True), take_over)
        assert took < AIM + LATE
        await face.close()
    finally:
        sentinels.stop()


async def test_a_caller_does_not_wait_for_a_node_that_hangs(face: Face, cluster: Cluster) -> None:
    gives_one_slot_away(cluster)
    client = client_of(face, cluster)
    await face.connected(STREAM, "stock", lambda request: request.content, client=client)
    caller = face.module.Caller(STREAM, client=client)
    assert await face.call(caller.request, 1, "stock") == 1
    await face.call(caller.close)
    cluster.nodes[1].pause(True)
    try:
        for number in range(2):
            assert await face.call(caller.request, number, "stock", timeout=2.0) == number
            await face.call(caller.close)
    finally:
        cluster.nodes[1].pause(False)
    await face.close()
    await close(face, client)


async def test_a_caller_does_not_wait_for_a_sentinel_that_hangs(
    face: Face, servers: list[Server], tmp_path: Path
) -> None:
    sentinels = Sentinels(servers[0], tmp_path)
    try:
        client = sentinel_client(face, sentinels)
        await face.connected("sent", "stock", lambda request: request.content, client=client)
        caller = face.module.Caller("sent", client=client)
        sentinels.processes[0].send_signal(signal.SIGSTOP)
        for number in range(2):
            assert await face.call(caller.request, number, "stock", timeout=2.0) == number
            await face.call(caller.close)
        await face.close()
    finally:
        sentinels.stop()


async def test_a_node_that_a_redirection_named_is_reached_without_a_question(
    face: Face, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(face, cluster)
    member = await face.connected(STREAM, "stock", lambda request: request.content, client=client)
    connector = member._session._host._connector
    monkeypatch.setattr(connector._slots, "to_ask", list)
    opened = await face.call(connector.connect, "named", place=("127.0.0.1", cluster.nodes[1].port))
    (opened if face.name == "threads" else opened.transport).close()
    await face.close()
    await close(face, client)
