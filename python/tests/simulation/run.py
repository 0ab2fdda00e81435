"""Worlds in numbers: one seed, or as many as it takes, on several processes."""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context

from .checker import Checker
from .coverage import table, work_of
from .plan import Plan, draw
from .story import Story
from .world import World


@dataclass
class Result:
    """What one world, or several, came to.

    ``runs_again``: runs beyond the first of each request; ``second_runs``: the same by their causes.
    ``struck``: see ``coverage``. ``violations`` hold seed, guarantee and text.
    """

    seeds: int = 0
    requests: int = 0
    runs: int = 0
    runs_again: int = 0
    second_runs: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    guarantees: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
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
        self.violations += other.violations

    def __str__(self) -> str:
        causes = ", ".join(f"{count} {cause}" for cause, count in self.second_runs.most_common()) or "none"
        ends = ", ".join(f"{count} {status}" for status, count in self.outcomes.most_common())
        broken = ", ".join(f"{count} of {name}" for name, count in self.guarantees.most_common()) or "none"
        return (
            f"{self.requests} requests in {self.seeds} worlds, {self.runs} runs\n"
            f"  ended: {ends}\n"
            f"  second runs: {sum(self.second_runs.values())} ({causes})\n"
            f"{table(self.struck)}\n"
            f"  violations: {sum(self.guarantees.values())} ({broken})"
        )


def play(seed: int, without: frozenset[str] = frozenset(), asks: int = 2000) -> Result:
    """The world of a seed."""
    return play_plan(draw(seed, asks), without)


def play_plan(plan: Plan, without: frozenset[str] = frozenset()) -> Result:
    world = World(plan, without)
    history = world.run()
    checker = Checker(world)
    checker.check()
    runs = [len(ask.runs) for ask in history.asks]
    again = sum(count - 1 for count in runs if count)
    struck = history.struck + work_of(history)
    result = Result(1, len(runs), sum(runs), again, checker.causes, checker.outcomes, struck=struck)
    for name, text, number in history.violations:
        result.guarantees[name] += 1
        if len(result.violations) < 10:
            result.violations.append((plan.seed, name, text if number is None else f"request {number} {text}"))
    return result


def tell(plan: Plan, without: frozenset[str] = frozenset(), number: int | None = None) -> list[str]:
    """The story of the first request that broke in a world (or of request ``number``)."""
    story = Story()
    world = World(plan, without, story)
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


def play_many(seeds: Iterable[int], jobs: int, without: frozenset[str], asks: int, requests: float) -> Iterator[Result]:
    """Worlds of these seeds, in ``jobs`` processes, until enough requests were simulated."""
    begun, left = 0, iter(seeds)
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=gc.set_threshold, initargs=(50_000,)) as pool:
        running: set[Future[Result]] = set()
        while True:
            while len(running) < 2 * jobs and begun < requests and (seed := next(left, None)) is not None:
                begun += draw(seed, asks).asks
                running.add(pool.submit(play, seed, without, asks))
            if not running:
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                yield future.result()


def simulate(
    seeds: Iterable[int],
    jobs: int,
    without: frozenset[str] = frozenset(),
    asks: int = 2000,
    requests: float = float("inf"),
    progress: Callable[[Result], None] = lambda _total: None,
) -> Result:
    """All of them together. ``progress`` is told the total after each world."""
    total = Result()
    for result in play_many(seeds, jobs, without, asks, requests):
        total.add(result)
        progress(total)
    return total
