"""The faults, when and to whom, drawn from the seed."""

from __future__ import annotations

from collections.abc import Callable

from redisipc.testing.redis_model.data import Stream

from .history import Trouble
from .ports import ActorPort, WorldPort

POISONED = 0.2
"""The share of crashes that a request brings about, in whoever runs it."""


class Faults:
    """Plans the faults of a world. All are over soon after the last request was sent."""

    def __init__(self, world: WorldPort) -> None:
        self.world = world
        self.random = world.random
        self.struck = world.history.struck
        self.kinds: dict[str, Callable[[], None]] = {
            "crash": self.crash,
            "pause": self.pause,
            "cut": self.cut,
            "isolate": self.isolate,
            "hole": self.hole,
            "failover": self.failover,
            "rewind": self.rewind,
            "empty": self.empty,
            "group": self.group,
            "restart": self.restart,
            "memory": self.memory,
            "clock": self.clock,
            "writes": self.writes,
            "late": self.late,
            "newcomer": self.newcomer,
            "regroup": self.regroup,
            "prune": self.prune,
            "evict": self.evict,
            "long": self.long_outage,
        }
        self.over_at = 0.0

    def plan(self) -> None:
        world, plan = self.world, self.world.plan
        start = world.schedule.now
        for _ in range(plan.fault_count):
            kind = self.random.choice(plan.faults)
            at = start + self.random.uniform(0.05, 1.0) * plan.seconds
            self.over_at = max(self.over_at, at)
            world.schedule.at(at, self.kinds[kind])
        for _ in range(plan.restarts):
            world.schedule.at(start + self.random.uniform(0.1, 0.9) * plan.seconds, self.restart_one)
        for _ in range(plan.brief):
            world.schedule.at(start + self.random.uniform(0.05, 0.9) * plan.seconds, self.brief)

    def _one(self) -> ActorPort | None:
        alive = [actor for actor in self.world.actors if actor.alive and actor.record.closing_at is None]
        return self.random.choice(alive) if alive else None

    # of one process

    def crash(self) -> None:
        """A process dies; another one takes its place. Redis hears of it at once, or much later where the host died."""
        actor = self._one()
        if actor is None:
            return
        if self.random.random() < POISONED:
            actor.do(self.world.workload.poison, actor)
            return
        learns = 0.0 if self.random.random() < 0.7 else self.random.uniform(1.0, 20.0)
        self.crash_one(actor, learns)

    def crash_one(self, actor: ActorPort, learns: float = 0.0) -> None:
        if not actor.alive:
            return
        self.struck["crash"] += 1
        actor.crash(learns)
        self.world.schedule.after(self.random.uniform(0.2, 6.0), self.world.join, actor.record.group)

    def pause(self) -> None:
        """A process stands still: a debugger, swapping, a handler that blocks everything."""
        actor = self._one()
        if actor is not None:
            actor.pause(self.random.choice((0.3, 2.0, 5.0, 8.0, 12.0, 25.0)) * self.random.uniform(0.8, 1.2))

    def cut(self) -> None:
        """Connections break around one thing that was sent: before, after, or while it was executed. Many in a row."""
        for _ in range(self.random.randint(2, 20)):
            self.world.schedule.after(self.random.random() * 2.0, self.cut_one)

    def cut_one(self) -> None:
        actor = self._one()
        if actor is not None:
            write = self.random.random() < 0.7
            fate = self.random.choice(("before", "after", "partly", "after") if write else ("before", "after"))
            actor.spoil(fate, write, self.random.choice(("", "XADD", "XADD", "XCLAIM")) if write else "")

    def isolate(self) -> None:
        """A process can't reach Redis, and learns it."""
        actor = self._one()
        if actor is not None:
            actor.isolate(self.random.choice((0.5, 3.0, 8.0, 14.0)) * self.random.uniform(0.8, 1.2), False)

    def hole(self) -> None:
        """A process can't reach Redis and nobody tells it."""
        actor = self._one()
        if actor is not None:
            actor.isolate(self.random.choice((0.5, 3.0, 8.0)) * self.random.uniform(0.8, 1.2), True)

    def restart_one(self) -> None:
        """A rolling restart: a process closes in order, another one comes."""
        actor = self._one()
        if actor is not None:
            self.struck["rolling restart"] += 1
            actor.close(self.random.choice((0.5, 5.0, 30.0)))
            self.world.schedule.after(self.random.uniform(0.0, 3.0), self.world.join, actor.record.group)

    def brief(self) -> None:
        """A process is ended while it joins; what it made is to go with it."""
        world = self.world
        world.join(self.random.choice(world.group_names))
        actor = world.actors[-1]

        def close() -> None:
            self.struck["ended while it joined"] += actor.record.up_at is None
            actor.close(self.random.choice((0.0, 0.5, 5.0)))

        def look() -> None:
            names = actor.endpoint.shared.names
            if any(
                other is not actor and other.alive and other.endpoint.shared.names.registration == names.registration
                for other in world.actors
            ):
                # A living member had this instance id before, and the keys are its own.
                return
            for key in (names.registration, names.announcement):
                if key in world.server.model.keys:
                    world.history.violation(
                        "G8", f"key {key.decode()} is left by a process that was ended as it joined"
                    )

        # Joining takes about six times the way to Redis and back.
        world.schedule.after(self.random.uniform(0.0, 20.0) * world.plan.latency, close)
        world.schedule.after(10.0, look)

    def late(self) -> None:
        """A connection breaks, and Redis executes what was sent over it when the endpoint has long gone on without it."""
        for _ in range(self.random.randint(1, 4)):
            self.world.schedule.after(self.random.random() * 2.0, self._late_one)

    def _late_one(self) -> None:
        actor = self._one()
        if actor is not None:
            actor.spoil("late", True, self.random.choice(("", "XADD", "XADD", "XCLAIM")))

    # of Redis

    def failover(self) -> None:
        """A replica that lags takes over: the last writes are lost."""
        self._lose(self.random.choice((0.005, 0.05, 0.5, 2.0)), self.random.choice((0.05, 1.0, 4.0)), "failover")

    def rewind(self) -> None:
        """Redis restarts from a file that is up to a second old."""
        self._lose(self.random.uniform(0.0, 1.0), self.random.choice((0.1, 2.0)), "rewind")

    def _lose(self, lag: float, away: float, kind: str) -> None:
        skew = self.random.choice((-1.0, 1.0)) * self.world.plan.skew if kind == "failover" else 0.0
        server = self.world.server
        if not server.up:
            return
        state = server.model.copy_keys()
        seen = self.world.schedule.now
        self.world.history.redis.append(Trouble(seen, seen + lag + away, kind))

        def switch() -> None:
            if server.up:
                self.world.note(None, f"{kind}: the last {lag:.3f} s of writes are lost, away for {away:g} s")
                self.struck["failover with another clock"] += bool(skew)
                server.stop(away, kind, state, skew)

        self.world.schedule.after(lag, switch)

    def empty(self) -> None:
        """Redis restarts with nothing."""
        if self.world.server.up:
            self.struck["restart empty"] += 1
            self.world.note(None, "restarts empty")
            self.world.server.stop(self.random.choice((0.05, 1.0, 4.0)), "empty", ({}, {}))

    def group(self) -> None:
        """Somebody destroys a group, or deletes the stream."""
        world = self.world
        now = world.schedule.now
        if self.random.random() < 0.5:
            name = self.random.choice(world.group_names)
            world.history.redis.append(Trouble(now, now, "group", name))
            world.note(None, f"group {name} is destroyed")
            self.struck["group destroyed"] += world.operate([("XGROUP", "DESTROY", world.stream, name)]) == [1]
        else:
            world.history.redis.append(Trouble(now, now, "stream"))
            world.note(None, "the stream is deleted")
            self.struck["stream deleted"] += world.operate([("DEL", world.stream)]) == [1]

    def regroup(self) -> None:
        """Somebody destroys a group again and again while somebody joins it: several make it again at once."""
        world = self.world
        name = self.random.choice(world.group_names)
        for _ in range(self.random.randint(1, 3)):
            world.schedule.after(self.random.random() * 0.1, self._destroy, name)
        world.schedule.after(self.random.random() * 0.1, world.join, name)
        world.schedule.after(0.2, self._one_fewer, name)
        self.struck["group destroyed as somebody joined"] += 1

    def _destroy(self, name: str) -> None:
        now = self.world.schedule.now
        self.world.history.redis.append(Trouble(now, now, "group", name))
        self.world.note(None, f"group {name} is destroyed")
        self.world.operate([("XGROUP", "DESTROY", self.world.stream, name)])

    def _one_fewer(self, name: str) -> None:
        """The group is as large as before."""
        members = [actor for actor in self.world.by_group[name] if actor.alive and actor.record.closing_at is None]
        if len(members) > 1:
            self.random.choice(members).close(5.0)

    def prune(self) -> None:
        """Somebody deletes a consumer that is in use, with all that is pending for it."""
        world = self.world
        stream = world.server.model.keys.get(world.stream)
        consumers = [
            (group.name, name) for group in stream.groups.values() for name in group.consumers
        ] if isinstance(stream, Stream) else []  # fmt: skip
        if consumers and world.server.up:
            group, name = self.random.choice(sorted(consumers))
            now = world.schedule.now
            world.history.redis.append(Trouble(now, now, "group", group.decode()))
            world.note(None, f"consumer {name.decode()} is deleted")
            self.struck["consumer deleted"] += 1
            world.operate([("XGROUP", "DELCONSUMER", world.stream, group, name)])

    def evict(self) -> None:
        """A side key expires early, or is evicted."""
        world = self.world
        keys = sorted(key for key in world.server.model.keys if key != world.stream)
        if keys and world.server.up:
            key = self.random.choice(keys)
            now = world.schedule.now
            of = next((name for name in world.group_names if name.encode() in key.split(b":")), "")
            world.history.redis.append(Trouble(now, now, "trimmed", of))
            world.note(None, f"key {key.decode()} is evicted")
            self.struck["side key evicted"] += 1
            world.operate([("DEL", key)])

    def restart(self) -> None:
        """Redis is away for a while and comes back with everything."""
        if self.world.server.up:
            away = self.random.choice((0.05, 1.0, 5.0, 12.0, 20.0)) * self.random.uniform(0.8, 1.2)
            self.struck["restart"] += 1
            self.world.note(None, f"restarts, away for {away:.1f} s")
            self.world.server.stop(away, "restart", None)

    def memory(self) -> None:
        """Out of memory for a while: writes that need some are refused."""
        away = self.random.choice((0.5, 3.0, 15.0)) * self.random.uniform(0.8, 1.2)
        self.world.note(None, f"is out of memory for {away:.1f} s")
        self.world.server.lose_memory(away)

    def clock(self) -> None:
        """The server's clock steps."""
        step = self.random.choice((-60.0, -2.0, 2.0, 8.0, 15.0, 3600.0))
        self.struck["clock step"] += 1
        self.world.note(None, f"its clock steps by {step:g} s")
        self.world.server.step_clock(step)

    def writes(self) -> None:
        """Redis refuses every write for a while; looks work."""
        away = self.random.choice((0.5, 3.0, 9.0, 15.0)) * self.random.uniform(0.8, 1.2)
        word = self.random.choice(("MISCONF", "NOREPLICAS"))
        self.world.note(None, f"takes no writes for {away:.1f} s: {word}")
        self.world.server.refuse_writes(away, word)

    def newcomer(self) -> None:
        """Redis is away for long, and somebody joins who connects before the others are back."""
        world = self.world
        if not world.server.up:
            return
        away = self.random.uniform(8.0, 14.0)
        self.struck["connected first after an outage"] += 1
        world.note(None, f"restarts, away for {away:.1f} s")
        world.server.stop(away, "restart", None)
        name = self.random.choice(world.group_names)
        world.schedule.after(away + 0.001, world.join, name)
        for actor in world.by_group[name]:
            if actor.alive and self.random.random() < 0.5:
                world.schedule.after(away - 0.01, actor.isolate, self.random.uniform(0.5, 4.0), False)
        world.schedule.after(away + 5.0, self._one_fewer, name)

    def long_outage(self) -> None:
        """Redis is away until all registrations have expired, and all consumers look dead."""
        if self.world.server.up:
            away = self.random.uniform(121.0, 140.0)
            self.struck["outage of over 120 s"] += 1
            self.world.note(None, f"restarts, away for {away:.1f} s")
            self.world.server.stop(away, "restart", None)
