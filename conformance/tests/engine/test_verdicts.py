"""The results of checks: verdicts, their levels, their evidence."""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from engine.conftest import JUDGE, Play, Write, events, settings
from redisipc_conformance.engine.budgets import SECONDS
from redisipc_conformance.engine.run import Engine
from redisipc_conformance.results import CheckResult, RunStarted, ScenarioEnded, ScenarioResult, Verdict
from redisipc_conformance.server import Server
from redisipc_conformance.verdict import entry_rule

FAKE = (sys.executable, str(Path(__file__).with_name("fake_testee.py")))
CONNECTED = "- connect: a\n- peer: b\n"

Result = Callable[..., Awaitable[ScenarioResult]]


def only(result: ScenarioResult) -> CheckResult:
    assert len(result.checks) == 1
    return result.checks[0]


async def test_what_is_seen_and_wrong_fails_at_once_and_names_the_line(play: Play) -> None:
    steps = """
    - connect: a
    - peer: b
    - send: {from: a, to: b, content: hello}
      as: s
    - entry: {of: s, fields: {content: goodbye}}
      as: e
      check: it
    - read: {peer: b, of: e}
    """
    result = await play(steps)
    check = only(result)
    assert result.verdict is check.verdict is Verdict.FAIL
    assert not check.by_timeout
    assert 'expected "goodbye", saw "hello"' in check.message
    assert "goodbye" in check.expected
    assert "hello" in check.seen
    assert check.line == 11
    assert check.file.endswith(".yaml")
    assert check.wrong_line is not None
    wrong = result.transcript[check.wrong_line]
    assert wrong.text.startswith("XADD")
    assert (wrong.side, wrong.who) == ("testee", "a")
    assert re.fullmatch(r"\d+-\d+", wrong.reply)


async def test_a_fence_that_is_not_answered_says_so_and_leaves_the_rest_not_reached(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SECONDS, "fence", 0.3)
    steps = """
    - connect: a
    - value: {of: 1, is: 1}
      check: before
    - process: {pause: one}
    - fence: a
    - entry: {where: {content: x}, count: 0}
      now: true
      check: first
    - entry: {where: {content: y}}
      check: second
    """
    result = await play(steps, checks="before first second", head="needs: [pause]")
    before, first, second = result.checks
    assert before.verdict is Verdict.PASS
    assert first.verdict is second.verdict is Verdict.INCONCLUSIVE
    said = f"fence in line {first.line}: a did not answer the fence behind everything so far"
    assert first.message == second.message
    assert first.message.startswith(f"not reached: {said}")
    assert result.reason.startswith(said)


async def test_an_entry_that_is_gone_leads_to_the_command_that_took_it(play: Play) -> None:
    steps = """
    - connect: b
    - peer: a
    - add: {from: a, to: b, content: x}
      as: e
    - received: {by: b, of: e}
      as: r
    - fulfill: {request: r, content: null}
    - stream: {lacks: e}
    - stream: {has: e}
      now: true
      check: there
    - pending: {group: b, entry: e}
      now: true
      check: pending
    """
    there, pending = (await play(steps, checks="there pending")).checks
    assert re.search(r"^\S+ is not on the stream: b sent XDEL ", there.message)
    assert re.search(r"is not in the pending list of b: b sent XACK ", pending.message)


async def test_what_never_comes_fails_by_timeout(play: Play) -> None:
    steps = CONNECTED + "- entry: {where: {content: nothing}}\n  within: 0.05\n  check: it\n"
    check = only(await play(steps))
    assert check.verdict is Verdict.FAIL
    assert check.by_timeout


async def test_a_wrong_state_is_no_timeout(play: Play) -> None:
    steps = CONNECTED + "- groups: {count: 7}\n  within: 0.05\n  check: it\n"
    check = only(await play(steps))
    assert not check.by_timeout
    assert "there are 2 groups" in check.message


async def test_now_does_not_wait(play: Play) -> None:
    result = await play(CONNECTED + "- received: {by: a}\n  now: true\n  check: it\n")
    assert only(result).verdict is Verdict.FAIL
    assert not only(result).by_timeout


async def test_a_failed_step_without_a_check_stops_and_the_rest_is_not_reached(play: Play) -> None:
    steps = CONNECTED + "- entry: {where: {content: x}}\n  within: 0.05\n- value: {of: 1, is: 1}\n  check: it\n"
    result = await play(steps)
    check = only(result)
    assert check.verdict is Verdict.INCONCLUSIVE
    assert check.message == 'not reached: entry in line 9: an entry where {"content": "x"} was not written'
    assert check.line == 9
    assert result.reason == check.message.removeprefix("not reached: ")


