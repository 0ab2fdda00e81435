"""Steps that hold other steps, and variables."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from ..context.failure import Failed, Stopped, SuiteFault
from ..context.objects import Background
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import differs, show
from ..scenario.model import Step
from ..within import end_all, take_note, within
from .registry import word
from .waiting import Look, expect, held, wrong


@word("repeat")
async def repeat(context: ScenarioContext, step: Step) -> Any:
    times = int(context.value(step.arguments["times"]))
    counter = step.arguments.get("as")
    for at in range(times):
        if counter:
            context.bind(str(counter), at)
        await context.play(step.blocks[0])


@word("together")
async def together(context: ScenarioContext, step: Step) -> Any:
    tasks = [context.spawn(context.play(block)) for block in step.blocks]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.add_done_callback(take_note)
        await end_all(set(tasks))


@word("background")
async def background(context: ScenarioContext, step: Step) -> Any:
    every = context.seconds(step.arguments["every"])
    ending = asyncio.Event()

    async def again() -> None:
        while not ending.is_set():
            await context.play(step.blocks[0])
            with contextlib.suppress(TimeoutError):
                await within(ending.wait(), every)

    task = context.spawn(again())
    task.add_done_callback(lambda ended: None if ended.cancelled() else ended.exception())
    background = Background(task, ending.set, context.now(), awaited=True)
    context.backgrounds.append(background)
    return background


@word("stop")
async def stop(context: ScenarioContext, step: Step) -> Any:
    background = context.named(step.arguments, Background)
    background.stop()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait({background.task}, timeout=context.budgets["recover"])
    if not background.task.done():
        background.task.cancel()
        raise Failed(f"{step.arguments} does not come to an end", "stopped", "still running", by_timeout=True)
    if not background.task.cancelled():
        background.task.result()


@word("set")
async def set_(context: ScenarioContext, step: Step) -> Any:
    for name, written in step.arguments.items():
        context.bind(str(context.value(name)), context.value(written))


@word("value")
async def value(context: ScenarioContext, step: Step) -> Any:
    wanted = context.expected(step.arguments["is"])

    def look() -> Look:
        seen = context.value(step.arguments["of"])
        told = differs(wanted, seen)
        return (
            held(seen) if told is None else wrong(told, show(wanted), show(seen), final=step.within is None, value=seen)
        )

    return await expect(context, step, "settle", look)


ROWS_IN_VAIN, VAIN_SECONDS = 3, 2.0
"""After so many rows in a row stopped, each after so many seconds, the rest of the table is not tried."""


@word("each-row")
async def each_row(context: ScenarioContext, step: Step) -> Any:
    if not context.scenario.rows:
        raise SuiteFault("there are no rows")
    outside = context.row
    in_vain = 0
    try:
        for row in context.scenario.rows:
            if in_vain >= ROWS_IN_VAIN:
                failed = Failed(f"not tried: {in_vain} rows before it waited without success", by_timeout=True)
                context.stopped_rows[str(row["name"])] = Stopped(step, failed)
                continue
            context.set_row(row)
            began = time.monotonic()
            try:
                await context.play(step.blocks[0])
                in_vain = 0
            except Stopped as stopped:
                # One row that cannot continue proves nothing about the others. Many rows that wait in vain do.
                context.stopped_rows[str(row["name"])] = stopped
                in_vain = in_vain + 1 if time.monotonic() - began > VAIN_SECONDS * context.scale else 0
            context.raise_if_crashed()
    finally:
        context.row = outside
