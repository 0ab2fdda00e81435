"""Worlds in numbers: one seed, or as many as it takes, on several processes."""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from .causes import CAUSES
from .checker import Checker
from .coverage import table, work_of
from .plan import Plan, draw
from .reached import counted
from .story import Story
from .world import World


@dataclass
class Result:
    """The result of one world, or of several.

    ``runs_again``: runs beyond the first of each request; ``second_runs``: the same by their causes.
    ``struck``: see ``coverage``. ``reached``: how often each rule took effect. ``excused``: sends whose last
    look ran out of time, by the promise that they break otherwise. ``violations`` hold seed, guarantee and text.
    """

    seeds: int = 0
    requests: int = 0
    runs: int = 0
    runs_again: int = 0
    second_runs: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    guarantees: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, other: Result) -> None:
        self.seeds += other.seeds
        self.requests += other.requests
        self.runs += other.runs
        self.runs_again += other.runs_again
        self.second_runs += other.second_runs
        self.outcomes += other.outcomes
        self.guarantees += other.guarantees
        self.struck += other.struck
        self.reached += other.reached
        self.excused += other.excused
        self.violations += other.violations

    def __str__(self) -> str:
        causes = ", ".join(f"{self.second_runs[cause]} {cause}" for cause in CAUSES)
        ends = ", ".join(f"{count} {status}" for status, count in self.outcomes.most_common())
        excused = ", ".join(f"{count} of {name}" for name, count in self.excused.most_common()) or "none"
        broken = ", ".join(f"{count} of {name}" for name, count in self.guarantees.most_common()) or "none"
        return (
            f"{self.requests} requests in {self.seeds} worlds, {self.runs} runs\n"
            f"  ended: {ends}\n"
            f"  second runs: {sum(self.second_runs.values())} ({causes})\n"
            f"{table(self.struck, self.reached)}\n"
            f"  excused, as the last look ran out of time: {excused}\n"
            f"  violations: {sum(self.guarantees.values())} ({broken})"
        )


def play(seed: int, without: frozenset[str] = frozenset(), asks: int = 2000) -> Result:
    """The world of a seed."""
    return play_plan(draw(seed, asks), without)


def play_plan(plan: Plan, without: frozenset[str] = frozenset(), act: Callable[[World], None] | None = None) -> Result:
    """One world. ``act``: who does what in it, beyond what the plan draws."""
    world = World(plan, without, act=act)
    reached: Counter[str] = Counter()
    with counted(reached):
        history = world.run()
    checker = Checker(world)
    checker.check()
    runs = [len(ask.runs) for ask in history.asks]
    again = sum(count - 1 for count in runs if count)
    struck = history.struck + work_of(history)
    result = Result(1, len(runs), sum(runs), again, checker.causes, checker.outcomes, struck=struck, reached=reached)
    result.excused = checker.excused
    for name, text, number in history.violations:
        result.guarantees[name] += 1
        if len(result.violations) < 10:
            result.violations.append((plan.seed, name, text if number is None else f"request {number} {text}"))
    return result


def tell(
    plan: Plan,
    without: frozenset[str] = frozenset(),
    number: int | None = None,
    act: Callable[[World], None] | None = None,
) -> list[str]:
    """The story of the first request that broke in a world (or of request ``number``)."""
    story = Story()
    world = World(plan, without, story, act)
    history = world.run()
    Checker(world).check()
    lines = [str(world.plan)]
    lines += [f"{name}: request {which} {text}" for name, text, which in history.violations[:20]]
    if number is None:
        broken = [which for _, _, which in history.violations if which is not None]
        number = broken[0] if broken else None
    if number is None:
        return lines + [f"{line.time:10.4f}  {line.who:<12} {line.text}" for line in story.lines[-40:]]
    ask = history.asks[number]
    keys = {ask.id, *(run.entry_id for run in ask.runs), *(reply.entry_id for reply in ask.replies)}
    if ask.entry_id is not None:
        keys.add(ask.entry_id)
    end = max([ask.deadline + 2.0, *(run.time for run in ask.runs)])
    lines.append(f"the story of request {number}: {ask.kind}, {ask.duration:.2f} s, timeout {ask.timeout:g} s")
    return lines + story.tell(keys, ask.sent_at - 1.0, end)


def fingerprint(seed: int, asks: int = 2000) -> str:
    """A digest of everything that happened to each request of a world: equal for equal histories."""
    history = World(draw(seed, asks)).run()
    told = [
        (a.id, a.destination, a.outcomes, a.status, a.content, a.runs, a.replies, a.entry_id, a.deleted_at)
        for a in history.asks
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()


Job = tuple[Callable[..., Result], tuple[Any, ...], int]
"""A function that plays a world or some, what it is given, and about how many requests that has."""


def worlds(seeds: Iterable[int], without: frozenset[str] = frozenset(), asks: int = 2000) -> Iterator[Job]:
    """The worlds of these seeds."""
    for seed in seeds:
        yield play, (seed, without, asks), draw(seed, asks).asks


def play_many(jobs: Iterable[Job], processes: int, requests: float) -> Iterator[Result]:
    """All of them, in several processes, until enough requests were simulated."""
    begun, left = 0, iter(jobs)
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=gc.set_threshold, initargs=(50_000,)) as pool:
        running: set[Future[Result]] = set()
        while True:
            while len(running) < 2 * processes and begun < requests and (job := next(left, None)) is not None:
                function, arguments, count = job
                begun += count
                running.add(pool.submit(function, *arguments))
            if not running:
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                yield future.result()


def simulate(
    jobs: Iterable[Job],
    processes: int,
    requests: float = float("inf"),
    progress: Callable[[Result], None] = lambda _total: None,
) -> Result:
    """All of them together. ``progress`` gets the total after each world."""
    total = Result()
    for result in play_many(jobs, processes, requests):
        total.add(result)
        progress(total)
    return total
