"""Connections, and attempts that were refused: the tap sees them, whatever is sent over them."""

from __future__ import annotations

from typing import Any

from ..context.failure import SuiteFault
from ..context.objects import Mark, Thing
from ..context.scenario_context import Stage
from ..scenario.matchers import differs, show
from ..scenario.model import Step
from .registry import word
from .waiting import Look, expect, held, missing, wrong


@word("attempts")
async def attempts(stage: Stage, step: Step) -> Any:
    arguments = step.arguments
    label = str(stage.value(arguments["of"]))
    tap = stage.taps.get(label)
    if tap is None:
        raise SuiteFault(f"{label!r} is not an endpoint that has connected")
    since = float(getattr(stage.thing(arguments["since"], Mark, Thing), "at", 0.0))
    parts = {key: stage.expected(arguments[key]) for key in ("count", "first") if key in arguments}

    def look() -> Look:
        moments = [stage.wall(at) - since for at in tap.refused if stage.wall(at) >= since]
        seen = ", ".join(f"{moment:.2f} s" for moment in moments[:20]) or "none"
        if "first" in parts and not moments:
            return missing(f"{label} has not tried to connect", show(parts["first"]), seen)
        if "first" in parts and (told := differs(parts["first"], moments[0], "first")):
            return wrong(
                f"{label} tried first after {moments[0]:.2f} s: {told}", show(parts["first"]), seen, final=True
            )
        if "count" in parts and (told := differs(parts["count"], len(moments), "count")):
            return wrong(f"{label} tried {len(moments)} times: {told}", show(parts["count"]), seen)
        return held(len(moments))

    return await expect(stage, step, "recover", look)


@word("connections")
async def connections(stage: Stage, step: Step) -> Any:
    """How many were opened and how many ended since a moment, and how many stand."""
    arguments = step.arguments
    label = str(stage.value(arguments["of"]))
    tap = stage.taps.get(label)
    if tap is None:
        raise SuiteFault(f"{label!r} is not an endpoint that has connected")
    since = float(getattr(stage.thing(arguments["since"], Mark, Thing), "at", 0.0)) if "since" in arguments else 0.0
    parts = {key: stage.expected(arguments[key]) for key in ("opened", "closed", "open") if key in arguments}

    def look() -> Look:
        opened = [stage.wall(at) - since for at in tap.opened_at if stage.wall(at) >= since]
        closed = [stage.wall(at) - since for at in tap.closed_at if stage.wall(at) >= since]
        found = {"opened": len(opened), "closed": len(closed), "open": len(tap.links)}
        seen = f"opened after {_shown(opened)}; closed after {_shown(closed)}; {len(tap.links)} open"
        for key, wanted in parts.items():
            if told := differs(wanted, found[key], key):
                return wrong(f"{label} has {found[key]} connections {key}: {told}", show(wanted), seen)
        return held(Mark(since + opened[0]) if opened else None)

    return await expect(stage, step, "recover", look)


def _shown(moments: list[float]) -> str:
    return ", ".join(f"{moment:.2f} s" for moment in moments[:10]) or "nothing"