CRASHED = "not reached: the testee's process ended (exit status 3)"
HALF = "- connect: a\n- value: {of: 1, is: 1}\n  check: it\n"
"""The first of two steps that decide the check."""
OTHER_HALF = "- value: {of: 1, is: 1}\n  check: it\n"


@pytest.mark.parametrize(
    ("between", "told"),
    [
        ("- entry: {where: {content: x}}\n  within: 0.05\n", "not reached: entry in line 10: an entry where"),
        ("- send: {from: a, to: b, content: hang}\n- connect: c\n", "not reached: connect in line 11: the testee did not"),
        ("- send: {from: a, to: b, content: crash}\n  as: s\n- outcome: {of: s}\n", CRASHED),
        ("- send: {from: a, to: b, content: crash}\n- wait: 0.5\n", CRASHED),
        ("- repeat: {times: 3, as: i, do: [{value: {of: \"${i}\", is: 0}}]}\n", "not reached: value in line 10"),
    ],
    ids=["a step without a check", "a testee that hangs", "a testee that crashes", "a crash meanwhile", "inside a loop"],
)  # fmt: skip
async def test_a_check_of_which_one_step_held_and_another_was_not_reached_does_not_pass(
    play: Play, between: str, told: str
) -> None:
    check = (await play(HALF + between + OTHER_HALF, command=FAKE, time_scale=0.05)).checks[0]
    assert check.verdict is Verdict.INCONCLUSIVE
    assert check.message.startswith(told)


async def test_what_fails_in_the_background_ends_the_scenario(play: Play) -> None:
    steps = """
    - value: {of: 1, is: 1}
      check: it
    - background: {every: 1, do: [{value: {of: 1, is: 2}}]}
      as: k
    - wait: 0.1
    - value: {of: 1, is: 1}
      check: it
    """
    check = only(await play(steps))
    assert check.verdict is Verdict.INCONCLUSIVE
    assert check.message.startswith("not reached: value in line 9: ")


async def test_a_loop_that_does_not_end_leaves_its_checks_open(play: Play) -> None:
    steps = """
    - repeat:
        times: 3
        as: i
        do:
          - value: {of: 1, is: 1}
            check: it
          - value: {of: "${i}", is: {$at_most: 1}}
    """
    assert only(await play(steps)).verdict is Verdict.INCONCLUSIVE


async def test_a_check_of_all_rows_passes_where_every_row_came_to_its_end(play: Play) -> None:
    steps = """
    - each-row:
        - value: {of: 1, is: 1}
          check: ["c-${row.name}", all]
        - value: {of: "${row.v}", is: 1}
        - value: {of: 1, is: 1}
          check: all
    """
    head = "rows: [{name: one, v: 1}, {name: two, v: 2}, {name: three, v: 1}]"
    result = await play(steps, checks="c-${row.name} all", head=head)
    verdicts = {check.name: check.verdict for check in result.checks}
    assert verdicts.pop("all") is Verdict.INCONCLUSIVE
    assert set(verdicts.values()) == {Verdict.PASS}
    result = await play(steps, checks="c-${row.name} all", head=head.replace("v: 2", "v: 1"))
    assert result.verdict is Verdict.PASS


async def test_the_transcript_names_the_row_that_a_step_is_about(play: Play) -> None:
    steps = "- each-row:\n    - value: {of: '${row.v}', is: 1}\n      check: all\n      note: '${row.name}'\n"
    result = await play(steps, checks="all", head="rows: [{name: one, v: 1}, {name: two, v: 2}]")
    assert [line.text for line in result.transcript if "value" in line.text] == [
        "line 8: value (one)",
        "line 8: value (two)",
    ]


async def test_a_failure_stays_one_wherever_the_scenario_ends(play: Play) -> None:
    steps = "- value: {of: 1, is: 2}\n  check: it\n- value: {of: 1, is: 3}\n" + OTHER_HALF
    assert only(await play(steps)).verdict is Verdict.FAIL


async def test_a_failed_check_does_not_stop(play: Play) -> None:
    steps = "- value: {of: 1, is: 2}\n  check: first\n- value: {of: 1, is: 1}\n  check: second\n"
    result = await play(steps, checks="first second")
    assert [check.verdict for check in result.checks] == [Verdict.FAIL, Verdict.PASS]
    assert result.verdict is Verdict.FAIL


async def test_what_needs_a_name_that_a_failed_step_did_not_give_is_its_consequence(play: Play) -> None:
    steps = (
        CONNECTED
        + """
- entry: {where: {content: x}}
  within: 0.02
  as: e
  check: first
- stream: {has: e}
  check: second
"""
    )
    result = await play(steps, checks="first second")
    assert [check.verdict for check in result.checks] == [Verdict.FAIL, Verdict.FAIL]
    assert "which line" in result.checks[1].message


