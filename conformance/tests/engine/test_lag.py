"""A bound of time that the machine's own standstill may have broken decides nothing, and is tried a second time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from engine.conftest import Play
from redisipc_conformance.context.budget_clock import Patience
from redisipc_conformance.engine import step_runner
from redisipc_conformance.results import Verdict

LATE = """
    - mark: now
    - wait: 0.05
    - elapsed: {from: "${now}", to: "${now}", is: {$at_least: 0.01}}
      check: it
"""
WRONG = """
    - value: {of: 1, is: 2}
      check: it
"""


@pytest.fixture
def lag(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[float]], list[float]]:
    """The runner stands still for these seconds, in turn, whenever it is asked."""

    def told(seconds: list[float]) -> list[float]:
        monkeypatch.setattr(Patience, "lag", lambda self, since: seconds.pop(0) if seconds else 0.0)
        return seconds

    return told


async def test_the_runner_knows_for_how_long_it_stood_still() -> None:
    async with Patience() as patience:
        began = time.monotonic()
        await asyncio.sleep(0.2)
        before = patience.lag(began)
        time.sleep(0.6)
        await asyncio.sleep(0.1)
        assert patience.lag(began) - before >= 0.4
        assert patience.lag(time.monotonic()) < 0.4


async def test_a_failure_of_time_with_a_standstill_is_tried_again_and_then_judged(
    play: Play, lag: Callable[[list[float]], list[float]]
) -> None:
    left = lag([5.0, 0.0])
    result = await play(LATE)
    assert left == [], "it was asked twice: it was tried twice"
    assert [check.verdict for check in result.checks] == [Verdict.FAIL]


async def test_where_the_machine_stands_still_again_nothing_is_decided(
    play: Play, lag: Callable[[list[float]], list[float]]
) -> None:
    lag([5.0, 4.0])
    [check] = (await play(LATE)).checks
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "the runner itself stood still for 4.0 s" in check.message


async def test_what_is_no_question_of_time_is_judged_at_once(
    play: Play, lag: Callable[[list[float]], list[float]]
) -> None:
    left = lag([1.4, 1.4])
    [check] = (await play(WRONG)).checks
    assert check.verdict is Verdict.FAIL
    assert left == [1.4], "it was tried once"


async def test_after_a_standstill_in_which_endpoints_may_take_redis_for_lost_nothing_is_decided(
    play: Play, lag: Callable[[list[float]], list[float]]
) -> None:
    lag([6.0, 6.0])
    [check] = (await play(WRONG)).checks
    assert check.verdict is Verdict.INCONCLUSIVE


async def test_a_standstill_of_less_than_half_of_the_bound_excuses_nothing(
    play: Play, lag: Callable[[list[float]], list[float]]
) -> None:
    lag([step_runner.SHORTEST_SECONDS / 2])
    [check] = (await play(LATE)).checks
    assert check.verdict is Verdict.FAIL
