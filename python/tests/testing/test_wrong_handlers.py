"""Handlers with a mistake each, and the test that shows it. The same test passes for the handler without the mistake.

More of them, about time and order, are in ``test_wrong_handlers_in_time.py``.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest

from redisipc import Reject, Rejected
from redisipc.asyncio import Stream
from redisipc.testing import Hub, make_request

from .wrong import Served, shows, until

user: ContextVar[str] = ContextVar("user", default="nobody")


async def test_1_it_is_not_idempotent() -> None:
    def wrong(levels: dict[str, int]) -> Any:
        def handle(request: Any) -> int:
            levels["tea"] -= 1
            return levels["tea"]

        return handle

    def right(levels: dict[str, int]) -> Any:
        done: dict[str, int] = {}

        def handle(request: Any) -> int:
            if request.id not in done:
                levels["tea"] -= 1
                done[request.id] = levels["tea"]
            return done[request.id]

        return handle

    async def check(hub: Hub, made: Any) -> None:
        levels = {"tea": 10}
        runs: list[int] = []
        handler = made(levels)
        async with Served(hub, lambda request: (handler(request), runs.append(1))[0]) as served:
            with hub.worst_case():
                await served.web.request({"sku": "tea"}, to="stock")
                await until(lambda: len(runs) == 2)
        assert levels == {"tea": 9}

    await shows(check, wrong=wrong, right=right)


async def test_2_it_is_too_slow() -> None:
    def taking(seconds: float) -> Any:
        async def handle(request: Any) -> int:
            await asyncio.sleep(seconds)
            return 1

        return handle

    async def check(hub: Hub, handler: Any) -> None:
        async with Served(hub, handler) as served:
            asked = asyncio.ensure_future(served.web.send_to_group(1, to="stock", timeout=2))
            await hub.advance(3)
            assert (await asked).fulfilled, hub.story()

    await shows(check, wrong=taking(2.5), right=taking(1.0))


async def test_3_it_loses_its_context() -> None:
    async def wrong(request: Any) -> str:
        # An executor's thread has a context of its own.
        return await asyncio.get_running_loop().run_in_executor(None, user.get)

    async def right(request: Any) -> str:
        return await asyncio.to_thread(user.get)

    async def check(hub: Hub, handler: Any) -> None:
        token = user.set("ann")
        try:
            async with Served(hub, handler) as served:
                assert await served.web.request(1, to="stock") == "ann"
        finally:
            user.reset(token)

    await shows(check, wrong=wrong, right=right)


async def test_4_it_never_answers() -> None:
    def wrong(request: Any) -> None:
        request.later()

    def right(request: Any) -> None:
        request.later()
        asyncio.get_running_loop().call_later(0.01, request.fulfill, 1)

    async def check(hub: Hub, handler: Any) -> None:
        async with Served(hub, handler) as served:
            asked = asyncio.ensure_future(served.web.send_to_group(1, to="stock", timeout=5))
            await hub.advance(6)
            await asked
        assert [one.outcome for one in hub.requests] == ["fulfilled"], hub.story()

    await shows(check, wrong=wrong, right=right)


async def test_5_it_answers_twice() -> None:
    def wrong(request: Any) -> None:
        request.fulfill(1)
        request.fulfill(2)

    def right(request: Any) -> None:
        request.fulfill(1)

    async def check(hub: Hub, handler: Any) -> None:
        async with Served(hub, handler) as served:
            assert await served.web.request(1, to="stock") == 1
            await asyncio.sleep(0.01)
            assert served.errors == []

    await shows(check, wrong=wrong, right=right)


async def test_6_it_keeps_what_belongs_to_one_request_where_all_see_it() -> None:
    class Wrong:
        current: Any = None

        async def handle(self, request: Any) -> int:
            self.current = request.content
            await asyncio.sleep(0.01)
            return int(self.current)

    class Right:
        async def handle(self, request: Any) -> int:
            current = request.content
            await asyncio.sleep(0.01)
            return int(current)

    async def check(hub: Hub, handler: Any) -> None:
        async with Served(hub, handler) as served:
            got = await asyncio.gather(*(served.web.request(number, to="stock") for number in range(3)))
            assert got == [0, 1, 2]

    await shows(check, wrong=Wrong().handle, right=Right().handle)


async def test_7_its_result_cannot_be_sent() -> None:
    async def check(hub: Hub, handler: Any) -> None:
        async with Served(hub, handler) as served:
            assert (await served.web.send_to_group(1, to="stock")).fulfilled

    await shows(check, wrong=lambda request: {"when": object()}, right=lambda request: {"when": "today"})


async def test_8_it_does_not_expect_that_who_it_asks_says_no() -> None:
    def asking(hub: Hub, careful: bool) -> Any:
        caller = Stream("shop", "stock-asks", client=hub)

        async def handle(request: Any) -> Any:
            if not caller.connected:
                await caller.connect()
            try:
                return await caller.request(request.content, to="bank")
            except Rejected as error:
                if careful:
                    raise Reject({"code": "not_paid"}) from error
                raise
            finally:
                await caller.disconnect(0)

        return handle

    async def check(hub: Hub, careful: bool) -> None:
        hub.peer("bank").rejects({"code": "no_money"})
        async with Served(hub, asking(hub, careful)) as served:
            assert (await served.web.send_to_group(1, to="stock")).reason == {"code": "not_paid"}
            assert served.errors == []

    await shows(check, wrong=False, right=True)


async def test_9_it_goes_on_when_nobody_waits_any_longer() -> None:
    def cooking(looks: bool) -> tuple[Any, list[int]]:
        steps: list[int] = []

        async def handle(request: Any) -> None:
            for number in range(10):
                if looks and request.cancelled:
                    return
                steps.append(number)
                await asyncio.sleep(3)

        return handle, steps

    async def check(hub: Hub, looks: bool) -> None:
        handler, steps = cooking(looks)
        async with Served(hub, handler) as served:
            asked = asyncio.ensure_future(served.web.send_to_group(1, to="stock", timeout=4))
            await hub.advance(40)
            assert (await asked).timed_out
            assert len(steps) < 5

    await shows(check, wrong=False, right=True)


async def test_10_it_acts_before_it_has_looked_at_what_was_sent() -> None:
    def wrong(levels: dict[str, int], request: Any) -> int:
        levels["tea"] -= 1
        return levels["tea"] - int(request.content["count"]) + 1

    def right(levels: dict[str, int], request: Any) -> int:
        count = int(request.content["count"])
        levels["tea"] -= count
        return levels["tea"]

    async def check(hub: Hub, handler: Any) -> None:
        levels = {"tea": 10}
        with pytest.raises((KeyError, ValueError)):
            handler(levels, make_request({"cuont": 1}))
        assert levels == {"tea": 10}

    await shows(check, wrong=wrong, right=right)


async def test_11_it_waits_for_its_own_group_while_it_is_the_only_one_there() -> None:
    def asking(own: bool, hub: Hub) -> Any:
        served: list[Served] = []

        async def handle(request: Any) -> Any:
            if request.content == 0:
                return 0
            return await served[0].stock.request(0, to="stock" if own else "other", timeout=2)

        return handle, served

    async def check(hub: Hub, own: bool) -> None:
        hub.peer("other").answers(0)
        handler, known = asking(own, hub)
        async with Served(hub, handler, concurrency=1) as served:
            known.append(served)
            asked = asyncio.ensure_future(served.web.send_to_group(1, to="stock", timeout=3))
            await hub.advance(4)
            assert (await asked).fulfilled, hub.story()

    await shows(check, wrong=True, right=False)
