"""Results that are looked up, not computed twice: states of Redis and replies by number, steps of Redis by what led to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from redisipc.protocol.commands import Command

from .facts import Fact
from .server import Done, Kept, Redis


class Ran(NamedTuple):
    """``reply``: its number, None while a read waits. ``served``: who else got a reply, and its number."""

    state: int
    reply: int | None
    served: tuple[tuple[Any, int], ...]
    facts: tuple[Fact, ...]


class Numbered:
    """Values that are equal get the same number."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def number(self, key: Any, value: Any) -> int:
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.values)
            self.values.append(value)
        return found


class RedisTable:
    """Redis by numbers: 0 is a server without any key. ``taken``: how often the model had to be asked."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.replies = Numbered()
        self._states = Numbered()
        self._ran: dict[Any, Ran] = {}
        self.taken = 0
        self.number(Kept())

    def kept(self, state: int) -> Kept:
        found: Kept = self._states.values[state]
        return found

    def number(self, kept: Kept) -> int:
        return self._states.number(kept, kept)

    def reply(self, replies: Any) -> int:
        return self.replies.number(repr(replies), replies)

    def run(self, state: int, now: float, commands: Sequence[Command]) -> Ran:
        key = (state, now, commands)
        found = self._ran.get(key)
        if found is None:
            found = self._ran[key] = self._note(self.redis.run(self.kept(state), now, commands))
        return found

    def read(self, state: int, now: float, command: Command, reader: Any) -> Ran:
        key = (state, now, command, reader)
        found = self._ran.get(key)
        if found is None:
            found = self._ran[key] = self._note(self.redis.read(self.kept(state), now, command, reader))
        return found

    def _note(self, done: Done) -> Ran:
        self.taken += 1
        reply = None if done.replies is None else self.reply(done.replies)
        served = tuple((reader, self.reply([answer])) for reader, answer in done.served)
        return Ran(self.number(done.kept), reply, served, done.facts)

    # what changes without a command

    def forget(self, state: int, reader: Any) -> int:
        """A blocked read ends without a reply: its connection closed, or its time is over."""
        kept = self.kept(state)
        return self.number(kept._replace(waiting=tuple(wait for wait in kept.waiting if wait[0] != reader)))

    def rename(self, state: int, reader: Any, to: Any) -> int:
        """A blocked read continues to wait under another name: nobody will hear its reply any more."""
        kept = self.kept(state)
        waiting = tuple((to if wait[0] == reader else wait[0], *wait[1:]) for wait in kept.waiting)
        return self.number(kept._replace(waiting=waiting))

    def refuse(self, state: int, refusal: str) -> int:
        return self.number(self.kept(state)._replace(refusal=refusal))

    def stop(self, state: int) -> int:
        """All connections are gone, and who waited over them."""
        return self.number(self.kept(state)._replace(waiting=()))

    def lose(self, state: int, data_of: int) -> int:
        """The data of an earlier state comes back: writes are lost."""
        old = self.kept(data_of)
        return self.number(self.kept(state)._replace(data=old.data, expires=old.expires, waiting=()))

    def step_clock(self, state: int, seconds: float) -> int:
        kept = self.kept(state)
        return self.number(kept._replace(offset=kept.offset + seconds))
