"""A whole run: its events, its order, and that nothing is left of it however it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from engine.conftest import JUDGE, Write, events, settings
from redisipc_conformance.engine.run import Engine
from redisipc_conformance.results import RunEnded, RunStarted, ScenarioEnded, ScenarioStarted, Verdict
from redisipc_conformance.server import Server
from redisipc_conformance.server.url import GivenServer
from redisipc_conformance.testee.process import TesteeUnusable

FAKE = (sys.executable, str(Path(__file__).with_name("fake_testee.py")))
GOOD = "- value: {of: 1, is: 1}\n  check: it\n"


def children() -> set[int]:
    """The processes that this one has started and that still run."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.add(int(entry.parent.name))
    return found


async def test_the_events_come_in_order_and_each_scenario_once(server: Server, write: Write) -> None:
    scenarios = [write(GOOD) for _ in range(5)]
    told = await events(Engine(settings(FAKE), server, scenarios, JUDGE))
    assert isinstance(told[0], RunStarted)
    assert isinstance(told[-1], RunEnded)
    assert not told[-1].interrupted
    begun = [event.id for event in told if isinstance(event, ScenarioStarted)]
    ended = [event.result.id for event in told if isinstance(event, ScenarioEnded)]
    assert sorted(set(begun)) == sorted(ended) == sorted(scenario.id for scenario in scenarios)
    assert told[0].testee.name == "fake"
    assert told[0].testee.features == ("wakeup",)
    assert told[0].server.version
    assert told[0].seed == 1


async def test_scenarios_run_side_by_side(server: Server, write: Write) -> None:
    steps = "- wait: 0.5\n" + GOOD
    told = await events(Engine(settings(FAKE), server, [write(steps) for _ in range(8)], JUDGE))
    assert isinstance(told[-1], RunEnded)
    assert told[-1].seconds < 8 * 0.5


async def test_long_ones_and_those_with_a_server_of_their_own_begin_first(server: Server, write: Write) -> None:
    scenarios = [
        write(GOOD, id="test/short"),
        write(GOOD * 3, id="test/longer"),
        write(GOOD, id="test/own", head="needs: [flush]"),
        write(GOOD, id="test/slow", head="needs: [slow]"),
    ]
    engine = Engine(settings(FAKE), server, scenarios, JUDGE)
    begun = [event.id for event in await events(engine) if isinstance(event, ScenarioStarted)]
    assert begun[:4] == ["test/slow", "test/own", "test/longer", "test/short"]


async def test_each_scenario_has_a_stream_of_its_own_that_the_seed_decides(server: Server, write: Write) -> None:
    seen = "- set: {s: '${stream}'}\n- redis: [RPUSH, 'seen-{}', '${stream}']\n" + GOOD
    key = f"seen-{os.urandom(8).hex()}"
    steps = seen.replace("seen-{}", key)
    scenario = write(steps, id="test/same")
    for _ in range(2):
        await events(Engine(settings(FAKE), server, [scenario, write(steps, id="test/other")], JUDGE))
    from redisipc_conformance.wire.address import Address
    from redisipc_conformance.wire.client import Client

    client = Client(Address.parse(server.url))
    streams = await client("LRANGE", key, 0, -1)
    await client("DEL", key)
    await client.close()
    assert len(streams) == 4
    assert len(set(streams)) == 2


async def test_nothing_is_left_in_redis_or_of_processes(server: Server, write: Write) -> None:
    from redisipc_conformance.wire.address import Address
    from redisipc_conformance.wire.client import Client

    before = children()
    client = Client(Address.parse(server.url))
    # Another test may have killed a runner on this Redis: what that one left is not ours.
    others = set(await client("KEYS", "*"))
    steps = "- connect: a\n- peer: b\n- send: {from: a, to: b, content: x}\n- entry: {by: a}\n  check: it\n"
    told = await events(Engine(settings(), server, [write(steps)], JUDGE))
    assert [e.result.verdict for e in told if isinstance(e, ScenarioEnded)] == [Verdict.PASS]
    left = set(await client("KEYS", "*")) - others
    await client.close()
    assert not left
    assert children() <= before


@pytest.mark.parametrize("how", ["stop", "leave", "cancel"])
async def test_a_run_that_ends_early_leaves_no_process(server: Server, write: Write, how: str) -> None:
    before = children()
    scenarios = [write("- connect: a\n- connect: {endpoint: b, process: two}\n- wait: 600\n" + GOOD) for _ in range(4)]
    engine = Engine(settings(FAKE), server, scenarios, JUDGE)
    ended: list[RunEnded] = []

    async def follow() -> None:
        run = engine.run()
        async for event in run:
            if isinstance(event, ScenarioStarted) and how == "stop":
                engine.stop()
            elif isinstance(event, ScenarioStarted) and how == "leave":
                await run.aclose()
                return
            elif isinstance(event, RunEnded):
                ended.append(event)

    task = asyncio.create_task(follow())
    if how == "cancel":
        await asyncio.sleep(1)
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    if how == "stop":
        assert [event.interrupted for event in ended] == [True]
    assert children() <= before


@pytest.mark.parametrize("command", [("no-such-program",), (sys.executable, "-c", "print('hello')")])
async def test_a_testee_that_cannot_be_used_ends_the_run_before_it_begins(
    server: Server, write: Write, command: tuple[str, ...]
) -> None:
    with pytest.raises(TesteeUnusable):
        await events(Engine(settings(command), server, [write(GOOD)], JUDGE))


async def test_a_redis_that_is_not_ours_is_not_flushed(server: Server, write: Write) -> None:
    own = write("- server: flush\n" + GOOD, id="test/own", head="needs: [flush]")
    engine = Engine(settings(FAKE), GivenServer(server.url), [own, write(GOOD)], JUDGE)
    started = next(event for event in await events(engine) if isinstance(event, RunStarted))
    assert "not the suite's to stop or flush" in started.left_out["test/own"]
    assert len(started.scenarios) == 1
