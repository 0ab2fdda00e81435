"""A process that the machine gives no processor is neither unusable nor hung."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from redisipc_conformance.context.budget_clock import BudgetClock
from redisipc_conformance.context.processor_wait import ProcessorWait
from redisipc_conformance.engine import pool as pools
from redisipc_conformance.engine import scenario_run
from redisipc_conformance.engine.goodbyes import Goodbyes
from redisipc_conformance.engine.pool import Pool
from redisipc_conformance.engine.scenario_run import ScenarioRun
from redisipc_conformance.testee.errors import TesteeUnusable
from redisipc_conformance.testee.schemas import TesteeSchemas

LATE = (
    sys.executable,
    "-c",
    f"import time; time.sleep(1.5); exec(open({str(Path(__file__).with_name('fake_testee.py'))!r}).read())",
)


async def start(command: tuple[str, ...]) -> None:
    pool = Pool(command, TesteeSchemas.load(), 0.5, Goodbyes())
    try:
        await pool.get("one")
    finally:
        await pool.close()


async def test_the_wait_for_a_processor_is_given_to_a_testee_that_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "waited_so_far", lambda pid, began: 2.4)
    await start(LATE)


async def test_a_testee_that_starts_late_by_itself_is_unusable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "waited_so_far", lambda pid, began: 0.0)
    with pytest.raises(TesteeUnusable, match="no answer within"):
        await start(LATE)


@pytest.mark.parametrize(("waited", "retired"), [(0.0, True), (3.0, False)])
async def test_only_what_had_a_processor_is_hung(monkeypatch: pytest.MonkeyPatch, waited: float, retired: bool) -> None:
    monkeypatch.setattr(scenario_run, "PROBE_SECONDS", 0.3)
    monkeypatch.setattr(ProcessorWait, "since", lambda self, pids, moment: waited)
    monkeypatch.setattr(BudgetClock, "all_lag", lambda self, since: 0.0)

    async def begin(method: str, params: dict[str, Any]) -> asyncio.Future[dict[str, Any]]:
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.9, lambda: answer.done() or answer.set_result({}))
        return answer

    process = SimpleNamespace(pid=1, begin=begin)
    context: Any = SimpleNamespace(
        suspects={process.pid: process}.values(), waits=ProcessorWait(), budget_clock=BudgetClock()
    )
    gone: list[object] = []
    pool: Any = SimpleNamespace(retire=gone.append)
    await ScenarioRun._probe(context, pool)
    assert bool(gone) is retired
