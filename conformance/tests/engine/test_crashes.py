"""A testee that dies, hangs or breaks the testee protocol: one verdict of one scenario, and no statement is blamed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from engine.conftest import JUDGE, Play, Write, events, settings
from redisipc_conformance.engine.run import Engine
from redisipc_conformance.results import ScenarioEnded, Verdict
from redisipc_conformance.server import Server

FAKE = (sys.executable, str(Path(__file__).with_name("fake_testee.py")))
CONNECTED = "- connect: a\n- peer: b\n"


async def test_a_crash_fails_once_with_its_exit_status_and_blames_no_statement(play: Play) -> None:
    steps = "- connect: a\n- send: {from: a, to: b, content: crash}\n  as: s\n- outcome: {of: s}\n  check: it\n"
    result = await play(steps, command=FAKE)
    it, died = result.checks
    assert (it.verdict, died.verdict, result.verdict) == (Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.FAIL)
    assert (died.name, died.requirements) == ("process-runs", ())
    assert re.search(r"exit status 3.*while send\(a-\d+\) was outstanding", died.message)
    assert re.search(r"exit status 3.*while send\(a-\d+\) was outstanding", result.reason)
    assert "going down" in result.stderr


async def test_a_message_that_breaks_the_protocol_fails_once(play: Play) -> None:
    steps = "- connect: a\n- send: {from: a, to: b, content: broken}\n  as: s\n- outcome: {of: s}\n  check: it\n"
    result = await play(steps, command=FAKE)
    assert [check.verdict for check in result.checks] == [Verdict.INCONCLUSIVE, Verdict.FAIL]
    assert "$.outcome" in result.reason


async def test_a_crash_is_one_scenarios_verdict(server: Server, write: Write) -> None:
    crash = "- connect: a\n- wait: 0.1\n- send: {from: a, to: b, content: crash}\n  as: s\n- outcome: {of: s}\n  check: it\n"
    good = "- connect: a\n- wait: 0.3\n- send: {from: a, to: b, content: 1}\n  as: s\n- outcome: {of: s, content: 1}\n  check: it\n"
    scenarios = [write(crash, id="test/crash"), *(write(good, id=f"test/good-{n}") for n in range(4))]
    engine = Engine(settings(FAKE), server, scenarios, JUDGE)
    verdicts = {e.result.id: e.result.verdict for e in await events(engine) if isinstance(e, ScenarioEnded)}
    assert verdicts.pop("test/crash") is Verdict.FAIL
    assert set(verdicts.values()) == {Verdict.PASS}


async def test_a_hung_process_fails_its_scenario_and_is_replaced(server: Server, write: Write) -> None:
    hang = "- connect: {endpoint: a, group: hangs}\n- value: {of: 1, is: 1}\n  check: it\n"
    late = "- wait: 12\n- connect: a\n- value: {of: 1, is: 1}\n  check: it\n"
    scenarios = [write(hang, id="test/hang"), *(write(late, id=f"test/late-{n}") for n in range(3))]
    engine = Engine(settings(FAKE, time_scale=0.2), server, scenarios, JUDGE)
    results = {e.result.id: e.result for e in await events(engine) if isinstance(e, ScenarioEnded)}
    assert results["test/hang"].verdict is Verdict.INCONCLUSIVE
    assert "did not answer connect(a)" in results["test/hang"].checks[0].message
    assert all(results[f"test/late-{n}"].verdict is Verdict.PASS for n in range(3))


async def test_endpoints_of_a_process_that_owes_an_answer_are_asked_to_leave(play: Play, tmp_path: Path) -> None:
    """They would disturb the scenarios that get the process next."""
    leavers = tmp_path / "leavers"
    steps = "- connect: a\n- connect: b\n- disconnect: a\n- value: {of: 1, is: 1}\n  check: it\n"
    await play(steps, command=(*FAKE, "--leavers", str(leavers)), time_scale=0.1)
    assert sorted(line[0] for line in leavers.read_text().splitlines()) == ["a", "a", "b"]


async def test_an_endpoint_that_should_not_have_joined_is_asked_to_leave(play: Play, tmp_path: Path) -> None:
    leavers = tmp_path / "leavers"
    steps = "- connect: {endpoint: a, refused: true}\n  check: it\n"
    result = await play(steps, command=(*FAKE, "--leavers", str(leavers)), time_scale=0.1)
    assert result.checks[0].message == "connect must be refused"
    assert [line[0] for line in leavers.read_text().splitlines()] == ["a"]


async def test_a_crash_that_does_not_happen_again_is_not_hidden(server: Server, write: Write, tmp_path: Path) -> None:
    steps = "- connect: a\n- send: {from: a, to: b, content: crash}\n  as: s\n- outcome: {of: s}\n  check: it\n"
    good = "- connect: a\n- wait: 0.5\n- send: {from: a, to: b, content: 1}\n  as: s\n- outcome: {of: s, content: 1}\n  check: it\n"
    scenarios = [write(steps, id="test/once"), *(write(good, id=f"test/good-{n}") for n in range(3))]
    engine = Engine(settings((*FAKE, "--once", str(tmp_path / "crashed"))), server, scenarios, JUDGE)
    results = {e.result.id: e.result for e in await events(engine) if isinstance(e, ScenarioEnded)}
    assert results["test/once"].verdict is Verdict.FAIL
    assert "it did not happen" in results["test/once"].reason
    assert {results[f"test/good-{n}"].verdict for n in range(3)} == {Verdict.PASS}
