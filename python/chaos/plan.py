"""The plan of a run, drawn from a seed before the run: the faults, their order, and the pauses between them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from .faults import FAULTS

MEMBER_SEQUENCES = 2
"""The number of sequences of members' faults that run side by side, besides the sequence of Redis' faults."""
PEACE = 2.5
"""Seconds between two faults of a sequence, on average, if faults are mixed."""
QUICK = (
    "cut-all", "cut-after-write", "client-kill", "member-stopped", "responder-killed", "member-restarted",
    "group-destroyed", "flushall", "misconf", "oom", "restart",
)  # fmt: skip
"""The kinds of a quick run: a few of each sort, which are short and possible on each server."""
QUICK_PEACE = 1.5


@dataclass(frozen=True)
class Step:
    """One planned fault. ``peace``: seconds before it; ``seed``: its details are drawn from this."""

    fault: str
    peace: float
    seed: int


def alone(names: Sequence[str], times: int, seed: str) -> list[Step]:
    """Each of these kinds ``times`` times, in a shuffled order, one after the other, each with a pause after it."""
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
    """Always the same plan: each quick kind once, with short pauses."""
    return [replace(step, peace=QUICK_PEACE) for step in alone(QUICK, 1, "quick")]


def mixed(
    names: Sequence[str], seed: str, peace: float = PEACE, struck: Mapping[str, int] = MappingProxyType({})
) -> list[Iterator[Step]]:
    """Endless sequences. In each, all of its kinds come before one of them comes again. ``peace``: seconds between.

    ``struck``: how often each kind struck in earlier runs. The rarest come first.
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
