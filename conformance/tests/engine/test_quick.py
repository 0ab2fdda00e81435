"""Answers that come at once and answers that take their time are seen alike."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from engine.conftest import MODEL, Play, events, settings
from redisipc_conformance.context.scenario_context import ScenarioContext
from redisipc_conformance.engine.run import Engine
from redisipc_conformance.requirements import Requirements
from redisipc_conformance.results import ScenarioEnded, ScenarioResult, Verdict
from redisipc_conformance.scenario import Scenario
from redisipc_conformance.scenario.corpus import corpus
from redisipc_conformance.server import Server
from redisipc_conformance.verdict.judge import Judge

pytestmark = pytest.mark.slow

LAG = 0.03
"""Seconds after Redis' reply at which the runner sees what it wrote itself: by then the testee has long answered."""
SLOW = (*MODEL, "--delay", "0.04")
CHOSEN = (
    "channel/failures", "channel/odd-event-name", "channel/unknown-event", "entry/response-fulfilled",
    "odd/missing-field", "odd/one-id-twice", "odd/unasked-responses", "requester/first-response-counts",
    "requester/shuffled-answers", "responder/answer-without-reply", "responder/once", "responder/one-transaction",
    "responder/second-answer", "responder/side-by-side", "route/own-request", "timeout/late-response",
)  # fmt: skip


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner learns of its own commands late, so that any testee is faster than it."""
    batch = ScenarioContext.batch

    async def slow(self: ScenarioContext, who: str, commands: Sequence[Any], *, errors: bool = False) -> list[Any]:
        replies = await batch(self, who, commands, errors=errors)
        await asyncio.sleep(LAG)
        return replies

    monkeypatch.setattr(ScenarioContext, "batch", slow)


def chosen() -> list[Scenario]:
    return [scenario for scenario in corpus() if scenario.id in CHOSEN]


async def played(server: Server, command: tuple[str, ...]) -> list[str]:
    """The checks that did not pass."""
    engine = Engine(settings(command), server, chosen(), Judge(Requirements.load()))
    results = [event.result for event in await events(engine) if isinstance(event, ScenarioEnded)]
    assert len(results) == len(CHOSEN)
    return [f"{r.id}/{c.name}: {c.message}" for r in results for c in r.checks if c.verdict is not Verdict.PASS]


@pytest.mark.usefixtures("late")
async def test_what_answers_before_the_runner_knows_what_it_asked_passes(server: Server) -> None:
    assert await played(server, MODEL) == []


async def test_what_takes_40_ms_for_each_start_and_each_answer_passes(server: Server) -> None:
    assert await played(server, SLOW) == []


ASKED = """
- connect: b
- peer: a
- serve: {endpoint: b, fulfill: yes}
- add: {from: a, to: b, content: 1}
  as: e
"""


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize(
    "step",
    [
        "entry: {answer_to: e, fields: {content: yes}}",
        "commands: {of: b, has: \"XADD ${stream} ... ${e.id} ...\", since: e}",
        "elapsed: {from: \"${e}\", to: \"${r.at}\", is: {$at_least: 0}}",
    ],
    ids=["the answer to an entry", "commands since an entry", "the time since an entry"],
)  # fmt: skip
async def test_what_comes_of_an_entry_at_once_comes_after_it(play: Play, step: str) -> None:
    steps = ASKED + f"- received: {{by: b, of: e}}\n  as: r\n- {step}\n  within: 0.5\n  check: it\n"
    steps = steps.replace("  within: 0.5\n", "") if step.startswith("elapsed") else steps
    result: ScenarioResult = await play(steps)
    assert result.verdict is Verdict.PASS, result.checks[0].message


@pytest.mark.usefixtures("late")
async def test_what_is_sent_after_a_restart_is_sent_since_it(play: Play) -> None:
    steps = """
    - connect: a
    - server: restart
      as: back
    - wait: 1
    - commands: {of: a, has: "...", since: back, replied: true}
      now: true
      check: it
    """
    result = await play(steps, head="needs: [restart]")
    assert result.verdict is Verdict.PASS, result.checks[0].message


@pytest.mark.parametrize("scale", [0.2, 3.0])
async def test_the_seconds_that_a_step_names_are_not_scaled(play: Play, scale: float) -> None:
    steps = """
    - mark: m
    - wait: 0.3
    - value: {of: 1, is: 1}
      throughout: 0.3
    - mark: n
    - elapsed: {from: "${m}", to: "${n}", is: {$at_least: 0.6, $at_most: 0.85}}
      check: it
    """
    result = await play(steps, time_scale=scale)
    assert result.verdict is Verdict.PASS, result.checks[0].message
