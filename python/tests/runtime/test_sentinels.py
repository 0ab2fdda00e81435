"""The way to a master over Sentinels: one that is gone, or hangs, does not hold it."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio

from redisipc import ConnectionLost
from redisipc.runtime.connection import REPLY_LIMIT

from ..support_server import Server, die_with_parent, free_port, program
from .faces import NOTICED, Face, until


class Sentinels:
    """Two Sentinels that watch one master. ``ports``, in the order in which clients learn of them."""

    def __init__(self, master: Server, folder: Path) -> None:
        self.ports = [free_port(), free_port()]
        self.processes = [self._start(master, port, folder) for port in self.ports]
        end = time.monotonic() + 10
        for port in self.ports:
            with redis.Redis(port=port) as raw:
                while True:
                    try:
                        assert raw.sentinel_masters()
                        break
                    except redis.ConnectionError:
                        assert time.monotonic() < end
                        time.sleep(0.02)

    def _start(self, master: Server, port: int, folder: Path) -> subprocess.Popen[bytes]:
        config = folder / f"sentinel-{port}.conf"
        config.write_text(f"port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {master.port} 2\n")
        command = [str(program()), str(config), "--sentinel"]
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def sentinels(server: Server, tmp_path: Path) -> Iterator[Sentinels]:
    found = Sentinels(server, tmp_path)
    yield found
    found.stop()


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
async def test_the_way_back_does_not_wait_for_a_sentinel_that_does_not_answer(
    face: Face, server: Server, sentinels: Sentinels, how: signal.Signals
) -> None:
    kind: Any = redis.sentinel.Sentinel if face.name == "threads" else redis.asyncio.sentinel.Sentinel
    client = kind([("127.0.0.1", port) for port in sentinels.ports]).master_for("main")
    stock = await face.connected("sent", "stock", lambda request: request.content, client=client)
    web = await face.connected("sent", "web", client=client)
    assert await face.call(web.request, 1, to="stock") == 1
    assert stock._session.endpoint.settings.block + REPLY_LIMIT <= NOTICED
    before = {stock.instance, web.instance}
    sentinels.processes[0].send_signal(how)
    with redis.Redis(port=server.port) as raw:
        raw.client_kill_filter(_type="normal", skipme=True)
    await until(lambda: not web.connected or not stock.connected)
    # A Sentinel that hangs costs one limit of a second, and is asked last the next time.
    await until(lambda: web.connected and stock.connected, 4.0)
    assert await face.call(web.request, 2, to="stock", timeout=5.0) == 2
    assert {stock.instance, web.instance} == before


def client_of(face: Face, ports: list[int], name: str) -> Any:
    kind: Any = redis.sentinel.Sentinel if face.name == "threads" else redis.asyncio.sentinel.Sentinel
    return kind([("127.0.0.1", port) for port in ports]).master_for(name)


async def test_where_no_sentinel_knows_the_master_each_is_named_in_words(face: Face, sentinels: Sentinels) -> None:
    gone = free_port()
    stock = face.stream("sent", "stock", connect_timeout=0.5, client=client_of(face, [*sentinels.ports, gone], "mian"))
    with pytest.raises(ConnectionLost) as caught:
        await face.call(stock.connect)
    first, second = (f"127.0.0.1:{port}" for port in sentinels.ports)
    said = str(caught.value)
    assert f"no Sentinel names a master for 'mian': {first} knows only 'main', {second} knows only 'main', " in said
    assert f"127.0.0.1:{gone} did not answer (Error 111 connecting to 127.0.0.1:{gone}. Connection refused)" in said
    assert said.endswith(
        "; check that the Sentinels run and agree on a master, and the name that master_for() was given"
    )


async def test_a_dead_master_and_a_dead_sentinel_are_told_in_words(
    face: Face, server: Server, sentinels: Sentinels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redisipc.protocol.away._REPORT_AFTER", 0.2)
    told: list[Any] = []
    stock = face.stream("sent", "stock", client=client_of(face, sentinels.ports, "main"))
    stock.on_error(told.append)
    await face.call(stock.connect)
    sentinels.processes[0].kill()
    with redis.Redis(port=sentinels.ports[1]) as raw:
        raw.execute_command("SENTINEL REMOVE", "main")
    server.kill()
    await until(lambda: any("no Sentinel names a master for 'main': " in str(error) for error in told))
    for error in map(str, told):
        assert "<redis" not in error
        assert "Error(" not in error
    assert str(told[-1]).startswith("still no connection to Redis after 0 s, trying again: no Sentinel names a master")
    assert "; check that the Sentinels run" in str(told[-1])
