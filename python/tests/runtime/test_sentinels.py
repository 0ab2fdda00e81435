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

from ..support_server import Server, die_with_parent, free_port, program
from .faces import Face, until


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
    before = {stock.instance, web.instance}
    sentinels.processes[0].send_signal(how)
    with redis.Redis(port=server.port) as raw:
        raw.client_kill_filter(_type="normal", skipme=True)
    await until(lambda: not web.connected or not stock.connected)
    # A Sentinel that hangs costs one limit of a second, and is asked last the next time.
    await until(lambda: web.connected and stock.connected, 4.0)
    assert await face.call(web.request, 2, to="stock", timeout=5.0) == 2
    assert {stock.instance, web.instance} == before
