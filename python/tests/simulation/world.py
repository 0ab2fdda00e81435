"""One simulated world: the server, the processes of several groups, the work that is sent, until all is quiet again."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable
from typing import Any

from redisipc.protocol.commands import Batch, Command
from redisipc.protocol.events import Event, Incoming, Outcome, Outgoing
from redisipc.protocol.settings import Settings
from redisipc.testing.redis_model import Client

from ..switches import off
from .faults import Faults
from .gem import Gem
from .history import Ask, History, Process
from .plan import Plan
from .ports import ActorPort
from .process import Actor
from .schedule import Schedule
from .server import Server
from .story import Story
from .watch import Watch
from .workload import Workload

START = 1000.0
"""Virtual time at which a world begins."""
QUIESCENCE = 150.0
"""Seconds after the last deadline within which everything must be gone: a dead instance's registration lives for 100 s."""


class ClashingRandom(random.Random):
    """Gives instance ids (24 bits) from a few only, so that they clash."""

    def getrandbits(self, k: int, /) -> int:
        value = super().getrandbits(k)
        return value & 31 if k == 24 else value


UNHURRIED: dict[str, Any] = {"block": 5.0, "look": 3.0, "look_spread": 0.1, "around": 20.0}


class World:
    """Made from a plan; ``run`` plays it and gives its history."""

    def __init__(
        self,
        plan: Plan,
        without: frozenset[str] = frozenset(),
        story: Story | None = None,
        act: Callable[[World], None] | None = None,
    ) -> None:
        self.plan = plan
        self.act = act
        self.without = without
        self.story = story
        self.random = random.Random(plan.seed)
        self.schedule = Schedule(START)
        self.history = History(plan.seed, lost=[])
        self.server = Server(self.schedule, plan.profile, self.history)
        self.watch = self.server.model.observer = Watch(self)
        self.server.on_restart = self._restarted
        self.stream = b"s"
        self.latency = plan.latency
        self.group_names = [f"g{index}" for index in range(len(plan.groups))]
        self.actors: list[ActorPort] = []
        self.gems: list[Gem] = []
        self.by_group: dict[str, list[ActorPort]] = {name: [] for name in self.group_names}
        self.workload = Workload(self)
        self.faults = Faults(self)
        self.executing = -1
        self.rest_at = START
        self.operator = Client()

    # its course

    def run(self) -> History:
        try:
            with off(self.without):
                self._run()
        except Exception as error:
            if self.story is not None:
                self.story.line(self.schedule.now, "world", f"stops: {error!r}")
            self.history.violation("CORE", f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-6)}")
        return self.history

    def _run(self) -> None:
        if self.act is not None:
            self.act(self)
        for name, members in zip(self.group_names, self.plan.groups, strict=True):
            for _ in range(members):
                self.schedule.after(self.random.random() * 0.3, self.join, name)
        for _ in range(self.plan.gems):
            self.schedule.after(self.random.random() * 0.3, self._join_gem)
        self.schedule.run(START + 1.0)
        self.faults.plan()
        self.workload.begin()
        self.schedule.run(self.schedule.now + self.plan.seconds)
        while not self.workload.sent_all:
            self.schedule.run(self.schedule.now + 1.0)
        ends = [trouble.end for trouble in self.history.redis]
        ends += [trouble.end for process in self.history.processes for trouble in process.troubles]
        limit = max([self.schedule.now, *ends, *(ask.deadline for ask in self.history.asks)]) + QUIESCENCE
        # Printed: a registration lives for longer where the clock goes back.
        limit -= sum(min(step, 0.0) for _, step in self.history.steps)
        while self.schedule.now < limit:
            self.schedule.run(self.schedule.now + 1.0)
            if self.quiet():
                break
        for actor in self.actors:
            actor.handlers.note_full()
        self.watch.note_signs()
        self.rest_at = self.schedule.now
        if self.plan.leaves:
            for actor in list(self.actors):
                actor.close(5.0)
            self.schedule.run(self.schedule.now + 12.0)

    def quiet(self) -> bool:
        """Whether nothing is left to wait for."""
        model = self.server.model
        if not self.server.up or model.out_of_memory or model.no_writes or self.schedule.now < self.faults.over_at:
            return False
        if any(trouble.end > self.schedule.now for actor in self.actors for trouble in actor.record.troubles):
            return False
        stream = self.server.model.keys.get(self.stream)
        if stream is None or stream.bodies or any(group.pending for group in stream.groups.values()):
            return False
        for ask in self.history.asks:
            if not ask.outcomes and self.history.processes[ask.sender].crashed_at is None:
                return False
        return not any(actor.alive and actor.handlers.running for actor in self.actors)

    def join(self, group: str, responder: bool | None = None) -> None:
        """A new process of a group. ``responder``: whether it has a handler; by default most have."""
        plan = self.plan
        if responder is None:
            responder = not plan.handlerless or self.random.random() >= plan.handlerless
        record = Process(len(self.history.processes), group, self.schedule.now, responder=responder)
        self.history.processes.append(record)
        settings = Settings(
            stream=self.stream.decode(),
            group=group,
            concurrency=plan.concurrency,
            max_queue=plan.max_queue,
            wakeups=plan.wakeups,
            responder=responder,
            backoff_most=plan.backoff_most,
            **(UNHURRIED if plan.unhurried else {}),
        )
        made = ClashingRandom if plan.clashing_ids else random.Random
        actor = Actor(self, record, settings, made(self.random.getrandbits(48)))
        self.actors.append(actor)
        self.by_group[group].append(actor)
        self.note(actor, f"begins in group {group}")
        actor.start()

    def _join_gem(self) -> None:
        self.join_gem(self.group_names[0])

    def join_gem(self, group: str) -> Gem:
        """A process of a group that is not a port."""
        record = Process(len(self.history.processes), group, self.schedule.now, gem=True)
        self.history.processes.append(record)
        gem = Gem(self, record, random.Random(self.random.getrandbits(48)))
        self.gems.append(gem)
        self.note(None, f"process {record.number} begins in group {group}, a gem")
        gem.start()
        return gem

    def gone(self, actor: ActorPort) -> None:
        self.actors.remove(actor)
        self.by_group[actor.record.group].remove(actor)
        self.note(actor, "is gone")

    def operate(self, commands: list[Command]) -> list[Any]:
        """An operator types something into Redis."""
        self.executing = -1
        return self.server.model.run(self.operator, commands) if self.server.up else []

    def _restarted(self) -> None:
        for actor in self.actors:
            actor.deafen()

    # what processes report

    def finished(self, actor: ActorPort, outgoing: Outgoing, outcome: Outcome) -> None:
        ask: Ask = outgoing.data  # type: ignore[assignment]
        actor.sent.pop(ask.number, None)
        ask.outcomes.append(self.schedule.now)
        if len(ask.outcomes) == 1:
            ask.status, ask.content, ask.reason = outcome.status, outcome.content, outcome.reason
        if self.story is not None:
            self.story.line(self.schedule.now, actor, f"outcome {outcome}", ask.id)
        if ask.number in actor.handlers.waiting:
            actor.handlers.child_finished(ask)

    def nested(self, actor: ActorPort, parent: Ask) -> Ask | None:
        return self.workload.nested(actor, parent)

    def started(self, actor: ActorPort, ask: Ask, incoming: Incoming) -> None:
        if self.story is not None:
            self.story.line(
                self.schedule.now, actor, f"starts {ask.kind} for {ask.duration:.2f} s, {incoming}, start {incoming.starts}",
                ask.id, incoming.entry_id,
            )  # fmt: skip

    def problem(self, actor: ActorPort, event: Event) -> None:
        if self.story is not None:
            self.story.line(self.schedule.now, actor, f"reports {event}")

    # what the story tells

    def note(self, actor: ActorPort | None, text: str, batch: Batch | None = None) -> None:
        if self.story is not None:
            self.story.line(self.schedule.now, actor or "redis", text)
            if batch is not None:
                self.story.commands(self.schedule.now, actor, "lost", batch.commands)

    def wrote(self, actor: ActorPort, batch: Batch) -> None:
        self.executing = actor.record.number
        if self.story is not None:
            self.story.commands(self.schedule.now, actor, "redis runs", batch.commands)

    def heard(self, actor: ActorPort, batch: Batch, replies: list[Any]) -> None:
        if self.story is not None:
            self.story.replies(self.schedule.now, actor, batch.commands, replies)

    def read(self, actor: ActorPort, answer: Any) -> None:
        if self.story is not None and answer:
            self.story.read(self.schedule.now, actor, answer)
