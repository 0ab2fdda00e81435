"""Ways to a server: a socket file, TLS, a cluster, a Sentinel. Both faces."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
import redis.asyncio.sentinel

from redisipc import ConfigurationError

from ..support_server import Server, die_with_parent, free_port, program
from .faces import Face, until

pytestmark = pytest.mark.slow

Start = Callable[..., Server]


@pytest.fixture
def stream() -> str:
    return "ways"


@pytest.fixture
def start() -> Iterator[Start]:
    servers: list[Server] = []

    def start(*options: str) -> Server:
        server = Server(*options)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


async def converse(face: Face, name: str, **where: Any) -> tuple[Any, Any]:
    """Two endpoints on the stream ``name`` that have exchanged a request."""
    stock = await face.connected(name, "stock", lambda request: request.content, **where)
    web = await face.connected(name, "web", **where)
    assert await face.call(web.request, 1, to="stock") == 1
    return stock, web


async def test_a_socket_file(face: Face, start: Start, tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    start("--unixsocket", str(path))
    await converse(face, "ways", url=f"unix://{path}")


async def test_tls(face: Face, start: Start, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(
        [*command.split(), "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    port = free_port()
    files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(certificate)]
    try:
        start("--tls-port", str(port), "--tls-auth-clients", "no", *files)
    except RuntimeError as error:
        if "TLS support" not in str(error) and "Bad directive" not in str(error):
            raise
        pytest.skip("this server was built without TLS")
    url = f"rediss://127.0.0.1:{port}?ssl_ca_certs={certificate}&ssl_check_hostname=false"
    _, web = await converse(face, "ways", url=url, timeout=20)
    large = "x" * 3_000_000
    assert await face.call(web.request, large, to="stock") == large


async def shut(face: Face, client: Any) -> None:
    """Close a client of redis-py; in asyncio that is ``aclose``, but for 5.0.0."""
    await face.call(client.close if face.name == "threads" else getattr(client, "aclose", client.close))


def connections(raw: redis.Redis) -> set[str]:
    """The ids of the connections on which endpoints write and read."""
    ours = [row for row in raw.client_list() if row["name"].startswith("redisipc:")]
    return {row["id"] for row in ours if row["name"].endswith((":write", ":read"))}


class TestCluster:
    """One node that holds all slots."""

    @pytest.fixture
    def node(self, start: Start) -> Server:
        node = start("--cluster-enabled", "yes")
        with redis.Redis.from_url(node.url) as client:
            client.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
            end = time.monotonic() + 10
            while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
                assert time.monotonic() < end
                time.sleep(0.02)
        return node

    def client(self, face: Face, node: Server) -> Any:
        kind = redis.RedisCluster if face.name == "threads" else redis.asyncio.RedisCluster
        return kind(host="127.0.0.1", port=node.port)

    async def test_with_a_hash_tag_it_converses_and_recovers(self, face: Face, node: Server) -> None:
        client = self.client(face, node)
        _, web = await converse(face, "{ways}", client=client)
        with redis.Redis.from_url(node.url) as raw:
            old = connections(raw)
            for number in old:
                raw.client_kill_filter(_id=number)
            # What was written to a connection that was cut is never written again: wait until both have new ones.
            await until(lambda: len(connections(raw) - old) >= 4 and web.connected)
        assert await face.call(web.request, 2, to="stock") == 2
        await face.close()
        await shut(face, client)

    async def test_without_a_hash_tag_it_is_refused(self, face: Face, node: Server) -> None:
        client = self.client(face, node)
        with pytest.raises(ConfigurationError, match=r"braces: '\{ways\}'"):
            await face.call(face.stream("ways", "web", client=client).connect)
        await shut(face, client)


async def test_sentinel(face: Face, start: Start, tmp_path: Path) -> None:
    """The master dies, its replica is promoted, and both endpoints find it."""
    master = start()
    replica = start("--replicaof", "127.0.0.1", str(master.port))
    with redis.Redis.from_url(replica.url) as client:
        await until(lambda: client.info("replication")["master_link_status"] == "up", 10)
    config, port = tmp_path / "sentinel.conf", free_port()
    config.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor shop 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds shop 300\nsentinel failover-timeout shop 2000\n"
    )
    process = subprocess.Popen(
        [str(program()), str(config), "--sentinel"], stdout=subprocess.DEVNULL, preexec_fn=die_with_parent
    )
    try:
        module: Any = redis.sentinel if face.name == "threads" else redis.asyncio.sentinel
        sentinel = module.Sentinel([("127.0.0.1", port)], socket_timeout=1)
        with redis.Redis(port=port) as client:
            await until(lambda: _knows_replica(client), 15)
        stock, web = await converse(face, "ways", client=sentinel.master_for("shop"))
        master.kill()
        await until(lambda: not web.connected)
        await until(lambda: web.connected and stock.connected, 20)
        assert await face.call(web.request, 2, to="stock", timeout=9) == 2
        await face.close()
        for one in sentinel.sentinels:
            await shut(face, one)
    finally:
        process.terminate()
        process.wait()


def _knows_replica(client: redis.Redis) -> bool:
    try:
        return int(client.execute_command("SENTINEL MASTER", "shop")["num-slaves"]) >= 1
    except redis.ConnectionError:
        return False
