"""The states of one member that were ever reached, each with a number, and every step between them, taken once.

A step from a known state by a known input is looked up. Only a new one needs the core itself: a copy of the nearest state that
was kept, brought up by the inputs since. A state in the middle of a conversation is never kept: a generator has no copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .copies import Uncopyable, copy
from .fingerprints import fingerprint
from .member import Input, Key, Member, Output

_KEEP_EVERY = 6
"""After how many steps without a kept state the next one is kept: each is about as large as a page of text."""


class View(NamedTuple):
    """The part of a state that the world sees.

    ``batch``: the commands under way, or None; ``read``: command and BLOCK in seconds; ``due``: when to tick; ``open``: the
    deadlines of sends without an outcome.
    """

    batch: tuple[Any, ...] | None
    read: tuple[Any, float] | None
    due: float | None
    running: tuple[Key, ...]
    closed: bool
    state: str
    sent: tuple[tuple[bytes, float], ...]
    open: tuple[float, ...]


class Step(NamedTuple):
    """Where an input leads and what it brings about; ``broken`` is an exception of the core."""

    state: int
    out: tuple[Output, ...]
    broken: str = ""


class Memory:
    """The states and steps of one member."""

    def __init__(self, make: Callable[[], Member]) -> None:
        self._make = make
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._kept: dict[int, Member] = {}
        self._origins: list[tuple[int, float, Input] | None] = []
        self._ages: list[int] = []
        self.views: list[View] = []
        self._steps: dict[Any, Step] = {}
        self._live: tuple[int, Member] | None = None
        self.taken = 0
        self._state_of(make(), None)

    def step(self, state: int, now: float, key: Any, given: Input) -> Step:
        """``key`` stands for ``given``, and can be hashed."""
        full = (state, now, key)
        found = self._steps.get(full)
        if found is None:
            found = self._steps[full] = self._take(state, now, given)
        return found

    def kept(self) -> dict[int, Member]:
        """The states of which there is a copy."""
        return self._kept

    def replayed(self, state: int) -> Member:
        """A member in this state, by all calls since its beginning and without any copy."""
        inputs: list[tuple[float, Input]] = []
        while (origin := self._origins[state]) is not None:
            state, now, given = origin
            inputs.append((now, given))
        member = self._make()
        for now, given in reversed(inputs):
            member.apply(given, now)
        return member

    def _take(self, state: int, now: float, given: Input) -> Step:
        self.taken += 1
        member = self._reach(state)
        try:
            out = member.apply(given, now)
        except Exception as error:
            return Step(state, (), f"{type(error).__name__}: {error}")
        number = self._state_of(member, (state, now, given))
        self._live = (number, member)
        return Step(number, out)

    def _reach(self, state: int) -> Member:
        """A member of our own in this state."""
        live, self._live = self._live, None
        if live is not None and live[0] == state:
            return live[1]
        inputs: list[tuple[float, Input]] = []
        # Back to the nearest copy, or to the beginning.
        while state not in self._kept and (origin := self._origins[state]) is not None:
            state, now, given = origin
            inputs.append((now, given))
        kept = self._kept.get(state)
        member = self._make() if kept is None else copy(kept)
        for now, given in reversed(inputs):
            member.apply(given, now)
        return member

    def _state_of(self, member: Member, origin: tuple[int, float, Input] | None) -> int:
        key = fingerprint(member)
        number = self._numbers.get(key)
        if number is not None:
            return number
        number = self._numbers[key] = len(self.views)
        self._origins.append(origin)
        self.views.append(_view(member))
        age = 0 if origin is None else self._ages[origin[0]] + 1
        if age >= _KEEP_EVERY:
            try:
                self._kept[number] = copy(member)
                age = 0
            except Uncopyable:
                pass
        self._ages.append(age)
        return number


def _view(member: Member) -> View:
    batch, read, endpoint = member.batch, member.read, member.endpoint
    return View(
        None if batch is None else tuple(batch.commands),
        None if read is None else (read.command, read.block),
        member.due,
        tuple(member.running),
        member.closed,
        endpoint.state.value,
        tuple((outgoing.id, outgoing.deadline) for outgoing in member.sent),
        tuple(member.open.values()),
    )
