"""`struck` waits for a fault. With `or-after` it also lets a scenario continue where no statement demands the command."""

from __future__ import annotations

from engine.conftest import Play
from redisipc_conformance.results import Verdict

BEGIN = """
    - connect: a
    - peer: b
    - fault: {on: a, command: "XADD ...", do: drop-reply, times: 2}
      as: f
    - mark: before
"""
END = """
    - mark: after
    - elapsed: {from: "${before}", to: "${after}", is: %s}
      check: took
    - value: {of: "${n}", is: %d}
      check: told
"""


async def test_a_scenario_continues_where_the_fault_never_struck(play: Play) -> None:
    steps = "- struck: {fault: f, or-after: 0.4}\n      as: n\n"
    result = await play(BEGIN + "    " + steps + END % ("{$at_least: 0.4, $at_most: 3}", 0), checks="took told")
    assert result.verdict is Verdict.PASS, result.reason


async def test_it_continues_at_once_where_the_fault_struck(play: Play) -> None:
    steps = "- send: {from: a, to: b, content: x}\n    - struck: {fault: f, or-after: 30}\n      as: n\n"
    result = await play(BEGIN + "    " + steps + END % ("{$at_most: 5}", 1), checks="took told")
    assert result.verdict is Verdict.PASS, result.reason


async def test_a_fault_that_struck_too_often_is_not_left_out(play: Play) -> None:
    steps = """
    - send: {from: a, to: b, content: x}
    - struck: f
    - fence: a
    - send: {from: a, to: b, content: y}
    - struck: {fault: f, count: 2}
    - struck: {fault: f, count: 1, or-after: 0.3}
      check: it
    """
    result = await play(BEGIN + steps)
    [check] = result.checks
    assert check.verdict is Verdict.FAIL, check.message
    assert "has struck 2 times" in check.message


async def test_without_it_the_scenario_ends_where_nothing_struck(play: Play) -> None:
    result = await play(BEGIN + "    - struck: f\n      within: 0.3\n    - value: {of: 1, is: 1}\n      check: it\n")
    [check] = result.checks
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "has struck 0 times" in check.message
