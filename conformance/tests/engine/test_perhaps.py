"""``refused: perhaps``: a testee may refuse the call or do it, and nothing else."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, Literal
from unittest.mock import Mock

import pytest

from engine.conftest import Play
from redisipc_conformance.context.budget_clock import BudgetClock
from redisipc_conformance.context.failure import Failed
from redisipc_conformance.results import Verdict
from redisipc_conformance.steps import testee_acts
from redisipc_conformance.testee.process import TesteeGone, TesteeRefused

Refused = bool | Literal["perhaps"]
REFUSAL, GONE = TesteeRefused(-32000, "answered already"), TesteeGone("exit status 3", "fulfill(b)")
DONE: dict[str, Any] = {"n": 1}


async def call(reply: Any, refused: Refused) -> dict[str, Any]:
    """One call, to which the testee replies so. None: it never does."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def begin(_method: str, _params: dict[str, Any]) -> asyncio.Future[Any]:
        if isinstance(reply, Exception):
            future.set_exception(reply)
        elif reply is not None:
            future.set_result(reply)
        return future

    async with BudgetClock() as clock:
        context: Any = SimpleNamespace(
            budgets={"settle": 0.05},
            budget_clock=clock,
            suspects=Mock(),
            crash=None,
            raise_if_crashed=lambda: None,
            tell=lambda *told: told,
            used=lambda *used: None,
        )
        endpoint: Any = SimpleNamespace(process=SimpleNamespace(begin=begin), handle="b-1", label="b")
        return await testee_acts.call(context, endpoint, "fulfill", {}, budget="settle", refused=refused)


@pytest.mark.parametrize(
    ("reply", "refused", "result"),
    [
        (DONE, "perhaps", DONE),
        (REFUSAL, "perhaps", {"refused": REFUSAL.message}),
        (DONE, False, DONE),
        (REFUSAL, True, {"refused": REFUSAL.message}),
    ],
)
async def test_what_is_allowed(reply: Any, refused: Refused, result: dict[str, Any]) -> None:
    assert await call(reply, refused) == result


@pytest.mark.parametrize(
    ("reply", "refused", "told"),
    [
        (GONE, "perhaps", "exit status 3"),
        (None, "perhaps", "did not answer"),
        (REFUSAL, False, "fulfill was refused"),
        (DONE, True, "fulfill must be refused"),
    ],
)
async def test_what_is_not(reply: Any, refused: Refused, told: str) -> None:
    with pytest.raises(Failed, match=told):
        await call(reply, refused)


@pytest.mark.parametrize("refused", ["perhaps", "true", "false"])
async def test_a_scenario_continues_after_it(play: Play, refused: str) -> None:
    """The second answer to a request is refused, as `perhaps` and `true` allow."""
    steps = f"""
    - connect: b
    - peer: a
    - add: {{from: a, to: b, content: 1}}
      as: e
    - received: {{by: b, of: e}}
      as: r
    - fulfill: {{request: r, content: one, refused: {"false" if refused == "true" else refused}}}
    - fulfill: {{request: r, content: two, refused: {refused}}}
    - entry: {{answer_to: e, fields: {{content: one}}}}
      check: it
    """
    [check] = (await play(steps)).checks
    assert check.verdict is (Verdict.INCONCLUSIVE if refused == "false" else Verdict.PASS)
