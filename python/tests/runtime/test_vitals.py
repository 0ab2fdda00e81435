"""How an endpoint is, and who is in another group: numbers, health, ping."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from redisipc import Health, RequestTimeout, Stats

from ..support_server import Server
from .faces import Face, Gate, until


async def test_it_counts_what_it_does(face: Face, stream: str) -> None:
    gate = Gate()

    async def handle(request: Any) -> Any:
        if request.content == "wait":
            await gate.wait()
        if request.content == "fail":
            raise ValueError
        return request.content

    stock = await face.connected(stream, "stock", face.handler(handle), concurrency=1)
    stock.on_error(lambda error: None)
    web = await face.connected(stream, "web")
    assert await face.call(web.request, 1, to="stock") == 1
    assert (await face.call(web.send_to_group, "fail", to="stock")).rejected
    waiting = [web.submit("wait", to="stock"), web.submit("wait", to="stock")]
    await until(lambda: stock.stats().waiting == 1)
    numbers = stock.stats()
    assert (numbers.running, numbers.fulfilled, numbers.rejected, numbers.failed) == (1, 1, 1, 1)
    assert numbers.oldest > 0
    assert 2 <= numbers.connections <= 3
    assert web.stats().outstanding == 2
    assert (await face.call(web.send_to_group, 1, to="nobody", timeout=0.1)).timed_out
    assert web.stats().timeouts == 1
    gate.open()
    for future in waiting:
        await face.outcome(future)
    assert stock.health().ok


async def test_health_names_the_state_and_since_when(face: Face, stream: str) -> None:
    made = face.stream(stream, "stock")
    assert (made.health(), made.stats()) == (Health("not connected"), Stats())
    await face.call(made.connect)
    assert (made.health().state, made.health().reason) == ("up", "")
    assert made.health().since > 1_000_000_000


async def test_handlers_that_do_not_end_are_seen_in_the_health(face: Face, stream: str) -> None:
    gate = Gate()

    async def handle(request: Any) -> None:
        await gate.wait()

    stock = await face.connected(stream, "stock", face.handler(handle), concurrency=1, timeout=0.2)
    web = await face.connected(stream, "web")
    future = web.submit(1, to="stock", timeout=5.0)
    health = await until(lambda: stock.health().state == "busy" and stock.health())
    assert "all 1 handlers are busy" in health.reason
    assert not health.ok
    gate.open()
    await face.outcome(future)
    await until(lambda: stock.health().ok)


async def test_who_is_there_is_known_without_a_request(face: Face, stream: str) -> None:
    web = await face.connected(stream, "web")
    assert await face.call(web.ping, "stock") == ()
    with pytest.raises(RequestTimeout, match="no living instance") as caught:
        await face.call(web.wait_for_group, "stock", timeout=0.3)
    assert caught.value.diagnosis == "no_live_instance"
    waiting = asyncio.ensure_future(face.call(web.wait_for_group, "stock", timeout=10))
    await asyncio.sleep(0)
    stock = await face.connected(stream, "stock", lambda request: 1)
    (peer,) = await waiting
    assert (peer.instance, peer.implementation, peer.language) == (stock.instance, "redisipc", "python")
    await face.call(stock.disconnect)
    assert await face.call(web.ping, "stock") == ()


async def test_who_waits_for_a_group_learns_that_redis_is_away(face: Face, stream: str) -> None:
    server = Server()
    server.start()
    web = await face.connected(stream, "web", url=server.url)
    server.kill()
    with pytest.raises(
        RequestTimeout, match=r"did not show within 0\.5 s who is in group 'stock': no working"
    ) as caught:
        await face.call(web.wait_for_group, "stock", timeout=0.5)
    assert caught.value.diagnosis == "redis_away"
    server.stop()


async def test_debug_has_one_line_a_request(face: Face, stream: str, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG, "redisipc")
    await face.connected(stream, "stock", lambda request: 1)
    web = await face.connected(stream, "web")
    response = await face.call(web.send_to_group, 1, to="stock")
    lines = await until(lambda: [r.getMessage() for r in caplog.records if response.request_id in r.getMessage()])
    assert len(lines) == 1
    assert "to 'stock': fulfilled after" in lines[0]
