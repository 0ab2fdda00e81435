"""The work of a world: who asks whom, how often, with which timeout, and how the handler will behave."""

from __future__ import annotations

from .history import Ask
from .plan import KINDS
from .ports import ActorPort, SenderPort, WorldPort
from .process import Actor


class Workload:
    """Sends requests in waves until as many were sent as planned."""

    def __init__(self, world: WorldPort) -> None:
        self.world = world
        self.plan = world.plan
        self.random = world.random
        self.sent_all = False
        self._kinds: list[str] = []
        self._pause = 0.0
        self._end = 0.0

    def begin(self) -> None:
        plan = self.plan
        self._pause = plan.seconds * plan.wave / max(1, plan.asks)
        # Drawn once for all, for choices() is not cheap.
        self._kinds = self.random.choices(KINDS, plan.kinds, k=997)
        self._wave()

    def _wave(self) -> None:
        world, random = self.world, self.random
        if len(world.history.asks) >= self.plan.asks:
            self.sent_all = True
            return
        actors: list[SenderPort] = [actor for actor in world.actors if actor.record.closing_at is None]
        actors += [gem for gem in world.gems if gem.alive]
        if actors:
            actor = random.choice(actors)
            size = 1 + int(random.random() * 2 * (self.plan.wave - 1))
            actor.do(self._send_some, actor, min(size, self.plan.asks - len(world.history.asks)))
        world.schedule.after(self._pause * (0.5 + random.random()), self._wave)

    def _send_some(self, actor: SenderPort, size: int) -> None:
        if actor.record.closing_at is not None:
            return
        for _ in range(size):
            if not self._send(actor, self._kinds[len(self.world.history.asks) % 997], None):
                break
        actor.pump()

    def nested(self, actor: ActorPort, parent: Ask) -> Ask | None:
        """A request that a handler sends and waits for, within the time that its own requester has."""
        left = parent.deadline - self.world.schedule.now - 0.2
        if left <= 0.05 or actor.record.closing_at is not None:
            return None
        return self._send(actor, "work" if self.random.random() < 0.3 else "quick", left)

    def poison(self, actor: ActorPort) -> None:
        """A request that kills whoever runs it, until it is given up."""
        if actor.record.closing_at is None:
            self._send(actor, "poison", 60.0)
            actor.pump()

    def _send(self, actor: SenderPort, kind: str, timeout: float | None) -> Ask | None:
        world, random = self.world, self.random
        names = world.group_names
        destination = names[int(random.random() * len(names))]
        duration = 0.0
        if kind not in ("quick", "nested", "poison"):
            duration = random.random() * 0.3
            if random.random() < self.plan.long_share:
                duration = random.uniform(2.0, 25.0)
        if timeout is None:
            timeout = self._timeout(duration)
        number = len(world.history.asks)
        ask = Ask(number, actor.record.number, destination, timeout, kind, duration)
        ask.moves = []
        if self.plan.bandwidth:
            ask.padding = random.choice(self.plan.sizes)
            world.history.struck["content over a slow link"] += ask.padding > 10_000
        world.history.asks.append(ask)
        if not actor.send(ask):
            world.history.asks.pop()
            return None
        world.history.by_id[ask.id] = ask
        if world.story is not None:
            world.story.line(
                world.schedule.now,
                actor if isinstance(actor, Actor) else "gem",
                f"sends request {number} to {destination}, timeout {timeout:.2f} s",
                ask.id,
            )
        if self.plan.cancel_share and isinstance(actor, Actor) and random.random() < self.plan.cancel_share:
            world.schedule.after(random.random() * timeout, actor.do, actor.cancel, ask)
        return ask

    def _timeout(self, duration: float) -> float:
        random = self.random
        if self.plan.short_timeouts:
            return 0.5 + random.random() * 4.0
        draw = random.random()
        if duration > 2.0:
            # Mostly long enough for the handler and a second start, sometimes too short.
            return min(60.0, duration * 2 + 20.0) if draw < 0.8 else 5.0
        if draw < 0.7:
            return 5.0
        return random.choice((0.5, 2.0, 20.0, 60.0))
