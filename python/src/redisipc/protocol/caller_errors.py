"""The meaning of an error reply for a caller (SPEC.md, section 13)."""

from __future__ import annotations

import enum

from .commands import Failure
from .redis_errors import GROUP_LOST, OUTAGE, class_of


class Effect(enum.Enum):
    """``PASSING``: try again on a new connection. ``HARMLESS``: try again on this one. ``FINAL``: the send has failed."""

    PASSING = "passing"
    HARMLESS = "harmless"
    FINAL = "final"


def effect_of(failure: Failure) -> Effect:
    """An error reply says that the command was not executed, so that trying again repeats nothing."""
    kind = class_of(failure)
    if kind is OUTAGE:
        return Effect.PASSING
    if kind is GROUP_LOST:
        # UNBLOCKED: another client ended a blocking read.
        return Effect.HARMLESS
    return Effect.FINAL
