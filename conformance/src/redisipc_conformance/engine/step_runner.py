"""Plays steps one after the other, and writes the log of the checks."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Sequence

from ..context.failure import AtLine, Failed, Stopped, SuiteFault
from ..context.notes import Note
from ..context.scenario_context import ScenarioContext
from ..files import schemas_folder
from ..scenario.model import Step
from ..scenario.values import BadValue
from ..steps import (  # noqa: F401  (they register their words)
    adding,
    attempts_seen,
    by_hand,
    claiming,
    clock,
    commands_seen,
    entry_seen,
    faults,
    fence,
    flow,
    peers,
    reading,
    redis_seen,
    serving,
    testee_acts,
    testee_seen,
)
from ..steps.registry import WORDS
from ..steps.waiting import SHORTEST_SECONDS
from ..verdict.check_log import CheckLog

ACTS = frozenset(
    {
        "connect", "send", "trigger", "cancel", "fork", "block", "postpone", "fulfill", "reject", "raise", "ignore", "serve",
        "disconnect",
        "peer", "crowd", "add", "settle", "claim", "give-back", "hand", "register", "unregister", "redis", "fault", "lift", "cut",
        "silence", "half-open", "slow", "limit", "process", "server", "stop", "age"
    }
)  # fmt: skip
"""Steps that change something: a fence before them is no longer valid after them."""
TIMED = frozenset({"elapsed", "wait"})
"""Steps that only concern time."""
AGAIN = frozenset({"repeat"})
"""Steps that play their inner steps more than once."""


class StepRunner:
    """The steps of one scenario in one context."""

    def __init__(self, context: ScenarioContext, check_log: CheckLog) -> None:
        self.context = context
        self.check_log = check_log
        context.play = self.play

    async def play(self, steps: Sequence[Step]) -> None:
        """Raises Stopped, AtLine, Crashed."""
        for step in steps:
            self.context.raise_what_failed_beside()
            await self._run_step(step)

    async def _run_step(self, step: Step) -> None:
        context = self.context
        context.notes.append(Note(time.monotonic(), "suite", "", self._title(step), kind="step"))
        checks: list[str] = []
        if step.word in ACTS:
            context.fenced.clear()
        try:
            checks = [str(context.value(name)) for name in step.checks]
            result = await WORDS[step.word](context, step)
        except Failed as failed:
            self._failed(step, checks, failed)
            return
        except AtLine:
            raise
        except (SuiteFault, BadValue) as error:
            raise AtLine(step.line, f"{step.word}: {error}") from error
        except BaseException:
            if step.word in AGAIN:
                self.check_log.reopen(step, self._row)
            raise
        if step.bind:
            context.bind(str(context.value(step.bind)), result)
        for name in checks:
            self.check_log.held(name, step, self._row)

    def _title(self, step: Step) -> str:
        """The step as the transcript shows it; its note names the row (``${row.name}``)."""
        arguments = step.arguments if isinstance(step.arguments, str) else ""
        text = f"line {step.line}: {step.word} {arguments}".rstrip()
        return f"{text} ({self.context.value(step.note)})" if step.note else text

    @property
    def _row(self) -> str:
        return str(self.context.row["name"]) if self.context.row else ""

    def _failed(self, step: Step, checks: Sequence[str], failed: Failed) -> None:
        context = self.context
        failed.lag, failed.lag_of = machines_part(context, step, failed)
        if failed.kept is not None and not failed.lag:
            failed.kept[0].unacknowledged = failed.kept[1]
        if step.bind:
            name = str(context.value(step.bind))
            if failed.value is not None:
                context.bind(name, failed.value)
            else:
                context.lost[name] = step.line
                context.names.pop(name, None)
        if not checks:
            raise Stopped(step, failed)
        for name in checks:
            self.check_log.failed(name, step, failed)


@functools.cache
def silence() -> float:
    """The seconds of silence after which an endpoint may consider Redis lost (SPEC.md's table of times)."""
    data = json.loads((schemas_folder() / "1.0" / "tables" / "times.json").read_text("utf-8"))
    return next(float(row["seconds"]) for table in data["tables"] for row in table["rows"] if row["id"] == "silence")


STARVED = 0.9
"""If a thread of the testee waits for a processor for more of one second, the machine is too busy to judge."""
STOOD = "the runner itself stood still for"
WAITED = "the testee waited for a processor for"
HELD_UP = "the commands of the runner waited for late replies for"


def machines_part(context: ScenarioContext, step: Step, failed: Failed) -> tuple[float, str]:
    """The seconds that the machine took, if they may have made the step fail, and who lost them.

    For a time bound: the machine took at least as long as the bound was exceeded, or the runner stood still for more
    than half of it. For any failure: the runner stood still for so long at once that an endpoint may have considered its
    Redis lost. Or a process of the testee got next to no processor for a second. The runner also stands still while its own
    commands wait for replies that are late, because another scenario sent a slow command.
    """
    budget_clock, since = context.budget_clock, failed.since or context.began
    for worst, lag, stood in (
        (budget_clock.worst_lag(context.began, silence()), budget_clock.lag(since), STOOD),
        (context.held_up_at_once(context.began), context.held_up(since), HELD_UP),
    ):
        if worst > silence() / 2:
            return worst, stood
        if _timed(step, failed) and lag > _bound(step) / 2:
            return lag, stood
    pids = [endpoint.process.pid for endpoint in context.endpoints if endpoint.process is not None]
    starved = context.waits.worst_second(pids, context.began)
    if starved > STARVED:
        return starved, WAITED
    if failed.over > 0:
        waited = context.waits.since(pids, failed.since)
        late, stood = max((context.budget_clock.all_lag(failed.since), STOOD), (context.held_up(failed.since), HELD_UP))
        if waited + late >= failed.over:
            return (waited, WAITED) if waited > late else (late, stood)
    return 0.0, ""


def _timed(step: Step, failed: Failed) -> bool:
    return failed.by_timeout or step.within is not None or step.word in TIMED or "took" in str(step.arguments)


def _bound(step: Step) -> float:
    return max(step.within if isinstance(step.within, (int, float)) else SHORTEST_SECONDS, SHORTEST_SECONDS)
