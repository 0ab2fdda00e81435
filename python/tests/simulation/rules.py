"""What each of the core's rules is for: a world in which its absence shows, and the guarantee that breaks there.

``python -m tests.simulation.rules`` switches each off in turn and prints what the simulation finds.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from .plan import Plan, draw
from .run import Result, play_plan

ASKS = 1000
"""About how many requests a world for a rule has."""
LONG: dict[str, Any] = {"kinds": (60, 40, 0, 0, 0, 0), "long_share": 0.3, "concurrency": 64, "short_timeouts": False}
"""Many handlers that take longer than a reclaim."""


@dataclass(frozen=True)
class Rule:
    """``breaks``: which guarantees; ``world``: what its worlds are like, over what their seeds draw."""

    says: str
    breaks: frozenset[str]
    world: dict[str, Any] = field(default_factory=dict)
    worlds: int = 8


def _rule(says: str, breaks: str, worlds: int = 8, **world: Any) -> Rule:
    base: dict[str, Any] = {"faults": (), "fault_count": 0, "restarts": 0, "clashing_ids": False, "lost_hints": 0.0}
    return Rule(says, frozenset(breaks.split()), base | world, worlds)


RULES: dict[str, Rule] = {
    "write-once": _rule("writes are never repeated blindly", "G3 G4 G6", faults=("cut",), fault_count=8),
    "own-list-first": _rule("after a lost read the own list is read first", "G5 G1", faults=("cut",), fault_count=8, short_timeouts=False),
    "two-looks": _rule("reclaim in two looks", "G3 G4 G6", faults=("clock",), fault_count=4, seconds=60.0, groups=(4, 4), **LONG),
    "last-look": _rule("a last look before a timeout", "G1", worlds=6, faults=("hole",), fault_count=8, groups=(4, 4), hints=True, seconds=20.0, short_timeouts=True),
    "keep-alive": _rule("what is in progress is claimed again", "G3 G6", groups=(3, 3), **LONG),
    "look-before-start": _rule(
        "what waited is looked for before it starts", "R7", groups=(1, 1), concurrency=1, kinds=(60, 40, 0, 0, 0, 0),
        long_share=0.0, short_timeouts=True, max_queue=1000, seconds=20.0, worlds=4,
    ),
    "give-back": _rule("no hoarding", "R8", groups=(3, 3), concurrency=2, kinds=(50, 50, 0, 0, 0, 0), long_share=0.02, hints=True, seconds=30.0),
    "settle-unclaimed": _rule("responses to nobody are deleted", "G8", faults=("crash",), fault_count=8, groups=(3, 3), hints=True),
    "free-instance-id": _rule("an instance id that is taken is not used", "G1 G2 G3 G5 G6", worlds=2, groups=(9, 9), clashing_ids=True),
    "group-at-last-read": _rule("a lost group is made at the last ID read", "G5", worlds=8, faults=("group",), fault_count=1, groups=(1, 1), latency=0.02, seconds=8.0, wave=3, kinds=(1, 0, 0, 0, 0, 0), concurrency=64, short_timeouts=False),
    "keep-refused-answers": _rule("without memory the answer is kept", "G1 G5 G6", faults=("memory",), fault_count=4, groups=(2, 2), **LONG),
    "leave-in-order": _rule("closing gives back and clears up", "G3 G6 G8", restarts=3, leaves=True, groups=(3, 3)),
}  # fmt: skip


def plan(name: str, index: int) -> Plan:
    """The ``index``-th world for a rule."""
    return replace(draw(1000 + index * 31, ASKS), **RULES[name].world)


def compare(name: str) -> tuple[Result, Result]:
    """Play the rule's worlds without it until one shows what it is for, then the same worlds with it."""
    rule, off, on = RULES[name], Result(), Result()
    while off.seeds < rule.worlds and not shown(name, off):
        off.add(play_plan(plan(name, off.seeds), frozenset((name,))))
    for index in range(off.seeds):
        on.add(play_plan(plan(name, index)))
    return off, on


def shown(name: str, off: Result) -> list[str]:
    """The violations that the rule is there to prevent."""
    return [f"{guarantee}: {text}" for _, guarantee, text in off.violations if guarantee in RULES[name].breaks]


def main() -> None:
    for name, rule in RULES.items():
        started = time.process_time()
        off, on = compare(name)
        print(f"{name:22} {rule.says}: {_found(off.guarantees)} without it, {_found(on.guarantees)} with it", end="")
        print(f" ({off.seeds} worlds, {off.requests} requests, {time.process_time() - started:.1f} s)")
        for line in shown(name, off)[:1]:
            print(f"        {line.splitlines()[0]}")


def _found(guarantees: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in guarantees.most_common()) or "nothing"


if __name__ == "__main__":
    main()
