"""Connections, and refused attempts: the tap sees them, independent of what is sent over them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from ..context.failure import SuiteFault
from ..context.objects import Mark, NamedObject
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import differs, show
from ..scenario.model import Step
from .registry import word
from .waiting import Look, expect, held, missing, wrong

_ONE_ATTEMPT = 0.1
"""Connections that an endpoint opens within so many seconds are one attempt."""
_ALIKE = 0.02
"""Pauses that differ by at most so many seconds count as equal."""
_LEAST_PAUSES = 4
_COUNTS = ("opened", "closed", "open", "grown")
"""The counts that a step can ask for. The last one is how many more are open now than at the moment `since`."""


def pauses_between(moments: list[float]) -> list[float]:
    """Seconds between attempts. Connections that are opened together count as one."""
    first = [at for before, at in pairwise([float("-inf"), *moments]) if at - before > _ONE_ATTEMPT]
    return [after - before for before, after in pairwise(first)]


def share_alike(pauses: list[float]) -> float:
    """The largest share of pauses with equal length. Several lanes may try, each in its own time."""
    return max(sum(0 <= other - pause <= _ALIKE for other in pauses) for pause in pauses) / len(pauses)


@word("attempts")
async def attempts(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    label = str(context.value(arguments["of"]))
    tap = context.taps.get(label)
    if tap is None:
        raise SuiteFault(f"{label!r} is not an endpoint that has connected")
    since = float(getattr(context.named(arguments["since"], Mark, NamedObject), "at", 0.0))
    parts = {key: context.expected(arguments[key]) for key in ("count", "first", "alike") if key in arguments}

    def look() -> Look:
        moments = [context.wall(at) - since for at in tap.refused if context.wall(at) >= since]
        seen = ", ".join(f"{moment:.2f} s" for moment in moments[:20]) or "none"
        if "first" in parts and not moments:
            return missing(f"{label} has not tried to connect", show(parts["first"]), seen)
        if "first" in parts and (told := differs(parts["first"], moments[0], "first")):
            return wrong(
                f"{label} tried first after {moments[0]:.2f} s: {told}", show(parts["first"]), seen, final=True
            )
        if "count" in parts and (told := differs(parts["count"], len(moments), "count")):
            return wrong(f"{label} tried {len(moments)} times: {told}", show(parts["count"]), seen)
        if "alike" in parts:
            pauses = pauses_between(moments)
            if len(pauses) < _LEAST_PAUSES:
                return missing(f"{label} tried too seldom to tell", f"{_LEAST_PAUSES} pauses", seen)
            if told := differs(parts["alike"], share_alike(pauses), "alike"):
                shown = ", ".join(f"{pause:.2f} s" for pause in pauses[:20])
                return wrong(f"too many pauses of {label} have the same length: {told}", show(parts["alike"]), shown)
        return held(len(moments))

    return await expect(context, step, "recover", look)


@word("connections")
async def connections(context: ScenarioContext, step: Step) -> Any:
    """How many were opened and how many ended since a moment, and how many are open."""
    arguments = step.arguments
    label = str(context.value(arguments["of"]))
    tap = context.taps.get(label)
    if tap is None:
        raise SuiteFault(f"{label!r} is not an endpoint that has connected")
    since = (
        float(getattr(context.named(arguments["since"], Mark, NamedObject), "at", 0.0)) if "since" in arguments else 0.0
    )
    parts = {key: context.expected(arguments[key]) for key in _COUNTS if key in arguments}

    def look() -> Look:
        opened = [context.wall(at) - since for at in tap.opened_at if context.wall(at) >= since]
        closed = [context.wall(at) - since for at in tap.closed_at if context.wall(at) >= since]
        found = dict(zip(_COUNTS, (len(opened), len(closed), len(tap.links), len(opened) - len(closed)), strict=True))
        seen = f"opened after {_shown(opened)}; closed after {_shown(closed)}; {len(tap.links)} open"
        for key, wanted in parts.items():
            if told := differs(wanted, found[key], key):
                return wrong(f"{label} has {found[key]} connections {key}: {told}", show(wanted), seen)
        return held(Mark(since + opened[0]) if opened else None)

    return await expect(context, step, "recover", look)


def _shown(moments: list[float]) -> str:
    return ", ".join(f"{moment:.2f} s" for moment in moments[:10]) or "nothing"
