"""The clock of the budgets."""

from __future__ import annotations

import asyncio
import time

import pytest

from redisipc_conformance.context.budget_clock import LONGEST_TICK, TICK, BudgetClock


async def test_it_goes_with_the_real_clock_while_the_runner_runs() -> None:
    async with BudgetClock() as budget_clock:
        began, real = budget_clock.now(), time.monotonic()
        await asyncio.sleep(0.2)
        assert 0 < budget_clock.now() - began <= time.monotonic() - real + 0.001


async def test_it_stands_still_while_the_runner_does() -> None:
    async with BudgetClock() as budget_clock:
        await asyncio.sleep(TICK * 2)
        began = budget_clock.now()
        time.sleep(0.5)
        assert budget_clock.now() - began <= LONGEST_TICK * TICK


async def test_it_gives_up_in_the_end() -> None:
    async with BudgetClock() as budget_clock:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        with pytest.raises(TimeoutError, match=r"0\.1 s"):
            await budget_clock.wait(future, 0.1)
        assert future.cancelled()


async def test_it_gives_the_result_and_the_error() -> None:
    async with BudgetClock() as budget_clock:
        loop = asyncio.get_running_loop()
        good, bad = loop.create_future(), loop.create_future()
        loop.call_later(0.01, good.set_result, 7)
        loop.call_later(0.01, bad.set_exception, ValueError("no"))
        assert await budget_clock.wait(good, 5) == 7
        with pytest.raises(ValueError, match="no"):
            await budget_clock.wait(bad, 5)
