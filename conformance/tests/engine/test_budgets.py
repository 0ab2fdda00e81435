"""The budgets of steps: how much each may take, how much it took, and how a run tells both."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.conftest import Play
from redisipc_conformance.engine.budgets import SECONDS, SLACK
from redisipc_conformance.results import Verdict

FAKE = (sys.executable, str(Path(__file__).with_name("fake_testee.py")))
CONNECTED = "- connect: a\n- peer: b\n"


async def test_budgets_are_told_with_what_was_used(play: Play) -> None:
    result = await play(CONNECTED + "- groups: {has: a}\n  check: it\n", time_scale=2.0)
    uses = {use.budget: use for use in result.budgets}
    # What the testee takes to answer anything comes on top.
    assert 0 <= uses["connect"].allowed - 2 * SECONDS["connect"] < 0.5
    assert 0 < uses["connect"].used < uses["connect"].allowed
    assert uses["settle"].used < uses["settle"].allowed


async def test_what_takes_longer_than_its_budget_is_seen_and_no_timeout(play: Play) -> None:
    steps = '- mark: m\n- mark: n\n- elapsed: {from: "${m}", to: 9e9}\n  within: wakeup\n  check: it\n'
    result = await play(steps)
    assert result.checks[0].verdict is Verdict.FAIL
    assert not result.checks[0].by_timeout
    [use] = result.budgets
    assert use.slack == SLACK["wakeup"]
    assert 0 <= use.allowed - SECONDS["wakeup"] - SLACK["wakeup"] < 0.5


async def test_no_timeouts_waits_for_whoever_uses_a_debugger(play: Play) -> None:
    steps = "- connect: a\n- groups: {has: a}\n  within: 0.01\n  check: it\n"
    result = await play(steps, no_timeouts=True)
    assert result.verdict is Verdict.PASS
    assert min(use.allowed for use in result.budgets) > 3600
