"""The step `redis`: the runner sends any command itself."""

from __future__ import annotations

from typing import Any

from ..context.entry_log import xadd_fields
from ..context.failure import SuiteFault
from ..context.objects import Written
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import differs, show
from ..scenario.model import Step
from ..wire import resp
from .redis_seen import as_json
from .registry import word
from .waiting import Look, expect, held, wrong


@word("redis")
async def redis(context: ScenarioContext, step: Step) -> Any:
    command = [_argument(context.value(each)) for each in step.arguments]
    expected = context.expected(step.reply) if step.has_reply else None

    async def once() -> Look:
        at = context.now()
        reply = (await context.batch("runner", [command], errors=step.has_reply))[0]
        value = as_json(reply)
        if str(command[0]).upper() == "XADD" and isinstance(reply, bytes):
            _by_hand(context, command, reply, at)
        if not step.has_reply:
            return held(value)
        told = differs(expected, value)
        if told is None:
            return held(value)
        again = step.within is not None
        return wrong(
            f"the reply of Redis does not match: {told}", show(expected), show(value), final=not again, value=value
        )

    return await expect(context, step, "settle", once)


def _argument(value: Any) -> resp.Arg:
    if isinstance(value, (str, bytes, int, float)) and not isinstance(value, bool):
        return value
    raise SuiteFault(f"{show(value)} is not an argument of a Redis command")


def _by_hand(context: ScenarioContext, command: list[resp.Arg], reply: bytes, at: float) -> None:
    pairs_ = xadd_fields([resp.to_bytes(each) for each in command])
    if pairs_ is not None:
        written = Written(str(command[1]), reply.decode(), pairs_, at, by="runner", by_suite=True)
        written.marked_invalid = True
        context.entry_log.add(written)
