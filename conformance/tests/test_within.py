"""A wait of limited length, and what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from redisipc_conformance.context.budget_clock import BudgetClock
from redisipc_conformance.within import within

Wait = Callable[[Coroutine[Any, Any, Any], float], Awaitable[Any]]


async def by_the_budget(work: Coroutine[Any, Any, Any], seconds: float) -> Any:
    async with BudgetClock() as clock:
        return await clock.wait(asyncio.ensure_future(work), seconds)


@pytest.mark.parametrize("wait", [within, by_the_budget])
@pytest.mark.parametrize("fails_first", [True, False])
async def test_a_failure_at_the_moment_of_the_cancellation_is_not_reported(wait: Wait, fails_first: bool) -> None:
    reports: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reports.append(context))
    lost = asyncio.Event()

    async def fails() -> None:
        await lost.wait()
        raise ConnectionResetError("the server is gone")

    async def waits() -> None:
        await wait(fails(), 5.0)

    waiting = asyncio.create_task(waits())
    await asyncio.sleep(0.01)
    if fails_first:
        lost.set()
        await asyncio.sleep(0)
    waiting.cancel()
    lost.set()
    assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], BaseException)
    del waiting
    gc.collect()
    await asyncio.sleep(0)
    assert reports == []
