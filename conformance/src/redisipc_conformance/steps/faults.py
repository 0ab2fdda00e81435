"""Faults that the suite causes: between an endpoint and Redis, in a process, in the scenario's own Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..context.failure import Failed, SuiteFault
from ..context.objects import Mark, Undo
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import differs, show
from ..scenario.model import Step
from ..server import NoServer
from ..wire.fault import Fault
from .commands_seen import pattern_of
from .registry import word
from .waiting import Look, expect, held, missing, wrong


def _tell(context: ScenarioContext, who: str, text: str) -> None:
    note = context.tell(who, text)
    note.side = "suite"


@word("fault")
async def fault(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    label = str(context.value(arguments["on"]))
    tap = await context.tap(label)
    armed = Fault(
        pattern_of(context, arguments["command"]),
        arguments["do"],
        times=int(context.value(arguments.get("times", 1))),
        skip=int(context.value(arguments.get("skip", 0))),
        seconds=context.seconds(arguments["seconds"]) if "seconds" in arguments else 0.0,
        text=str(context.value(arguments.get("text", "ERR refused by the suite"))),
        reply=context.value(arguments.get("reply")),
        multi_has=pattern_of(context, arguments["multi_has"]) if "multi_has" in arguments else None,
        alone=bool(arguments.get("alone")),
    )
    tap.arm(armed)
    _tell(context, label, f"armed: {armed.do} for {armed.pattern}")
    return Undo(armed.lift, armed, context.now())


@word("struck")
async def struck(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments if isinstance(step.arguments, dict) else {"fault": step.arguments}
    armed = context.named(arguments["fault"], Undo).fault
    if armed is None:
        raise SuiteFault(f"{arguments['fault']!r} is not a fault")
    exact = "count" in arguments
    wanted = context.expected(arguments.get("count", 1))
    patience = context.seconds(arguments["or-after"]) if "or-after" in arguments else None

    def look() -> Look:
        if differs(wanted, armed.struck) is None or (not exact and armed.struck >= 1):
            return held(armed.struck)
        message = f"the fault {armed.do} for {armed.pattern} has struck {armed.struck} times"
        seen = f"{armed.struck} times"
        return wrong(message, show(wanted), seen) if armed.struck else missing(message, show(wanted), seen)

    try:
        return await expect(context, step, "recover", look, allowed=patience)
    except Failed:
        # What struck too often is wrong at any time; only what did not come at all may be left out.
        if patience is None or armed.struck:
            raise
        return armed.struck


@word("lift")
async def lift(context: ScenarioContext, step: Step) -> Any:
    undo = context.named(step.arguments, Undo)
    _tell(context, "suite", f"lifted {step.arguments}")
    undo.lift()


@word("cut")
async def cut(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments if isinstance(step.arguments, dict) else {"endpoint": step.arguments}
    label = str(context.value(arguments["endpoint"]))
    tap = await context.tap(label)
    tap.refusing = bool(arguments.get("refuse"))
    _tell(context, label, "all connections cut" + (", new ones refused" if tap.refusing else ""))
    tap.cut()

    def accept() -> None:
        tap.refusing = False

    return Undo(accept, at=context.now())


@word("silence")
async def silence(context: ScenarioContext, step: Step) -> Any:
    label = str(context.value(step.arguments))
    tap = await context.tap(label)
    _tell(context, label, "nothing passes in either direction")
    tap.silence()
    return Undo(tap.resume, at=context.now())


@word("half-open")
async def half_open(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments if isinstance(step.arguments, dict) else {"endpoint": step.arguments}
    label = str(context.value(arguments["endpoint"]))
    tap = await context.tap(label)
    told = bool(arguments.get("told"))
    side = "they are closed at the endpoint" if told else "the endpoint gets nothing"
    _tell(context, label, f"its connections are half open: Redis still has them, {side}; new ones work")
    tap.forget(told=told)
    return Undo(tap.end_forgotten, at=context.now())


@word("slow")
async def slow(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    label = str(context.value(arguments["endpoint"]))
    tap = await context.tap(label)
    tap.slow_down(int(context.value(arguments["rate"])))
    _tell(context, label, f"its link takes {tap.pace.rate} bytes a second")

    def fast() -> None:
        tap.pace.rate, tap.pace.backs_up = 0, False

    return Undo(fast, at=context.now())


@word("limit")
async def limit(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    label = str(context.value(arguments["endpoint"]))
    tap = await context.tap(label)
    tap.longest_reply = int(context.value(arguments["bytes"]))
    _tell(context, label, f"a reply of over {tap.longest_reply} bytes ends its connection")

    def unlimited() -> None:
        tap.longest_reply = 0

    return Undo(unlimited, at=context.now())


@word("process")
async def process(context: ScenarioContext, step: Step) -> Any:
    ((deed, written),) = step.arguments.items()
    name = str(context.value(written))
    if not context.scenario.needs & {"kill", "pause"}:
        raise SuiteFault("processes are shared with other scenarios; this one needs `needs: [kill]` or `[pause]`")
    running = context.processes.running(name)
    if running is None:
        raise SuiteFault(f"no process {name!r} of the testee runs")
    at = Mark(context.now())
    _tell(context, name, {"kill": "killed (SIGKILL)", "pause": "paused (SIGSTOP)", "resume": "resumed (SIGCONT)"}[deed])
    if deed == "kill":
        context.processes.expect_end(name)
        running.kill()
        await running.ended()
        for endpoint in context.endpoints:
            if endpoint.process is running:
                endpoint.connected = False
    elif deed == "pause":
        running.pause()
    else:
        running.resume()
    return at


@word("server")
async def server(context: ScenarioContext, step: Step) -> Any:
    deed = step.arguments
    own = context.server
    if own is None:
        raise SuiteFault("this Redis is shared with other scenarios; this one needs `needs: [flush]` or `[restart]`")
    _tell(context, "redis", f"server: {deed}")
    moment = Mark(context.now())
    if deed == "flush":
        await context.redis("runner", "FLUSHALL")
        return moment
    deeds: dict[str, list[Callable[[], Any]]] = {
        "restart": [own.stop, own.start],
        "restart-empty": [own.stop, lambda: own.start(empty=True)],
        "stop": [own.stop],
        "start": [own.start],
    }
    try:
        for each in deeds[deed]:
            # Taken before the last of them: commands after this moment have met the changed server.
            moment = Mark(context.now())
            await asyncio.to_thread(each)
    except NoServer as error:
        raise SuiteFault(str(error)) from error
    _tell(context, "redis", f"server: {deed} done")
    context.pulse.bump()
    return moment
