"""Handlers that are wrong about time, order, or what they leave behind, and the test that shows it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

from redisipc import RequestTimeout
from redisipc.testing import Hub, make_request

from .wrong import Served, shows


async def test_12_it_blocks_the_event_loop() -> None:
    def wrong(work: Callable[[], int]) -> Any:
        async def handle(request: Any) -> int:
            return work()

        return handle

    def right(work: Callable[[], int]) -> Any:
        async def handle(request: Any) -> int:
            return await asyncio.to_thread(work)

        return handle

    async def check(hub: Hub, made: Any) -> None:
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.001)

        def work() -> int:
            before = turns
            threading.Event().wait(0.1)
            return turns - before

        turning = asyncio.ensure_future(turn())
        try:
            async with Served(hub, made(work)) as served:
                assert await served.web.request(1, to="stock") > 0
        finally:
            turning.cancel()

    await shows(check, wrong=wrong, right=right)


async def test_13_it_swallows_its_cancellation() -> None:
    async def wrong(request: Any) -> int:
        try:
            await asyncio.sleep(60)
        except BaseException:
            return 0
        return 1

    async def right(request: Any) -> int:
        try:
            await asyncio.sleep(60)
        except Exception:
            return 0
        return 1

    async def check(hub: Hub, handler: Any) -> None:
        running = asyncio.ensure_future(handler(make_request(1)))
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()

    await shows(check, wrong=wrong, right=right)


async def test_14_it_depends_on_the_order() -> None:
    def wrong(price: dict[str, int]) -> Any:
        async def handle(request: Any) -> None:
            await asyncio.sleep(request.content["takes"])
            price.update(request.content)

        return handle

    def right(price: dict[str, int]) -> Any:
        async def handle(request: Any) -> None:
            await asyncio.sleep(request.content["takes"])
            if request.content["version"] > price["version"]:
                price.update(request.content)

        return handle

    async def check(hub: Hub, made: Any) -> None:
        price = {"version": 0, "cents": 0}
        async with Served(hub, made(price)) as served:
            older = served.web.submit({"version": 1, "cents": 90, "takes": 2}, to="stock")
            newer = served.web.submit({"version": 2, "cents": 95, "takes": 1}, to="stock")
            await hub.advance(3)
            await asyncio.gather(older, newer)
        assert price["cents"] == 95

    await shows(check, wrong=wrong, right=right)


async def test_15_it_leaves_a_request_of_its_own_behind() -> None:
    def wrong(served: list[Served]) -> Any:
        async def handle(request: Any) -> int:
            asked = served[0].stock.submit(request.content, to="log", timeout=60)
            asked.add_done_callback(lambda done: done.exception())
            return 1

        return handle

    def right(served: list[Served]) -> Any:
        async def handle(request: Any) -> int:
            with contextlib.suppress(RequestTimeout):
                await served[0].stock.request(request.content, to="log", timeout=1)
            return 1

        return handle

    async def check(hub: Hub, made: Any) -> None:
        hub.peer("log").never()
        known: list[Served] = []
        async with Served(hub, made(known)) as served:
            known.append(served)
            asked = asyncio.ensure_future(served.web.request(1, to="stock", timeout=3))
            await hub.advance(2)
            assert await asked == 1
            assert served.stock.outstanding == 0, hub.story()

    await shows(check, wrong=wrong, right=right)
