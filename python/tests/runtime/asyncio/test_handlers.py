"""Handlers of asyncio: plain and async, in tasks of their own, cancelled at the end of the grace."""

from __future__ import annotations

import asyncio
from typing import Any

from .conftest import Connect


async def test_plain_and_async_handlers_both_work(connect: Connect) -> None:
    async def waiting(request: Any) -> str:
        await asyncio.sleep(0.01)
        return "async"

    await connect("one", waiting)
    await connect("two", lambda request: "plain")
    web = await connect("web")
    assert await web.request(1, to="one") == "async"
    assert await web.request(1, to="two") == "plain"


async def test_handlers_run_in_tasks_of_their_own(connect: Connect) -> None:
    async def handle(request: Any) -> bool:
        async with asyncio.timeout(1) if hasattr(asyncio, "timeout") else _nothing():
            return asyncio.current_task() is not None

    await connect("stock", handle)
    web = await connect("web")
    assert await web.request(1, to="stock")


class _nothing:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: Any) -> None: ...


async def test_an_on_error_may_be_async(connect: Connect, raw: Any, stream: str) -> None:
    seen: list[Exception] = []

    async def report(error: Exception) -> None:
        await asyncio.sleep(0)
        seen.append(error)

    stock = await connect("stock")
    stock.on_error(report)
    raw.xadd(stream, {"destination_group": "stock"})
    await asyncio.sleep(0.1)
    assert len(seen) == 1


async def test_handlers_that_outlive_the_grace_are_cancelled(connect: Connect) -> None:
    ended = asyncio.Event()

    async def handle(request: Any) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    stock = await connect("stock", handle)
    web = await connect("web")
    web.submit(1, to="stock").add_done_callback(lambda future: future.cancelled() or future.exception())
    await asyncio.sleep(0.1)
    await stock.disconnect(0.1)
    assert ended.is_set()


async def test_a_handler_that_outlives_the_grace_is_a_rejection_and_no_error_of_its_own(connect: Connect) -> None:
    errors: list[Any] = []

    async def handle(request: Any) -> None:
        await asyncio.sleep(60)

    stock = await connect("stock", handle)
    stock.on_error(errors.append)
    web = await connect("web")
    web.submit(1, to="stock").add_done_callback(lambda future: future.cancelled() or future.exception())
    await asyncio.sleep(0.1)
    await stock.disconnect(0.1)
    await asyncio.sleep(0.05)
    assert [error.kind for error in errors] == ["closing"]


async def test_a_handler_that_postponed_its_answer_is_not_taken_for_interrupted(connect: Connect) -> None:
    """The look between two turns may come after its end and before the core has heard of that."""
    held: list[Any] = []

    async def handle(request: Any) -> None:
        held.append(request.later())

    stock = await connect("stock", handle)
    web = await connect("web")
    session: Any = stock._session
    waiting = [web.submit(number, to="stock") for number in range(20)]
    while len(held) < len(waiting):
        for job in list(session.started.values()):
            job.look_after()
        await asyncio.sleep(0)
    for _ in range(20):
        for job in list(session.started.values()):
            job.look_after()
        await asyncio.sleep(0)
    for request in held:
        request.fulfill("late")
    assert await asyncio.gather(*waiting) == ["late"] * len(waiting)
