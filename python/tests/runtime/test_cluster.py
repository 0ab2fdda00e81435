"""A slot moves from one node of a cluster to the other, and conversation continues in every phase. Both faces."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import redis.asyncio

from redisipc.runtime.connection import REPLY_LIMIT

from ..support_server import Server
from .faces import NOTICED, Face, until

STREAM = "{moving}"


@pytest.fixture
def stream() -> str:
    return STREAM


class Cluster:
    """Two nodes; the first one has all slots."""

    def __init__(self) -> None:
        self.nodes = [Server("--cluster-enabled", "yes"), Server("--cluster-enabled", "yes")]
        for node in self.nodes:
            node.start()
        self.raw = [redis.Redis.from_url(node.url, decode_responses=True) for node in self.nodes]
        self.ids = [raw.execute_command("CLUSTER", "MYID") for raw in self.raw]
        self.slot = self.raw[0].execute_command("CLUSTER", "KEYSLOT", STREAM)
        self.raw[0].execute_command("CLUSTER", "ADDSLOTS", *range(16384))
        self.raw[1].execute_command("CLUSTER", "SET-CONFIG-EPOCH", 2)
        self.raw[0].execute_command("CLUSTER", "MEET", "127.0.0.1", self.nodes[1].port)
        end = time.monotonic() + 20
        while not all(raw.execute_command("CLUSTER INFO")["cluster_state"] == "ok" for raw in self.raw):
            assert time.monotonic() < end
            time.sleep(0.05)

    def begin(self) -> None:
        """The slot is moving; no key went yet."""
        self.raw[1].execute_command("CLUSTER", "SETSLOT", self.slot, "IMPORTING", self.ids[0])
        self.raw[0].execute_command("CLUSTER", "SETSLOT", self.slot, "MIGRATING", self.ids[1])

    def move_keys(self) -> None:
        """Every key that the first node still has."""
        while keys := self.raw[0].execute_command("CLUSTER", "GETKEYSINSLOT", self.slot, 100):
            self.raw[0].execute_command("MIGRATE", "127.0.0.1", self.nodes[1].port, "", 0, 5000, "KEYS", *keys)

    def finish(self) -> None:
        """The second node has the slot."""
        for raw in reversed(self.raw):
            raw.execute_command("CLUSTER", "SETSLOT", self.slot, "NODE", self.ids[1])

    def stop(self) -> None:
        for raw in self.raw:
            raw.close()
        for node in self.nodes:
            node.stop()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.stop()


async def test_a_slot_that_moves_interrupts_nobody(face: Face, cluster: Cluster) -> None:
    kind = redis.RedisCluster if face.name == "threads" else redis.asyncio.RedisCluster
    client: Any = kind(host="127.0.0.1", port=cluster.nodes[0].port)
    errors: list[Any] = []
    stock = await face.connected(STREAM, "stock", lambda request: request.content, client=client)
    web = face.stream(STREAM, "web", client=client, timeout=10.0)
    web.on_error(errors.append)
    await face.call(web.connect)
    instances = (web.instance, stock.instance)

    async def converses(content: Any) -> None:
        assert await face.call(web.request, content, to="stock") == content

    await converses("before")
    cluster.begin()
    await converses("no key went yet")
    cluster.move_keys()
    await converses("keys are there, the slot is not")
    await converses("once more")
    cluster.finish()
    for n in range(3):
        await converses(n)
    assert (web.instance, stock.instance) == instances
    assert cluster.raw[1].exists(STREAM) == 1
    await until(lambda: web.connected and stock.connected)
    # Redis tells a reader whose key goes away; no connection was lost.
    assert not [error for error in errors if "UNBLOCKED" not in str(error) and "NOGROUP" not in str(error)]
    assert all(str(error).startswith("the stream moved to another node, or ") for error in errors)
    caller = face.module.Caller(STREAM, client=client)
    assert await face.call(caller.request, "asked", "stock") == "asked"
    await face.call(caller.close)
    await face.close()
    await face.call(client.close if face.name == "threads" else getattr(client, "aclose", client.close))


async def test_the_way_back_does_not_wait_for_a_node_that_hangs(face: Face, cluster: Cluster) -> None:
    module: Any = redis if face.name == "threads" else redis.asyncio
    # Clients know the other node, since it has a slot as well.
    for raw in reversed(cluster.raw):
        raw.execute_command("CLUSTER", "SETSLOT", (cluster.slot + 1) % 16384, "NODE", cluster.ids[1])
    nodes = [module.cluster.ClusterNode("127.0.0.1", node.port) for node in reversed(cluster.nodes)]
    client: Any = module.RedisCluster(startup_nodes=nodes)
    stock = await face.connected(STREAM, "stock", lambda request: request.content, client=client)
    web = await face.connected(STREAM, "web", client=client)
    assert await face.call(web.request, 1, to="stock") == 1
    assert stock._session.endpoint.settings.block + REPLY_LIMIT <= NOTICED
    cluster.nodes[1].pause(True)
    cluster.raw[0].client_kill_filter(_type="normal", skipme=True)
    await until(lambda: not web.connected or not stock.connected)
    # One node that hangs costs a limit of a second.
    await until(lambda: web.connected and stock.connected, 4.0)
    cluster.nodes[1].pause(False)
    assert await face.call(web.request, 2, to="stock", timeout=5.0) == 2
    await face.close()
    await face.call(client.close if face.name == "threads" else getattr(client, "aclose", client.close))
