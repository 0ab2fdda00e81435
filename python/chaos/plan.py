"""Which faults come, in which order, after how much peace: drawn from a seed before anything happens."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from .faults import FAULTS

MEMBER_SEQUENCES = 2
"""Lanes of faults of members that run side by side, beside the one of Redis."""
PEACE = 2.5
"""Seconds of peace between two faults of a sequence, on average, where faults are mixed."""
QUICK = (
    "cut-all", "cut-after-write", "client-kill", "member-stopped", "responder-killed", "member-restarted",
    "group-destroyed", "flushall", "misconf", "oom", "restart",
)  # fmt: skip
"""The kinds of a quick run: some of each sort, that are soon over and strike on every server."""
QUICK_PEACE = 1.5


@dataclass(frozen=True)
class Step:
    """One fault to come. ``peace``: seconds before it; ``seed``: what it draws its details from."""

    fault: str
    peace: float
    seed: int


def alone(names: Sequence[str], times: int, seed: str) -> list[Step]:
    """Each of them ``times`` times, in a shuffled order, one after the other, each with peace after it."""
    source = random.Random(seed)
    order = [name for name in names for _ in range(times)]
    source.shuffle(order)
    peace = 1.0
    steps = []
    for name in order:
        steps.append(Step(name, peace, source.getrandbits(48)))
        peace = FAULTS[name].quiet
    return steps


def quick() -> list[Step]:
    """The same every time: each quick kind once, with little peace."""
    return [replace(step, peace=QUICK_PEACE) for step in alone(QUICK, 1, "quick")]


def mixed(
    names: Sequence[str], seed: str, peace: float = PEACE, struck: Mapping[str, int] = MappingProxyType({})
) -> list[Iterator[Step]]:
    """Lanes without an end: in each, all of its kinds come before one of them comes again; ``peace``: seconds between.

    ``struck``: how often each kind struck in earlier runs; the rarest come first.
    """
    source = random.Random(seed)
    redis = [name for name in names if FAULTS[name].struck_at == "redis"]
    members = [name for name in names if FAULTS[name].struck_at == "members"]
    sequences = [redis, *[members] * MEMBER_SEQUENCES]
    return [_deal(sequence, random.Random(source.getrandbits(48)), peace, struck) for sequence in sequences if sequence]


def _deal(names: Sequence[str], source: random.Random, peace: float, struck: Mapping[str, int]) -> Iterator[Step]:
    for turn in itertools.count():
        deck = list(names)
        source.shuffle(deck)
        if not turn:
            deck.sort(key=lambda name: struck.get(name, 0))
        for name in deck:
            yield Step(name, source.expovariate(1 / peace), source.getrandbits(48))
