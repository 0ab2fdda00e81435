"""All machines were replaced since the last connection: the address that the user gave leads to the new ones."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio

from ..support_server import Server
from .faces import Face, until
from .test_cluster import STREAM, Cluster
from .test_hung_nodes import AIM, LATE, close
from .test_sentinels import Sentinels

NAME = "given.test"
OURS = 7000
"""The port that the user gave beside the name."""


@pytest.fixture
def leads_to(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Call it with the port of the server that the name leads to from now on, as a name server or a balancer would."""
    ports: list[int] = []
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        return real("127.0.0.1", ports[-1], *more, **options) if host == NAME else real(host, port, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return ports.append


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.stop()


async def test_a_cluster_of_new_nodes_is_found_by_the_given_name(
    face: Face, cluster: Cluster, leads_to: Callable[[int], None]
) -> None:
    module: Any = redis if face.name == "threads" else redis.asyncio
    leads_to(cluster.nodes[0].port)
    # Only the first node has slots, so nobody hears of the second one.
    client = module.RedisCluster(host=NAME, port=OURS)
    if not hasattr(client, "startup_nodes"):
        pytest.skip("this redis-py forgets the nodes that it was given")
    member = await face.connected(STREAM, "stock", lambda request: request.content, client=client)
    caller = face.module.Caller(STREAM, client=client)
    assert await face.call(caller.request, 1, "stock") == 1
    leads_to(cluster.nodes[1].port)
    cluster.raw[1].execute_command("CLUSTER", "SETSLOT", cluster.slot, "NODE", cluster.ids[1])
    cluster.nodes[0].kill()
    await until(lambda: not member.connected)
    await until(lambda: member.connected, AIM + LATE)
    assert await face.call(caller.request, 2, "stock", timeout=5.0) == 2
    await face.call(caller.close)
    await face.close()
    await close(face, client)


async def test_a_node_that_only_a_redirection_named_is_asked(face: Face, cluster: Cluster) -> None:
    kind: Any = redis.RedisCluster if face.name == "threads" else redis.asyncio.RedisCluster
    client = kind(host="127.0.0.1", port=cluster.nodes[0].port)
    connector = face.module.Caller(STREAM, client=client)._connector

    async def opens(**where: Any) -> None:
        opened = await face.call(connector.connect, "named", **where)
        (opened if face.name == "threads" else opened.transport).close()

    await opens()
    cluster.finish()
    await opens(place=("127.0.0.1", cluster.nodes[1].port))
    cluster.nodes[0].kill()
    await opens()
    await close(face, client)


async def test_new_sentinels_are_found_by_the_given_name(
    face: Face, leads_to: Callable[[int], None], tmp_path: Path
) -> None:
    old, new = Server(), Server()
    for server in (old, new):
        server.start()
    folders = [tmp_path / "old", tmp_path / "new"]
    for folder in folders:
        folder.mkdir()
    watchers = [Sentinels(server, folder) for server, folder in zip((old, new), folders, strict=True)]
    try:
        leads_to(watchers[0].ports[0])
        module: Any = redis.sentinel if face.name == "threads" else redis.asyncio.sentinel
        client = module.Sentinel([(NAME, OURS)]).master_for("main")
        member = await face.connected("sent", "stock", lambda request: request.content, client=client)
        leads_to(watchers[1].ports[0])
        watchers[0].stop()
        old.kill()
        await until(lambda: not member.connected)
        await until(lambda: member.connected, AIM + LATE)
        await face.close()
    finally:
        for each in watchers:
            each.stop()
        for server in (old, new):
            server.stop()
