"""A bound of time that the machine's own standstill may have broken decides nothing, and is tried a second time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from textwrap import dedent

import pytest

from engine.conftest import JUDGE, MODEL, Play, Write, events, settings
from redisipc_conformance.context.budget_clock import BudgetClock
from redisipc_conformance.context.processor_wait import ProcessorWait
from redisipc_conformance.context.scenario_context import ScenarioContext
from redisipc_conformance.engine import step_runner
from redisipc_conformance.engine.run import Engine
from redisipc_conformance.engine.scenario_run import ScenarioRun
from redisipc_conformance.files import suite_folder
from redisipc_conformance.results import ScenarioEnded, ScenarioPutOff, Verdict
from redisipc_conformance.server import Server
from redisipc_conformance.steps.waiting import SHORTEST_SECONDS
from redisipc_conformance.testee.process import TesteeProcess
from redisipc_conformance.testee.schemas import TesteeSchemas
from redisipc_conformance.verdict.judge import RunOutcome

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


SLOW = """
    - mark: now
    - wait: 0.3
    - mark: later
    - elapsed: {from: "${now}", to: "${later}", is: {$at_most: 0.1}}
      check: it
"""
NOTHING = """
    - connect: a
    - peer: b
    - read: {peer: b}
      within: 0.4
      check: it
"""


UNHEARD = """
    - connect: {endpoint: a, options: {timeout: 0.2}}
    - peer: b
    - send: {from: a, to: b, content: 1}
      as: s
    - outcome: {of: s, is: fulfilled}
      check: it
"""


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The testee waits for a processor: so many seconds after a moment, and so many in the worst second."""

    def told(*, since: float = 0.0, worst: float = 0.0) -> None:
        monkeypatch.setattr(ProcessorWait, "since", lambda self, pids, moment: since)
        monkeypatch.setattr(ProcessorWait, "worst_second", lambda self, pids, moment: worst)
        monkeypatch.setattr(BudgetClock, "lag", lambda self, since: 0.0)
        monkeypatch.setattr(BudgetClock, "all_lag", lambda self, since: 0.0)
        monkeypatch.setattr(BudgetClock, "worst_lag", lambda self, since, span: 0.0)

    return told


@pytest.fixture
def lag(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[float]], list[float]]:
    """The runner stands still for these seconds, in turn, whenever it is asked."""

    def told(seconds: list[float]) -> list[float]:
        monkeypatch.setattr(BudgetClock, "lag", lambda self, since: seconds.pop(0) if seconds else 0.0)
        monkeypatch.setattr(BudgetClock, "worst_lag", lambda self, since, span: seconds[0] if seconds else 0.0)
        return seconds

    return told


async def test_the_runner_knows_for_how_long_it_stood_still() -> None:
    async with BudgetClock() as budget_clock:
        began = time.monotonic()
        await asyncio.sleep(0.2)
        before = budget_clock.lag(began)
        time.sleep(0.6)
        await asyncio.sleep(0.1)
        assert budget_clock.lag(began) - before >= 0.4
        assert budget_clock.lag(time.monotonic()) < 0.4


async def test_short_standstills_over_a_long_time_add_up_to_no_long_one() -> None:
    async with BudgetClock() as budget_clock:
        began = time.monotonic() - 30
        budget_clock._lags.extend((began + second, 0.3) for second in range(20))
        assert budget_clock.lag(began - 1) >= 5.9
        assert 0.8 < budget_clock.worst_lag(began - 1, 3.0) < 1.3
        budget_clock._lags.append((began + 20, 1.2))
        assert budget_clock.worst_lag(began - 1, 3.0) >= 1.7


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
    lag([SHORTEST_SECONDS / 2])
    [check] = (await play(LATE)).checks
    assert check.verdict is Verdict.FAIL


@pytest.mark.parametrize(("steps", "least"), [(SLOW, 0.4), (NOTHING, 0.6)])
async def test_a_bound_that_the_testee_s_wait_for_a_processor_may_have_broken_decides_nothing(
    play: Play, waited: Callable[..., None], steps: str, least: float
) -> None:
    waited(since=least)
    [check] = (await play(steps)).checks
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "the testee waited for a processor for" in check.message


@pytest.mark.parametrize("steps", [SLOW, NOTHING])
async def test_a_wait_that_is_shorter_than_what_the_bound_was_broken_by_excuses_nothing(
    play: Play, waited: Callable[..., None], steps: str
) -> None:
    waited(since=0.15)
    [check] = (await play(steps)).checks
    assert check.verdict is Verdict.FAIL


@pytest.mark.parametrize(("seconds", "verdict"), [(0.2, Verdict.FAIL), (0.3, Verdict.INCONCLUSIVE)])
async def test_a_timeout_whose_last_look_the_machine_held_up_is_not_judged(
    play: Play, waited: Callable[..., None], seconds: float, verdict: Verdict
) -> None:
    waited(since=seconds)
    [check] = (await play(UNHEARD)).checks
    assert check.verdict is verdict


