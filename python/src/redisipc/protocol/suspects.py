"""Owners that hold an entry for too long, and when they are looked at again."""

from __future__ import annotations

from typing import NamedTuple

from .settings import NEVER

_SLACK, _SOON = 0.05, 0.4
"""Seconds after which a second look counts for sure; and seconds by which the usual one may come later than that."""


class Suspect(NamedTuple):
    """The owner that holds an entry for too long, the first look that showed it (its time), and the last one."""

    owner: bytes
    since: float
    listed: float


def second_look(since: list[float], between: float, now: float, planned: float) -> float:
    """When to look a second time at suspects that were first seen then; never, if the look ``planned`` does it.

    A usual look may come too soon to count (RIPC-GROUP-14), and the one after it late (RIPC-GROUP-15).
    """
    counts = [at + between for at in since]
    return min([at + _SLACK for at in counts if at > now and not 0 <= planned - at <= _SOON], default=NEVER)
