"""One testee against some scenarios, and what each of its checks said."""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Callable, Sequence

from catalogue import HERE

from redisipc_conformance.engine.run import Engine, Settings
from redisipc_conformance.engine.step_runner import HELD_UP, STOOD, WAITED
from redisipc_conformance.requirements import Requirements
from redisipc_conformance.results import CheckResult, ScenarioEnded, ScenarioResult, Verdict
from redisipc_conformance.scenario import Scenario
from redisipc_conformance.server import Server
from redisipc_conformance.verdict.judge import Judge

MODEL = (sys.executable, str(HERE / "testee.py"))
NULL = (sys.executable, str(HERE / "null.py"))
FAILED = (Verdict.FAIL, Verdict.WARNING)


async def results(
    command: Sequence[str],
    scenarios: Sequence[Scenario],
    server: Server,
    jobs: int = 8,
    time_scale: float = 1.0,
    enough: Callable[[ScenarioResult], bool] = lambda result: False,
) -> list[ScenarioResult]:
    """Runs the scenarios; in the order in which they ended. Ends all of them after the first that is ``enough``."""
    # Trials run side by side on one Redis, the same scenarios among them.
    prefix = f"ripc-{secrets.token_hex(4)}"
    settings = Settings(tuple(command), jobs, seed=1, time_scale=time_scale, prefix=prefix)
    engine = Engine(settings, server, scenarios, Judge(Requirements.load()))
    ended: list[ScenarioResult] = []
    async with contextlib.aclosing(engine.run()) as events:
        async for event in events:
            if isinstance(event, ScenarioEnded):
                ended.append(event.result)
                if enough(event.result):
                    break
    return ended


def by_name(ended: Sequence[ScenarioResult]) -> dict[str, CheckResult]:
    """Every check that was declared, as ``area/scenario/check``."""
    return {f"{result.id}/{check.name}": check for result in ended for check in result.checks}


def caught(check: CheckResult) -> bool:
    """Whether it failed by assertion: something wrong was seen, not only nothing in time."""
    return check.verdict in FAILED and not check.by_timeout


def undecided(check: CheckResult) -> bool:
    """Whether it failed while the machine was too busy to blame the testee."""
    return check.verdict is Verdict.INCONCLUSIVE and any(reason in check.message for reason in (STOOD, WAITED, HELD_UP))
