"""Time that a test sets forward."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

import redisipc
from redisipc import RequestTimeout
from redisipc.asyncio import Caller, Stream
from redisipc.testing import Hub, StillWaiting


async def test_a_timeout_comes_at_once_when_time_is_set_forward(hub: Hub) -> None:
    hub.peer("child").never()
    async with Stream("shop", "web", client=hub) as web:
        begin = time.monotonic()
        asked = asyncio.ensure_future(web.request(1, to="child", timeout=60))
        await hub.advance(59)
        assert not asked.done()
        await hub.advance(2)
        with pytest.raises(RequestTimeout, match="within 60 s"):
            await asked
        assert time.monotonic() - begin < 20


async def test_a_handler_that_sleeps_ends_when_its_time_has_come(hub: Hub) -> None:
    async def handle(request: Any) -> str:
        await asyncio.sleep(30)
        return "slept"

    stock = Stream("shop", "stock", client=hub)
    stock.on_request(handle)
    async with stock, Stream("shop", "web", client=hub) as web:
        asked = asyncio.ensure_future(web.request(1, to="stock", timeout=100))
        await hub.advance(29)
        assert not asked.done()
        await hub.advance(2)
        assert await asked == "slept"
        assert hub.requests[0].takers == [f"stock/{stock.instance}"]


async def test_a_request_whose_instance_died_is_taken_over_in_time(hub: Hub) -> None:
    hangs = asyncio.Event()

    async def hang(request: Any) -> None:
        hangs.set()
        await asyncio.sleep(1000)

    first = Stream("shop", "stock", client=hub)
    first.on_request(hang)
    await first.connect()
    async with Stream("shop", "web", client=hub) as web:
        asked = asyncio.ensure_future(web.request(1, to="stock", timeout=60))
        await hangs.wait()
        second = Stream("shop", "stock", client=hub)
        second.on_request(lambda request: [request.starts, request.redelivered])
        async with second:
            hub.server.banned.add(f"stock/{first.instance}")
            hub.cut("stock")
            await hub.advance(20)
            assert await asked == [2, True]
        hub.mend()
        await hub.advance(5)
    await first.disconnect(0)


async def test_a_caller_s_time_goes_by_too(hub: Hub) -> None:
    hub.peer("child", stream="shop").answers(7, after=50)
    async with Caller("shop", client=hub) as caller:
        asked = asyncio.ensure_future(caller.request(1, to="child", timeout=60))
        await hub.advance(45)
        assert not asked.done()
        await hub.advance(10)
        assert await asked == 7


async def test_a_request_is_as_old_as_the_time_that_went_by(hub: Hub) -> None:
    ages: list[float] = []

    async def handle(request: redisipc.Request) -> None:
        await asyncio.sleep(10)
        ages.append(request.age)

    stock = Stream("shop", "stock", client=hub)
    stock.on_request(handle)
    async with stock, Stream("shop", "web", client=hub) as web:
        asked = asyncio.ensure_future(web.request(1, to="stock", timeout=60))
        await hub.advance(11)
        await asked
    assert 10 <= ages[0] < 15


async def test_work_in_threads_is_waited_for(hub: Hub) -> None:
    async def handle(request: Any) -> int:
        return await asyncio.to_thread(lambda: (time.sleep(0.05), 7)[1])

    stock = Stream("shop", "stock", client=hub)
    stock.on_request(handle)
    async with stock, Stream("shop", "web", client=hub) as web:
        asked = asyncio.ensure_future(web.request(1, to="stock", timeout=5))
        await hub.advance(0.5)
        assert await asked == 7


async def test_who_does_not_come_to_rest_is_named(hub: Hub) -> None:
    async def spins() -> None:
        while True:
            await asyncio.sleep(0)

    spinner = asyncio.create_task(spins(), name="the spinner")
    with pytest.raises(StillWaiting, match=r"does not come to rest: the spinner in .*spins"):
        await hub.advance(1)
    spinner.cancel()


async def test_threads_that_work_too_long_are_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr("redisipc.testing.virtual.PATIENCE", 0.1)
    go_on = threading.Event()
    work = asyncio.ensure_future(asyncio.to_thread(go_on.wait, 30))
    await asyncio.sleep(0.01)
    with pytest.raises(StillWaiting, match=r"1 threads have worked for 0.1 s"):
        await hub.advance(1)
    go_on.set()
    await work


def test_what_is_in_redis_grows_old(hub: Hub) -> None:
    with redisipc.Stream("shop", "stock", client=hub) as stock:
        key = f"shop:stock:{stock.instance}:consumers".encode()
        with hub.server.lock:
            assert hub.server.model(0).exists(key)
        hub.age(1000)
        with hub.server.lock:
            assert not hub.server.model(0).exists(key)
