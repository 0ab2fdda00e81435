"""Checks an expectation whenever something happens on the wire, until it holds or its budget is used up."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..context.failure import Crashed, Failed

if TYPE_CHECKING:
    from ..context.scenario_context import ScenarioContext
    from ..scenario.model import Step

FIRST_POLL, LAST_POLL = 0.002, 0.02
"""Seconds between two checks of Redis' state, whose changes no event announces."""
SHORTEST_SECONDS = 1.0
"""The bound of a step that gives no number: every budget that a testee can exceed is at least this long."""
WORD = 0.5
"""Seconds after the wire shows a thing, in which the testee may report it: its handlers run in parallel."""


@dataclass
class Look:
    """The result of one check."""

    held: bool
    value: Any = None
    message: str = ""
    expected: str = ""
    seen: str = ""
    final: bool = False
    """Wrong for good: waiting longer changes nothing."""
    nothing: bool = False
    """There was nothing to compare yet."""
    culprit: object | None = None
    since: float = 0.0
    over: float = 0.0
    """As in Failed: by how much a time bound was exceeded, and from when it counts."""

    def failed(self, *, by_timeout: bool) -> Failed:
        failed = Failed(self.message, self.expected, self.seen, by_timeout, self.culprit, value=self.value)
        failed.since, failed.over = self.since, self.over
        return failed


def held(value: Any = None) -> Look:
    return Look(True, value)


def missing(message: str, expected: str = "", seen: str = "") -> Look:
    """Nothing to compare yet."""
    return Look(False, None, message, expected, seen, nothing=True)


def wrong(
    message: str,
    expected: str = "",
    seen: str = "",
    *,
    final: bool = False,
    culprit: object | None = None,
    value: Any = None,
) -> Look:
    """Something is there, but it is wrong."""
    return Look(False, value, message, expected, seen, final=final, culprit=culprit)


async def expect(
    context: ScenarioContext,
    step: Step,
    budget: str,
    look: Callable[[], Look | Awaitable[Look]],
    *,
    allowed: float | None = None,
    word: bool = False,
) -> Any:
    """The value of the check that held. Raises Failed. `budget`: how long it waits where the step does not say.

    `word`: the testee reports it. With `now`, its message may still be under way.
    """

    async def once() -> Look:
        result = look()
        return await result if inspect.isawaitable(result) else result

    if step.throughout is not None:
        return await _throughout(context, step, once)
    if step.now:
        end = time.monotonic() + (WORD if word else 0)
        while True:
            beat = context.pulse.beats
            seen = await once()
            if seen.held:
                return seen.value
            left = end - time.monotonic()
            if seen.final or left <= 0:
                raise seen.failed(by_timeout=False)
            await context.pulse.wait(left, since=beat)
    name, seconds = context.allowance(step, budget, allowed)
    began, since = context.budget_clock.now(), time.monotonic()
    poll = FIRST_POLL
    while True:
        beat = context.pulse.beats
        seen = await once()
        used = context.budget_clock.now() - began
        if seen.held:
            context.used(name, seconds, used)
            return seen.value
        if seen.final:
            context.used(name, seconds, used)
            raise seen.failed(by_timeout=False)
        context.raise_if_crashed()
        if used >= seconds:
            context.used(name, seconds, used)
            failed = seen.failed(by_timeout=seen.nothing and not behind_fence(context, step))
            failed.since, failed.over = since, max(seconds, SHORTEST_SECONDS) / 2
            raise failed
        if inspect.iscoroutinefunction(look):
            # Redis does not announce its state, but a command of the testee may have changed it.
            await asyncio.sleep(FIRST_POLL)
            await context.pulse.wait(min(poll, seconds - used), since=beat)
            poll = min(poll * 1.5, LAST_POLL)
        else:
            await context.pulse.wait(seconds - used, since=beat)


def behind_fence(context: ScenarioContext, step: Step) -> bool:
    """Whether the missing thing cannot come late: its endpoint has handled everything before its fence."""
    arguments = step.arguments if isinstance(step.arguments, dict) else {}
    sender = getattr(getattr(context.names.get(str(arguments.get("of", ""))), "endpoint", None), "label", None)
    asked = arguments.get("by") or (sender if step.word == "outcome" else None)
    return asked in context.fenced if asked else bool(context.fenced)


async def _throughout(context: ScenarioContext, step: Step, once: Callable[[], Awaitable[Look]]) -> Any:
    seconds = context.seconds(step.throughout)
    end = time.monotonic() + seconds
    while True:
        beat = context.pulse.beats
        seen = await once()
        if not seen.held:
            raise seen.failed(by_timeout=False)
        left = end - time.monotonic()
        if left <= 0:
            return seen.value
        context.raise_if_crashed()
        await asyncio.sleep(FIRST_POLL)
        await context.pulse.wait(min(LAST_POLL, left), since=beat)


__all__ = ["Crashed", "Look", "expect", "held", "missing", "wrong"]
