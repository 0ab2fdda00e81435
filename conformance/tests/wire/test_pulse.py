"""The pulse: nobody polls, nobody sleeps through a change."""

from __future__ import annotations

import asyncio

from redisipc_conformance.wire.pulse import Pulse


async def test_a_bump_wakes_every_waiter_once() -> None:
    pulse = Pulse()
    waiters = [asyncio.ensure_future(pulse.wait(60)) for _ in range(3)]
    await asyncio.sleep(0)
    pulse.bump()
    assert await asyncio.gather(*waiters) == [True, True, True]


async def test_the_time_may_run_out() -> None:
    assert await Pulse().wait(0.001) is False


async def test_a_change_since_the_last_look_is_not_missed() -> None:
    pulse = Pulse()
    beat = pulse.beats
    pulse.bump()
    assert await pulse.wait(60, since=beat) is True


async def test_a_cancelled_waiter_is_forgotten() -> None:
    pulse = Pulse()
    waiter = asyncio.ensure_future(pulse.wait(60))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    pulse.bump()
    assert waiter.cancelled()
