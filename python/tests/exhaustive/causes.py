"""Why a request may be started again: facts about one world, under the ids and with the bounds of the published list."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from .ports import WorkPort
from .state import ALIVE, CRASHED, NEVER, Ask

_LIST = Path(__file__).parents[3] / "schemas/1.0/tables/causes.json"


@lru_cache(maxsize=1)
def listed() -> dict[str, float]:
    """The causes that G6 lists, each with the seconds that it needs."""
    tables = json.loads(_LIST.read_text(encoding="utf-8"))["tables"]
    return {row["id"]: row["needs_s"] or 0.0 for table in tables for row in table["rows"]}


def causes(work: WorkPort, ask: Ask, second: int, idle: float) -> frozenset[str]:
    """Every cause that there is for ``second`` to start ``ask`` once more, ``idle`` seconds after its last sign of life."""
    first, needs = ask.runs[-1].member, listed()
    owner, taken = work.seats[first], ask.taken
    found = set(ask.excuses)
    if taken is not None and taken.owner == first and taken.silence >= needs["owner-silent"]:
        since = taken.at - work.world.configuration.instant(taken.silence)
        if owner.life == CRASHED or _cut_short(work, first, since, taken.at):
            found.add("owner-silent")
    closed = owner.life not in (ALIVE, CRASHED) or work.world.leaves(work, first)
    if closed and ask.replied == NEVER:
        found.add("owner-closed")
    if idle >= needs["runner-paused"] and troubled(work, second, ask.stored, work.time):
        found.add("runner-paused")
    return frozenset(found) & needs.keys()


def _cut_short(work: WorkPort, member: int, start: int, end: int) -> bool:
    """Whether it had trouble of its own, or Redis refused its writes. That Redis is away for all is nobody's excuse."""
    return any(
        one.start <= end and (one.end == NEVER or one.end >= start)
        for one in work.troubles
        if one.member == member or one.kind == "refusal"
    )


def troubled(work: WorkPort, member: int, start: int, end: int) -> bool:
    """Whether anything was wrong with a member, or with Redis for all, that reaches into a span of instants."""
    return any(
        one.member in (member, NEVER) and one.start <= end and (one.end == NEVER or one.end >= start)
        for one in work.troubles
    )
