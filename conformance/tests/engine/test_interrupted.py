"""An interrupted run waits for nothing: no answer of a testee, no end of one, in whatever state a scenario is."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.conftest import JUDGE, Write, settings
from redisipc_conformance.engine.run import Engine
from redisipc_conformance.results import RunEnded
from redisipc_conformance.server import Server
from redisipc_conformance.testee import process
from redisipc_conformance.within import to_the_end, within

FAKE = (sys.executable, str(Path(__file__).with_name("fake_testee.py")))
DAY = 24 * 3600.0
PATIENCE = 30.0
"""Seconds. Each wait that is tried here lasts a day, unless it is woken."""
GOOD = "- connect: a\n- value: {of: 1, is: 1}\n  check: it\n"


def connected(engine: Engine, _file: Path) -> bool:
    contexts = [each.context for each in engine._scenario_runs if each.context is not None]
    return any(endpoint.connected for context in contexts for endpoint in context.endpoints)


def written(_engine: Engine, file: Path) -> bool:
    return file.exists()


@pytest.mark.parametrize(
    ("option", "steps", "head", "reached"),
    [
        ("--leavers", GOOD + "- wait: 80000\n", "", connected),
        ("--leavers", GOOD, "", written),
        ("--stays", GOOD, "needs: [kill]", written),
    ],
    ids=["in a step", "while its endpoint leaves", "while its process ends"],
)
async def test_a_wait_for_a_testee_is_woken(
    server: Server,
    write: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    steps: str,
    head: str,
    reached: Callable[[Engine, Path], bool],
) -> None:
    monkeypatch.setattr(process, "SHUTDOWN_SECONDS", DAY)
    file = tmp_path / "reached"
    engine = Engine(settings((*FAKE, option, str(file)), no_timeouts=True), server, [write(steps, head=head)], JUDGE)

    async def stop() -> None:
        while not reached(engine, file):
            await asyncio.sleep(0.01)
        engine.stop()

    async def follow() -> list[bool]:
        stopping = asyncio.create_task(stop())
        ended = [event.interrupted async for event in engine.run() if isinstance(event, RunEnded)]
        await stopping
        return ended

    assert await within(follow(), PATIENCE) == [True]


async def test_clearing_away_is_not_cut_short() -> None:
    go, done = asyncio.Event(), False

    async def clear() -> None:
        nonlocal done
        await go.wait()
        done = True

    clearing = asyncio.create_task(to_the_end(clear()))
    for _ in range(2):
        await asyncio.sleep(0)
        clearing.cancel()
    await asyncio.sleep(0)
    assert not clearing.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await clearing
    assert done
