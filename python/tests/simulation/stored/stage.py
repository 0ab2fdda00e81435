"""A stored plan, and the stage on which one with few requests is played: who does what when, to the millisecond."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from redisipc.testing.redis_model import PROFILES, Profile

from ..gem import Gem
from ..history import Ask, Trouble
from ..plan import Plan, draw
from ..ports import ActorPort
from ..run import Result, play_plan
from ..world import START, World

REDIS_6, REDIS_7, REDIS_8 = PROFILES
Act = Callable[["Stage"], None]
_PLAYED = 2
_TAKES = 16
"""How many worlds a choreography is tried in: they differ by what chance decides, delays of milliseconds above all."""


@dataclass(frozen=True)
class Stored:
    """One kept world, or several of one kind. ``rules`` are switched off together; ``breaks``: what is broken then."""

    name: str
    rules: tuple[str, ...]
    breaks: frozenset[str]
    story: str
    plans: tuple[Plan, ...]
    act: Act | None = None

    def compare(self) -> tuple[Result, Result]:
        """Play its worlds without the rules until one shows what they are for, then the same worlds with them."""
        off, on = Result(), Result()
        for plan in self.plans:
            off.add(self._play(plan, self.rules))
            if self.broken(off):
                break
        for plan in self.plans[: off.seeds]:
            on.add(self._play(plan, ()))
        return off, on

    def play(self) -> Result:
        """Its first worlds, with the rules."""
        total = Result()
        for plan in self.plans[:_PLAYED]:
            total.add(self._play(plan, ()))
        return total

    def play_until(self, cause: str) -> Result:
        """Its worlds, with the rules, until one has a second start for this cause."""
        total = Result()
        for plan in self.plans:
            total.add(self._play(plan, ()))
            if total.second_runs[cause]:
                break
        return total

    def _play(self, plan: Plan, without: tuple[str, ...]) -> Result:
        return play_plan(plan, frozenset(without), None if self.act is None else self.on_stage)

    def on_stage(self, world: World) -> None:
        assert self.act is not None
        self.act(Stage(world))

    def broken(self, result: Result) -> list[str]:
        """The violations that its rules are there to prevent."""
        texts = {name: text for _, name, text in result.violations}
        return [f"{name}: {texts.get(name, 'broken')}" for name in result.guarantees if name in self.breaks]


STORED: dict[str, Stored] = {}
CAUSED: dict[str, Stored] = {}
"""By the causes of second starts that random worlds hardly ever show."""


def quiet(seconds: float, profile: Profile = REDIS_7, **changes: Any) -> Plan:
    """A world in which nothing happens but what is put on its stage."""
    base: dict[str, Any] = {
        "profile": profile, "groups": (0, 0), "latency": 0.001, "asks": 0, "seconds": seconds, "concurrency": 16, "max_queue": 1000,
        "wakeups": False, "lost_wakeups": 0.0, "clashing_ids": False, "restarts": 0, "leaves": False, "faults": ("staged",),
        "fault_count": 0, "handlerless": 0.0, "half_open": False, "bandwidth": 0.0, "sizes": (0,), "skew": 0.0, "unhurried": True,
    }  # fmt: skip
    return replace(draw(1, 100), **(base | changes))


def drawn(seeds: range | tuple[int, ...], asks: int = 1000, **changes: Any) -> tuple[Plan, ...]:
    """Worlds of random work, with one kind of fault or none."""
    base: dict[str, Any] = {
        "faults": (), "fault_count": 0, "restarts": 0, "clashing_ids": False, "lost_wakeups": 0.0, "handlerless": 0.0,
        "bandwidth": 0.0, "sizes": (0,), "skew": 0.0, "half_open": False, "unhurried": True,
    }  # fmt: skip
    return tuple(replace(draw(seed, asks), **(base | changes)) for seed in seeds)


def staged(name: str, rules: str, breaks: str, story: str, plan: Plan) -> Callable[[Act], Act]:
    """A choreography: the function says who does what when."""

    def keep(act: Act) -> Act:
        takes = tuple(replace(plan, seed=plan.seed + take) for take in range(_TAKES))
        STORED[name] = Stored(name, tuple(rules.split()), frozenset(breaks.split()), story, takes, act)
        return act

    return keep


def caused(cause: str, story: str, plan: Plan) -> Callable[[Act], Act]:
    """A choreography in which a request is started a second time for this cause, and nothing is violated."""

    def keep(act: Act) -> Act:
        takes = tuple(replace(plan, seed=plan.seed + take) for take in range(_TAKES))
        CAUSED[cause] = Stored(cause, (), frozenset(), story, takes, act)
        return act

    return keep


def kept(name: str, rules: str, breaks: str, story: str, plans: tuple[Plan, ...]) -> None:
    """Random worlds."""
    STORED[name] = Stored(name, tuple(rules.split()), frozenset(breaks.split()), story, plans)


class Stage:
    """Schedules actions of a world. Times are seconds from its begin; members have names of one letter."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.members: dict[str, ActorPort] = {}
        self.gems: dict[str, Gem] = {}

    def at(self, seconds: float, action: Callable[..., Any], *arguments: Any) -> None:
        self.world.schedule.at(START + seconds, action, *arguments)

    def join(self, seconds: float, name: str, group: str, responder: bool = True) -> None:
        def join() -> None:
            self.world.join(group, responder)
            self.members[name] = self.world.actors[-1]

        self.at(seconds, join)

    def join_gem(self, seconds: float, name: str, group: str) -> None:
        def join() -> None:
            self.gems[name] = self.world.join_gem(group)

        self.at(seconds, join)

    def crash_gem(self, seconds: float, name: str) -> None:
        self.at(seconds, lambda: self.gems[name].crash())

    def member(self, seconds: float, name: str, verb: str, *arguments: Any) -> None:
        """Something happens to a member: ``pause``, ``isolate``, ``crash``, ``close``, ``spoil``."""
        self.at(seconds, lambda: getattr(self.members[name], verb)(*arguments))

    def slow(self, seconds: float, name: str, latency: float) -> None:
        """From then on each of its messages takes so many seconds on average."""
        self.at(seconds, lambda: self.members[name].slow_down(latency))

    def send(
        self, seconds: float, name: str, group: str, timeout: float, kind: str = "quick", duration: float = 0.0,
        padding: int = 0,
    ) -> None:  # fmt: skip
        """``padding``: bytes of content beyond those that name the request."""

        def send() -> None:
            actor = self.members[name]
            actor.do(self._send, actor, group, timeout, kind, duration, padding)

        self.at(seconds, send)

    def _send(self, actor: ActorPort, group: str, timeout: float, kind: str, duration: float, padding: int) -> None:
        world = self.world
        ask = Ask(len(world.history.asks), actor.record.number, group, timeout, kind, duration)
        ask.moves, ask.padding = [], padding
        world.history.asks.append(ask)
        if actor.send(ask):
            world.history.by_id[ask.id] = ask
            if world.story is not None:
                world.story.line(world.schedule.now, actor, f"sends request {ask.number} to {group}", ask.id)
            actor.pump()
        else:
            world.history.asks.pop()

    # Redis

    def operate(self, seconds: float, kind: str, *command: Any) -> None:
        """An operator types a command; ``kind`` is the trouble that it is in the history, empty for none."""

        def operate() -> None:
            now = self.world.schedule.now
            if kind:
                self.world.history.redis.append(Trouble(now, now, kind))
            self.world.note(None, f"an operator: {command}")
            self.world.operate([command])

        self.at(seconds, operate)

    def limit(self, size: int) -> None:
        """From the begin on a reply with a body of so many bytes breaks its connection."""
        self.world.server.limit = self.world.history.limit = size

    def refuse_writes(self, seconds: float, duration: float) -> None:
        self.at(seconds, self.world.server.refuse_writes, duration, "MISCONF")

    def outage(self, seconds: float, duration: float) -> None:
        """Redis is away, and comes back with all its data."""
        self.at(seconds, self.world.server.stop, duration, "restart", None)

    def clock(self, seconds: float, step: float) -> None:
        self.at(seconds, self.world.server.step_clock, step)

    def failover(self, copied: float, seconds: float, away: float, skew: float = 0.0) -> None:
        """A replica that has what Redis had at ``copied`` takes over."""
        state: list[Any] = []
        self.at(copied, lambda: state.append(self.world.server.model.copy_keys()))
        self.at(seconds, lambda: self.world.server.stop(away, "failover", state[0], skew))
