"""Examines all endpoints of a scenario, and notes the first breach of each rule."""

from __future__ import annotations

from itertools import chain

from ...context.scenario_context import ScenarioContext
from ...verdict.judge import RunOutcome
from . import commands, entries, holding, sequence
from .actor import Actor
from .entries import Ids


def inspect(context: ScenarioContext, outcome: RunOutcome, ids: Ids, excused: frozenset[str] = frozenset()) -> None:
    """Into ``outcome.broken``, for the rules of profiles that the testee claims.

    ``excused``: statements that the testee is known to break; their rules are left out.
    """
    for label in context.taps:
        actor = Actor(context, label)
        looks = (
            commands.breaches(context, actor),
            entries.breaches(context, actor, ids),
            sequence.breaches(actor),
            holding.breaches(context, actor),
        )
        for found in chain.from_iterable(looks):
            claimed = found.rule.profile in context.claims.profiles or (actor.caller and found.rule.profile == "base")
            if claimed and excused.isdisjoint(found.rule.requirements):
                outcome.broken.setdefault(found.rule, (found.seen, found.evidence))