async def test_a_testee_without_a_processor_for_a_second_is_not_judged(play: Play, waited: Callable[..., None]) -> None:
    waited(worst=step_runner.STARVED + 0.05)
    [check] = (await play(WRONG)).checks
    assert check.verdict is Verdict.INCONCLUSIVE
    waited(worst=step_runner.STARVED - 0.1)
    [check] = (await play(WRONG)).checks
    assert check.verdict is Verdict.FAIL


async def test_a_step_that_the_machine_stopped_says_so_for_the_rest(play: Play, waited: Callable[..., None]) -> None:
    waited(worst=0.95)
    result = await play("- value: {of: 1, is: 2}\n" + WRONG.strip(" \n").replace("\n    ", "\n"))
    assert result.checks[0].verdict is Verdict.INCONCLUSIVE
    assert "not reached" in result.checks[0].message
    assert "waited for a processor" in result.checks[0].message


async def test_second_tries_wait_until_all_have_been_tried_once(
    server: Server, write: Write, waited: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited(worst=0.95)
    played: list[tuple[str, bool]] = []
    perform = Engine._perform

    async def told(self: Engine, scenario_run: ScenarioRun) -> RunOutcome:
        played.append((scenario_run.scenario.id, scenario_run.alone))
        return await perform(self, scenario_run)

    monkeypatch.setattr(Engine, "_perform", told)
    scenarios = [write(WRONG, id="test/one"), write("- wait: 0.3\n" + dedent(WRONG), id="test/two")]
    await events(Engine(settings(), server, scenarios, JUDGE))
    assert sorted(played[:2]) == [("test/one", False), ("test/two", False)]
    assert sorted(played[2:]) == [("test/one", True), ("test/two", True)]


@pytest.mark.parametrize(("delay", "verdict"), [(0.0, Verdict.FAIL), (0.3, Verdict.PASS)])
async def test_the_measured_delay_of_the_testee_makes_bounds_longer(
    play: Play, waited: Callable[..., None], monkeypatch: pytest.MonkeyPatch, delay: float, verdict: Verdict
) -> None:
    async def measured(self: TesteeProcess) -> float:
        return delay

    waited()
    monkeypatch.setattr(TesteeProcess, "delay", measured)
    assert [check.verdict for check in (await play(SLOW)).checks] == [verdict]


async def test_the_delay_of_a_testee_is_that_of_its_quickest_answer() -> None:
    relay = [sys.executable, str(suite_folder() / "flaky.py"), "--relay", "0.1", "--", *MODEL]
    for command, least, most in ((list(MODEL), 0.0, 0.1), (relay, 0.1, 0.3)):
        process = await TesteeProcess.start(
            command, on_notification=lambda method, params: None, schemas=TesteeSchemas.load(), seconds=20
        )
        try:
            assert least < await process.delay() < most
        finally:
            await process.close()


HOLDS_UP = """
    - redis:
        - EVAL
        - "local s = redis.call('TIME') repeat local n = redis.call('TIME') until (n[1] - s[1]) * 1000000 + n[2] - s[2] > 1000000"
        - 0
    - value: {of: 1, is: 1}
      check: it
"""
HELD_UP = """
    - wait: 0.3
    - mark: now
    - redis: [PING]
    - mark: later
    - elapsed: {from: "${now}", to: "${later}", is: {$at_most: 0.4}}
      check: it
"""


async def test_a_slow_command_of_one_scenario_fails_no_bound_of_another(server: Server, write: Write) -> None:
    """Its own command waits behind the slow one, on the connection that both share. Tried again, it is in time."""
    scenarios = [write(HOLDS_UP, id="test/slow"), write(HELD_UP, id="test/beside")]
    told = await events(Engine(settings(), server, scenarios, JUDGE))
    assert "test/beside" in [event.id for event in told if isinstance(event, ScenarioPutOff)]
    results = [event.result for event in told if isinstance(event, ScenarioEnded)]
    assert {result.id: [check.verdict for check in result.checks] for result in results} == {
        "test/slow": [Verdict.PASS],
        "test/beside": [Verdict.PASS],
    }


async def test_a_late_reply_that_explains_no_failure_excuses_nothing(
    play: Play, monkeypatch: pytest.MonkeyPatch, waited: Callable[..., None]
) -> None:
    waited()
    monkeypatch.setattr(ScenarioContext, "held_up", lambda self, since: 0.15)
    [check] = (await play(SLOW)).checks
    assert check.verdict is Verdict.FAIL
    monkeypatch.setattr(ScenarioContext, "held_up", lambda self, since: 0.25)
    [check] = (await play(SLOW)).checks
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "the commands of the runner waited for late replies for" in check.message


async def test_large_contents_have_a_connection_of_their_own(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    shared: list[bool] = []
    held_up = ScenarioContext.held_up

    def told(self: ScenarioContext, since: float) -> float:
        shared.append(self.shares_client)
        return held_up(self, since)

    monkeypatch.setattr(ScenarioContext, "held_up", told)
    await play(WRONG)
    await play(WRONG, head="needs: [large]")
    assert shared[0] is True
    assert shared[-1] is False
