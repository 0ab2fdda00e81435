"""Faults that are made on purpose: between an endpoint and Redis, to a process, to the scenario's own Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..context.failure import SuiteFault
from ..context.objects import Mark, Undo
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import differs, show
from ..scenario.model import Step
from ..server import NoServer
from ..wire.fault import Fault
from .commands_seen import pattern_of
from .registry import word
from .waiting import Look, expect, held, missing, wrong


def _tell(stage: ScenarioContext, who: str, text: str) -> None:
    note = stage.tell(who, text)
    note.side = "suite"


@word("fault")
async def fault(stage: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    label = str(stage.value(arguments["on"]))
    tap = await stage.tap(label)
    armed = Fault(
        pattern_of(stage, arguments["command"]),
        arguments["do"],
        times=int(stage.value(arguments.get("times", 1))),
        skip=int(stage.value(arguments.get("skip", 0))),
        seconds=stage.seconds(arguments["seconds"]) if "seconds" in arguments else 0.0,
        text=str(stage.value(arguments.get("text", "ERR refused by the suite"))),
        reply=stage.value(arguments.get("reply")),
        multi_has=pattern_of(stage, arguments["multi_has"]) if "multi_has" in arguments else None,
    )
    tap.arm(armed)
    _tell(stage, label, f"armed: {armed.do} for {armed.pattern}")
    return Undo(armed.lift, armed, stage.now())


@word("struck")
async def struck(stage: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments if isinstance(step.arguments, dict) else {"fault": step.arguments}
    armed = stage.thing(arguments["fault"], Undo).fault
    if armed is None:
        raise SuiteFault(f"{arguments['fault']!r} is not a fault")
    exact = "count" in arguments
    wanted = stage.expected(arguments.get("count", 1))

    def look() -> Look:
        if differs(wanted, armed.struck) is None or (not exact and armed.struck >= 1):
            return held(armed.struck)
        message = f"the fault {armed.do} for {armed.pattern} has struck {armed.struck} times"
        seen = f"{armed.struck} times"
        return wrong(message, show(wanted), seen) if armed.struck else missing(message, show(wanted), seen)

    return await expect(stage, step, "recover", look)


@word("lift")
async def lift(stage: ScenarioContext, step: Step) -> Any:
    lifting = stage.thing(step.arguments, Undo)
    _tell(stage, "suite", f"lifted {step.arguments}")
    lifting.lift()


@word("cut")
async def cut(stage: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments if isinstance(step.arguments, dict) else {"endpoint": step.arguments}
    label = str(stage.value(arguments["endpoint"]))
    tap = await stage.tap(label)
    tap.refusing = bool(arguments.get("refuse"))
    _tell(stage, label, "all connections cut" + (", new ones refused" if tap.refusing else ""))
    tap.cut()

    def accept() -> None:
        tap.refusing = False

    return Undo(accept, at=stage.now())


@word("silence")
async def silence(stage: ScenarioContext, step: Step) -> Any:
    label = str(stage.value(step.arguments))
    tap = await stage.tap(label)
    _tell(stage, label, "nothing passes in either direction")
    tap.silence()
    return Undo(tap.resume, at=stage.now())


@word("half-open")
async def half_open(stage: ScenarioContext, step: Step) -> Any:
    label = str(stage.value(step.arguments))
    tap = await stage.tap(label)
    _tell(stage, label, "its connections are half open: Redis still has them, the endpoint gets nothing; new ones work")
    tap.forget()
    return Undo(tap.end_forgotten, at=stage.now())


@word("slow")
async def slow(stage: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    label = str(stage.value(arguments["endpoint"]))
    tap = await stage.tap(label)
    tap.pace.rate = int(stage.value(arguments["rate"]))
    _tell(stage, label, f"its link takes {tap.pace.rate} bytes a second")

    def fast() -> None:
        tap.pace.rate = 0

    return Undo(fast, at=stage.now())


@word("process")
async def process(stage: ScenarioContext, step: Step) -> Any:
    ((deed, written),) = step.arguments.items()
    name = str(stage.value(written))
    if not stage.scenario.needs & {"kill", "pause"}:
        raise SuiteFault("processes are shared with other scenarios; this one needs `needs: [kill]` or `[pause]`")
    running = stage.processes.running(name)
    if running is None:
        raise SuiteFault(f"no process {name!r} of the testee runs")
    at = Mark(stage.now())
    _tell(stage, name, {"kill": "killed (SIGKILL)", "pause": "paused (SIGSTOP)", "resume": "resumed (SIGCONT)"}[deed])
    if deed == "kill":
        stage.processes.expect_end(name)
        running.kill()
        await running.ended()
        for endpoint in stage.endpoints:
            if endpoint.process is running:
                endpoint.connected = False
    elif deed == "pause":
        running.pause()
    else:
        running.resume()
    return at


@word("server")
async def server(stage: ScenarioContext, step: Step) -> Any:
    deed = step.arguments
    own = stage.server
    if own is None:
        raise SuiteFault("this Redis is shared with other scenarios; this one needs `needs: [flush]` or `[restart]`")
    _tell(stage, "redis", f"server: {deed}")
    moment = Mark(stage.now())
    if deed == "flush":
        await stage.redis("runner", "FLUSHALL")
        return moment
    deeds: dict[str, list[Callable[[], Any]]] = {
        "restart": [own.stop, own.start],
        "restart-empty": [own.stop, lambda: own.start(empty=True)],
        "stop": [own.stop],
        "start": [own.start],
    }
    try:
        for each in deeds[deed]:
            # Before the last of them: what comes after this moment has met the server as it is now.
            moment = Mark(stage.now())
            await asyncio.to_thread(each)
    except NoServer as error:
        raise SuiteFault(str(error)) from error
    _tell(stage, "redis", f"server: {deed} done")
    stage.pulse.bump()
    return moment
