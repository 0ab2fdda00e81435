"""Time: moments, the gaps between them, and steps that make things in Redis older instead of waiting."""

from __future__ import annotations

import asyncio
from typing import Any

from ..context.failure import Failed, SuiteFault
from ..context.objects import Mark
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import beyond, differs, show, widened
from ..scenario.model import Step
from ..wire import resp
from .aging import age_consumers
from .entries import entry_of
from .registry import word


@word("mark")
async def mark(context: ScenarioContext, step: Step) -> Any:
    moment = Mark(context.now())
    context.bind(str(context.value(step.arguments)), moment)
    return moment


@word("elapsed")
async def elapsed(context: ScenarioContext, step: Step) -> Any:
    begin, end = (context.value(step.arguments[key]) for key in ("from", "to"))
    if not all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (begin, end)):
        raise SuiteFault(f"elapsed needs two moments, not {show(begin)} and {show(end)}")
    took = end - begin
    if step.within is not None:
        budget, allowed = context.allowance(step, "")
        context.used(budget, allowed, took)
        if took > allowed:
            message, since = f"it took {took:.3f} s", context.monotonic(begin)
            raise Failed(message, f"at most {allowed:g} s", f"{took:.3f} s", since=since, over=took - allowed)
    if "is" not in step.arguments:
        return took
    wanted = widened(context.expected(step.arguments["is"]), context.delay)
    told = differs(wanted, took, "seconds")
    if told is not None:
        since, over = context.monotonic(begin), beyond(wanted, took)
        raise Failed(f"it took {took:.3f} s", show(wanted), f"{took:.3f} s", since=since, over=over)
    return took


@word("wait")
async def wait(context: ScenarioContext, step: Step) -> Any:
    await asyncio.sleep(context.seconds(step.arguments))
    context.raise_if_crashed()


@word("age")
async def age(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    if "key" in arguments:
        key = str(context.value(arguments["key"]))
        return await context.redis("runner", "EXPIRE", key, int(context.value(arguments.get("ttl", 1))))
    idle = int(context.value(arguments["idle"]))
    if "consumers" in arguments:
        return await age_consumers(context, context.group(arguments["consumers"]), idle)
    entry = entry_of(context, arguments["entry"])
    if entry is None:
        raise Failed("the entry was not written", "an entry", "none", by_timeout=True)
    group = context.group(arguments["group"])
    rows: Any = await context.redis("runner", "XPENDING", entry.key, group, entry.entry, entry.entry, 1)
    if not rows:
        raise Failed(f"{entry.entry} is not in the pending list of {group}", "a pending entry to age", "none")
    _, owner, _, deliveries = rows[0]
    command: tuple[resp.Arg, ...] = ("XCLAIM", entry.key, group, owner, 0, entry.entry, "IDLE", idle)
    return await context.redis("runner", *command, "RETRYCOUNT", deliveries, "JUSTID")
