"""Redis as one component: its data, frozen between two inputs, is thawed into the simulation's model to execute the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from redisipc.protocol.commands import Command, Failure
from redisipc.testing.redis_model import Blocked, Client, Model, Profile
from redisipc.testing.redis_model.model import Observer

from .facts import Fact, changes
from .frozen import freeze, thaw

EPOCH = 1_700_000_000
"""The server's wall clock, in seconds, at virtual time 0."""
LOOKS = frozenset(
    (
        "XPENDING",
        "XRANGE",
        "LRANGE",
        "GET",
        "XINFO",
        "TIME",
        "INFO",
        "EXISTS",
        "TTL",
        "PUBLISH",
        "XLEN",
        "MULTI",
        "EXEC",
    )
)
"""Commands that a server executes which takes no writes."""
REFUSALS = {
    "MISCONF": "MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.",
    "OOM": "OOM command not allowed when used memory > 'maxmemory'.",
}


class Kept(NamedTuple):
    """A state of Redis. ``waiting``: (reader, key, group, consumer, COUNT, BLOCK) of each blocked read, in their order.

    ``refusal``: the error that every write gets. ``offset``: seconds by which the clock stepped.
    """

    data: tuple[Any, ...] = ()
    expires: tuple[Any, ...] = ()
    waiting: tuple[Any, ...] = ()
    refusal: str = ""
    offset: float = 0.0


class Done(NamedTuple):
    """The result of one input. ``replies`` is None where a read waits; ``served``: (reader, reply) of each that waited before."""

    kept: Kept
    replies: list[Any] | None
    served: tuple[tuple[Any, Any], ...]
    facts: tuple[Fact, ...]


class _Notes(Observer):
    """Entries that were added; what goes is found by comparing."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def added(self, id: bytes, fields: list[bytes]) -> None:
        self.facts.append(Fact("added", id, detail=tuple(fields)))


class _Server(Model):
    """The model, which can also refuse all writes."""

    refusal = ""

    def execute(self, command: Command) -> Any:
        if self._refuses(command[0]):
            return Failure(self.refusal, REFUSALS[self.refusal])
        return super().execute(command)

    def _refuses(self, name: Any) -> bool:
        return self.refusal not in ("", "OOM") and name not in LOOKS

    def _transaction(self, client: Client, name: Any, command: Command) -> Any:
        if client.queue is not None and self._refuses(name):
            client.dirty = True
            return Failure(self.refusal, REFUSALS[self.refusal])
        return super()._transaction(client, name, command)


class _Deliver:
    """The function that a blocked read calls when it is served: it notes the reply under the reader's name."""

    __slots__ = ("reader", "served")

    def __init__(self, reader: Any, served: list[tuple[Any, Any]]) -> None:
        self.reader = reader
        self.served = served

    def __call__(self, reply: Any) -> None:
        self.served.append((self.reader, reply))


class Redis:
    """Thaws, executes, freezes. ``ages``: whether it matters how long consumers have been idle."""

    def __init__(self, profile: Profile, ages: bool = False) -> None:
        self.profile = profile
        self.ages = ages

    def run(self, kept: Kept, now: float, commands: Sequence[Command]) -> Done:
        """A batch arrives, and is executed at once."""
        model, notes, served = self._begin(kept, now)
        return self._end(kept, model, notes, served, model.run(Client(), commands))

    def read(self, kept: Kept, now: float, command: Command, reader: Any) -> Done:
        """A blocking read arrives."""
        model, notes, served = self._begin(kept, now)
        reply = model.execute(command)
        if type(reply) is Blocked:
            model.wait(reply, _Deliver(reader, served))
            return self._end(kept, model, notes, served, None)
        return self._end(kept, model, notes, served, [reply])

    def _begin(self, kept: Kept, now: float) -> tuple[_Server, _Notes, list[tuple[Any, Any]]]:
        wall_ms = int((now + EPOCH + kept.offset) * 1000)
        model = _Server(self.profile, lambda: wall_ms)
        model.keys = thaw(kept.data, wall_ms)
        model.expires = dict(kept.expires)
        served: list[tuple[Any, Any]] = []
        for reader, *wait in kept.waiting:
            model.wait(Blocked(*wait), _Deliver(reader, served))
        model.refusal = kept.refusal
        model.out_of_memory = kept.refusal == "OOM"
        model.observer = notes = _Notes()
        return model, notes, served

    def _end(
        self, before: Kept, model: _Server, notes: _Notes, served: list[tuple[Any, Any]], replies: list[Any] | None
    ) -> Done:
        for key in [key for key, end in model.expires.items() if model.wall() >= end]:
            model.remove(key)
        data = freeze(model.keys, self.ages)
        waiting = tuple(
            (blocked.deliver.reader, blocked.key, blocked.group, blocked.consumer, blocked.count, blocked.milliseconds)  # type: ignore[attr-defined]
            for queue in model.waiting.values()
            for blocked in queue
        )
        facts = notes.facts if data == before.data else notes.facts + changes(before.data, data, model.wall())
        kept = Kept(data, tuple(sorted(model.expires.items())), waiting, before.refusal, before.offset)
        return Done(kept, replies, tuple(served), tuple(facts))
