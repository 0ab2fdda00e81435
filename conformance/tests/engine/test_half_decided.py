"""No check of the corpus passes where one of the steps that name it was not played: wherever a scenario may end."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from redisipc_conformance.context.budget_clock import BudgetClock
from redisipc_conformance.context.failure import Crashed, Failed, Stopped
from redisipc_conformance.context.processor_wait import ProcessorWait
from redisipc_conformance.context.scenario_context import ScenarioContext
from redisipc_conformance.engine.budgets import table
from redisipc_conformance.engine.step_runner import StepRunner
from redisipc_conformance.scenario.corpus import corpus
from redisipc_conformance.scenario.model import ROW_NAME, Scenario, Step
from redisipc_conformance.steps.registry import WORDS
from redisipc_conformance.testee.claims import Claims
from redisipc_conformance.verdict.check_log import CheckLog
from redisipc_conformance.wire.address import Address
from redisipc_conformance.wire.client import Client

pytestmark = pytest.mark.slow

NOWHERE = Address.parse("redis://127.0.0.1:1")
FLOW = frozenset({"repeat", "together", "each-row"})
"""Words that play other steps: they are played as they are, all others are only counted."""
MOST = 24
"""Places of one scenario at which it is ended: evenly spread, both ends among them."""

Played = Counter[tuple[int, str]]


class Rehearsal:
    """A scenario whose steps all hold and touch nothing, until the one that ends it."""

    def __init__(self, scenario: Scenario, row: dict[str, Any] | None, end: int = -1, crash: bool = False) -> None:
        rows = scenario.rows if row is None else (row,)
        self.check_log = CheckLog(scenario, [str(each["name"]) for each in rows])
        self.context = ScenarioContext(
            scenario, row=row, seed=1, client=Client(NOWHERE), address=NOWHERE, server=None, processes=None,  # type: ignore[arg-type]
            budgets=table(), scale=1.0, claims=Claims(frozenset({"base"})), budget_clock=BudgetClock(), waits=ProcessorWait(),
        )  # fmt: skip
        self.scenario, self.end, self.crash = scenario, end, crash
        self.at = 0
        self.played: Played = Counter()
        """The values that held, each with its row."""

    async def act(self, context: ScenarioContext, step: Step) -> Any:
        at, self.at = self.at, self.at + 1
        if at == self.end and self.crash:
            raise Crashed("it is gone")
        if at == self.end:
            raise Failed("nothing came") if not step.checks else Stopped(step, Failed("stopped beside a check"))
        self.played[id(step), self._row] += 1

    @property
    def _row(self) -> str:
        return str(self.context.row["name"]) if self.context.row else ""

    async def run(self) -> Rehearsal:
        try:
            await StepRunner(self.context, self.check_log).play(self.scenario.steps)
        except (Stopped, Crashed):
            pass
        return self

    def owing(self, whole: Played) -> set[str]:
        """Checks that a whole run decides at more turns than this one did."""
        steps = {id(step): step for step in self.scenario.walk()}
        left = whole - self.played
        return {name.replace(ROW_NAME, row) for step, row in left for name in steps[step].checks}


@pytest.fixture
def rehearse(monkeypatch: pytest.MonkeyPatch) -> dict[str, Rehearsal]:
    """All words but those of the flow go to the rehearsal that is on."""
    on: dict[str, Rehearsal] = {}

    async def act(context: ScenarioContext, step: Step) -> Any:
        return await on["now"].act(context, step)

    for word in set(WORDS) - FLOW:
        monkeypatch.setitem(WORDS, word, act)
    return on


def _runs(scenario: Scenario) -> list[dict[str, Any] | None]:
    return list(scenario.rows[:2]) if scenario.rows and not scenario.row_by_row else [None]


def _places(length: int) -> list[int]:
    if length <= MOST:
        return list(range(length))
    return sorted({round(at * (length - 1) / (MOST - 1)) for at in range(MOST)})


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "crashed"])
async def test_no_check_is_decided_before_each_of_its_steps_was_played(
    rehearse: dict[str, Rehearsal], crash: bool
) -> None:
    half: list[str] = []
    tried = 0
    for scenario in corpus():
        for row in _runs(scenario):
            whole = rehearse["now"] = Rehearsal(scenario, row)
            await whole.run()
            assert whole.check_log.complete, f"{scenario.id}: the whole of it does not decide every check"
            for end in _places(whole.at):
                part = rehearse["now"] = Rehearsal(scenario, row, end, crash)
                await part.run()
                tried += 1
                owing = part.owing(whole.played)
                half += [
                    f"{scenario.id}/{n} at step {end}"
                    for n, k in part.check_log.states.items()
                    if k.decided and n in owing
                ]
    assert half == []
    assert tried > 2000


async def test_what_was_decided_before_the_end_stays_decided(rehearse: dict[str, Rehearsal]) -> None:
    lost: list[str] = []
    for scenario in corpus():
        if any(step.word == "repeat" for step in scenario.walk()):
            continue
        for row in _runs(scenario):
            whole = rehearse["now"] = Rehearsal(scenario, row)
            await whole.run()
            part = rehearse["now"] = Rehearsal(scenario, row, whole.at - 1)
            await part.run()
            owing = part.owing(whole.played)
            lost += [f"{scenario.id}/{n}" for n, k in part.check_log.states.items() if not k.decided and n not in owing]
    assert lost == []