@pytest.mark.parametrize(
    ("requirement", "strict", "verdict"),
    [
        ("RIPC-ENTRY-1", False, Verdict.FAIL),
        ("RIPC-ENTRY-2", False, Verdict.WARNING),
        ("RIPC-ENTRY-2", True, Verdict.FAIL),
        ("RIPC-ENTRY-3", False, Verdict.WARNING),
        ("RIPC-OTHER-1", False, Verdict.FAIL),
    ],
)
async def test_the_requirement_decides_what_a_failure_counts(
    play: Play, requirement: str, strict: bool, verdict: Verdict
) -> None:
    head = f"requirements: [{requirement}]"
    result = await play("- value: {of: 1, is: 2}\n  check: it\n", head=head, strict=strict)
    assert result.verdict is only(result).verdict is verdict
    assert only(result).requirements == (requirement,)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("- value: {of: '${nobody}', is: 1}\n  check: it\n", "line 7: value: nothing is called 'nobody'"),
        ("- peer: b\n- send: {from: b, to: b}\n- value: {of: 1, is: 1}\n  check: it\n", "'b' is a peer"),
        ("- value: {of: 1, is: 1}\n  within: soon\n  check: it\n", "'soon' is not a budget"),
        ("- redis: [NOT-A-COMMAND]\n- value: {of: 1, is: 1}\n  check: it\n", "Redis answered ERR"),
        ("- server: flush\n- value: {of: 1, is: 1}\n  check: it\n", "needs"),
    ],
)
async def test_a_mistake_of_the_scenario_is_a_suite_error(play: Play, steps: str, told: str) -> None:
    result = await play(steps)
    assert result.verdict is Verdict.SUITE_ERROR
    assert told in result.reason


async def test_a_malformed_entry_of_the_suite_is_its_error_unless_it_is_marked(play: Play) -> None:
    steps = "- peer: a\n- add: {from: a, to: b, content: x, without: [status]}\n- value: {of: 1, is: 1}\n  check: it\n"
    result = await play(steps)
    assert "malformed entry" in result.reason
    marked = steps.replace("[status]", "[status], invalid: true")
    assert (await play(marked)).verdict is Verdict.PASS


async def test_a_malformed_entry_of_the_testee_fails_even_if_no_check_asks(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = ("its id is blank", "RIPC-NAME-9")
    monkeypatch.setattr(entry_rule, "problem", lambda pairs, by_suite: None if by_suite else broken)
    steps = CONNECTED + "- send: {from: a, to: b, content: x}\n  as: s\n- entry: {of: s}\n  check: it\n"
    result = await play(steps)
    assert result.verdict is Verdict.FAIL
    assert [check.name for check in result.checks] == ["it", "entries-valid"]
    assert "a wrote a malformed entry: its id is blank" in result.checks[1].message
    assert result.checks[1].requirements == ("RIPC-NAME-9",)
    assert result.transcript[result.checks[1].wrong_line or 0].text.startswith("XADD")


async def test_one_row_that_cannot_go_on_says_nothing_about_the_others(play: Play) -> None:
    steps = """
    - each-row:
        - value: {of: "${row.v}", is: 1}
        - value: {of: 1, is: 1}
          check: "c-${row.name}"
    """
    head = "rows: [{name: one, v: 1}, {name: two, v: 2}, {name: three, v: 1}]"
    result = await play(steps, checks="c-${row.name}", head=head)
    verdicts = {check.name: check.verdict for check in result.checks}
    assert verdicts == {"c-one": Verdict.PASS, "c-two": Verdict.INCONCLUSIVE, "c-three": Verdict.PASS}


async def test_what_does_not_apply_is_left_out_with_its_reason(server: Server, write: Write) -> None:
    step = "- value: {of: 1, is: 1}\n  check: it\n"
    scenarios = [
        write(step, id="test/feature", head="features: [levitation]"),
        write(step, id="test/profile", head="profile: channel"),
        write(step, id="test/server", head='server: ">=99"'),
        write(step, id="test/runs"),
    ]
    told = await events(Engine(settings(FAKE), server, scenarios, JUDGE))
    started = next(event for event in told if isinstance(event, RunStarted))
    assert started.scenarios == ("test/runs",)
    assert started.left_out == {}, "a scenario that does not apply leaves no hole"
    results = {event.result.id: event.result for event in told if isinstance(event, ScenarioEnded)}
    assert results.pop("test/runs").verdict is Verdict.PASS
    assert set(results) == {"test/feature", "test/profile", "test/server"}
    assert {result.verdict for result in results.values()} == {Verdict.NOT_APPLICABLE}
    assert "levitation" in results["test/feature"].reason
    assert [check.name for check in results["test/feature"].checks] == ["it"]
