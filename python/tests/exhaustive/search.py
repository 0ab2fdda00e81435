"""Every reachable state, those with few faults first; where a property does not hold, the story of how it came to that."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..switches import off
from .configuration import Configuration
from .schedules import Schedules
from .state import State
from .work import Said
from .world import Choice, World


@dataclass
class Found:
    """A property that did not hold, and the story: one line a step.

    ``moves``: how many moves led to it; ``deviations``: how many faults and stuck messages it took.
    """

    name: str
    text: str
    story: list[str]
    moves: int
    deviations: int


@dataclass
class Result:
    """The result of one exploration.

    ``schedules``: ways from the beginning to an end, counted where every state was reached. ``transitions``: moves taken;
    ``ends``: moves after which all was quiet; ``depth``: moves in the longest way. ``core_steps``, ``redis_steps``: how often a
    core, the model of Redis, had to be asked and not a table. ``complete``: whether every state was reached; ``broken``: moves
    by the property that broke there.
    """

    name: str
    states: int = 0
    schedules: int = 0
    transitions: int = 0
    ends: int = 0
    depth: int = 0
    core_steps: int = 0
    redis_steps: int = 0
    seconds: float = 0.0
    complete: bool = True
    broken: Counter[str] = field(default_factory=Counter)
    found: list[Found] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)


class Search:
    """Depth first, but those with fewer deviations before those with more: so the first story found has as few as can be."""

    def __init__(self, configuration: Configuration) -> None:
        self.world = World(configuration)
        self.result = Result(configuration.name)
        self._numbers: dict[State, int] = {}
        self._origins: list[tuple[State, Choice] | None] = []
        self._schedules = Schedules()
        self._most = configuration.deviations
        self._levels: list[list[tuple[State, int]]] = [[] for _ in range(self._most + 1)]

    def run(self, enough: frozenset[str] | None, seconds: float) -> Result:
        """Until all is known, or (``enough``) one of these properties was broken, or the time is over."""
        begun, limited = time.process_time(), math.isfinite(seconds)
        self._reach(self.world.first(), None, 0)
        for level in self._levels:
            while level:
                state, depth = level.pop()
                self._expand(state, depth)
                if enough is not None and enough & self.result.broken.keys():
                    return self._finish(begun, complete=False)
                if limited and time.process_time() - begun > seconds:
                    return self._finish(begun, complete=False)
        return self._finish(begun, complete=True)

    def _expand(self, state: State, depth: int) -> None:
        world, result = self.world, self.result
        result.depth = max(result.depth, depth)
        leads_to: list[int] = []
        ends = 0
        apply, numbers = world.apply, self._numbers
        for choice in world.choices(state):
            work = apply(state, choice)
            result.transitions += 1
            if work.broken:
                self._broken(state, choice, work.broken)
                ends += 1
                continue
            after = work.state()
            if world.over(after):
                result.ends += 1
                ends += 1
                continue
            number = numbers.get(after)
            leads_to.append(self._reach(after, (state, choice), depth + 1) if number is None else number)
        self._schedules.moves(numbers[state], leads_to, ends)

    def _reach(self, state: State, origin: tuple[State, Choice] | None, depth: int) -> int:
        number = self._numbers[state] = self._schedules.add()
        self._origins.append(origin)
        self._levels[self._most - state.faults - state.holds].append((state, depth))
        return number

    def _broken(self, state: State, choice: Choice, broken: list[tuple[str, str]]) -> None:
        for name, text in broken:
            self.result.broken[name] += 1
            if self.result.broken[name] == 1:
                deviations = self._most - state.faults - state.holds
                path = self._path(state, choice)
                self.result.found.append(Found(name, text, self._story(path), len(path), deviations))

    def _path(self, last: State, choice: Choice) -> list[tuple[State, Choice]]:
        """The moves that led to a state, and the one after it."""
        path: list[tuple[State, Choice]] = [(last, choice)]
        while (origin := self._origins[self._numbers[path[-1][0]]]) is not None:
            path.append(origin)
        path.reverse()
        return path

    def _story(self, path: list[tuple[State, Choice]]) -> list[str]:
        """The lines of each of these moves, without the beginning."""
        said: Said = []
        self.world.naming.entries.clear()
        for state, taken in path:
            self.world.apply(state, taken, said)
        warm = self.world.configuration.warm
        return [f"{at:6.2f}  {who:<8} {text}" for at, who, text in said if at > warm]

    def _finish(self, begun: float, complete: bool) -> Result:
        result, world = self.result, self.world
        result.complete = complete
        result.states = len(self._origins)
        result.seconds = time.process_time() - begun
        result.core_steps = sum(memory.taken for memory in world.memories)
        result.redis_steps = world.table.taken
        result.reached = world.reached
        if complete:
            result.schedules = self._schedules.count()
        return result


def explore(
    configuration: Configuration,
    enough: frozenset[str] | None = None,
    seconds: float = math.inf,
    without: Iterable[str] = (),
) -> Result:
    """Explore a configuration with a core that lacks some rules: see ``Search.run`` and ``tests/switches.py``."""
    with off(without):
        return Search(configuration).run(enough, seconds)
