"""Many explorations, on several processes."""

from __future__ import annotations

import gc
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import get_context
from typing import Any

from .acts import ASKS, SENDS
from .configurations import CONFIGURATIONS
from .properties import PROPERTIES
from .rules import RULES, without
from .search import Result, explore

JOBS = 2
_MANY = 200_000
"""New objects between two looks for garbage: nearly all that an exploration makes is kept."""


def all_of(names: Iterable[str], jobs: int = JOBS, seconds: float = math.inf) -> Iterator[Result]:
    """The results of these configurations, as they come. ``seconds``: processor time that each may take."""
    yield from _spread(_explored, [(name, seconds) for name in names], jobs)


def without_each(rules: Iterable[str], jobs: int = JOBS) -> Iterator[tuple[str, Result]]:
    """The result of taking each of these rules out."""
    yield from _spread(_taken_out, list(rules), jobs)


def _spread(function: Callable[[Any], Any], tasks: list[Any], jobs: int) -> Iterator[Any]:
    with get_context("spawn").Pool(jobs, gc.set_threshold, (_MANY, 10, 10)) as pool:
        yield from pool.imap_unordered(function, tasks, chunksize=1)


def _explored(task: tuple[str, float]) -> Result:
    name, seconds = task
    return explore(CONFIGURATIONS[name], seconds=seconds)


def _taken_out(rule: str) -> tuple[str, Result]:
    return rule, without(rule)


def row(result: Result) -> str:
    """A line of the table."""
    broken = ", ".join(f"{name} ({count})" for name, count in sorted(result.broken.items()))
    ways = f"{result.schedules:.2g}" if result.complete else "not all"
    return (
        f"{result.name:<17} {result.states:>8} {result.transitions:>9} {ways:>9} {result.depth:>5} "
        f"{result.core_steps:>7} {result.redis_steps:>7} {result.seconds:>6.1f}  {broken or 'all hold'}"
    )


HEADER = (
    f"{'configuration':<17} {'states':>8} {'moves':>9} {'schedules':>9} {'depth':>5} "
    f"{'core':>7} {'redis':>7} {'s':>6}  properties"
)
RULE_HEADER = f"\n{'without':<27} {'configuration':<17} {'breaks':<14} {'moves':>5} {'faults':>6}"


def rule_row(rule: str, result: Result) -> str:
    """A line of the table of rules: the counterexample, or that there is none."""
    shown = RULES[rule]
    found = next((found for found in result.found if found.name == shown.breaks), None)
    length = f"{found.moves:>5} {found.deviations:>6}" if found else "NO COUNTEREXAMPLE"
    return f"{rule:<27} {shown.configuration:<17} {shown.breaks:<14} {length}"


def totals(results: list[Result]) -> list[str]:
    """The results of all of them, and which faults and causes there were."""
    reached: Counter[str] = Counter()
    for result in results:
        reached += result.reached
    states, moves, ways = (sum(getattr(r, name) for r in results) for name in ("states", "transitions", "schedules"))
    whole = all(result.complete for result in results)
    seconds = sum(result.seconds for result in results)
    lines = [
        f"{len(results)} configurations, {states} states, {moves} moves, {seconds:.0f} s of processors",
        f"{'all' if whole else 'not all'} schedules within the bounds: {ways:.3g}; {len(PROPERTIES)} properties at each move",
        f"bounds: {_bounds(results)}",
    ]
    for kind in ("fault", "cause"):
        told = [f"{name.partition(' ')[2]} {count}" for name, count in sorted(reached.items()) if name.startswith(kind)]
        lines.append(f"{kind}s: {', '.join(told) or 'none'}")
    return lines


def _bounds(results: list[Result]) -> str:
    explored = [CONFIGURATIONS[result.name] for result in results]
    members = max(len(configuration.places) for configuration in explored)
    asked = max(sum(act.kind in (ASKS, SENDS) for act in configuration.script) for configuration in explored)
    faults = max(configuration.deviations for configuration in explored)
    return (
        f"up to {members} members, {asked} requests and {faults} faults, each within the times of its configuration; "
        "what is due between two instants (0.5 s apart) happens at the second; a batch is executed as a whole"
    )
