"""The state of a whole world as plain tuples: equal worlds are equal tuples. Times are counted in instants of the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

IDLE, SENT, WAITS, REPLIED = range(4)
"""Where a connection's command is: nowhere, on its way to Redis, blocked at Redis, executed with its reply on the way back."""
UNBORN, ALIVE, CLOSED, CRASHED = range(4)
NEVER = -1
"""No instant, no member."""


class Connection(NamedTuple):
    """One connection of a member. ``about``: the reply's number, or when a blocked read ends. ``held``: stuck since then."""

    phase: int = IDLE
    about: int = 0
    held: int = NEVER


FREE = Connection()
GOING = Connection(SENT)


class Seat(NamedTuple):
    """One member: the number of its own state, its connections, and what is wrong with it until when (``paused``, ``away``)."""

    state: int = 0
    write: Connection = FREE
    read: Connection = FREE
    life: int = UNBORN
    paused: int = NEVER
    away: int = NEVER


class Run(NamedTuple):
    """One start of a handler. ``stopped``: it heard that its answer is not wanted any more."""

    member: int
    start: int
    end: int = NEVER
    stopped: bool = False


class Taken(NamedTuple):
    """The last time that a request changed hands: from ``owner`` to ``by``, after ``silence`` seconds without a sign of life.

    ``owner`` is NEVER where nobody had it; ``given``: it had been given back.
    """

    at: int
    owner: int
    by: int
    silence: float
    given: bool


class Ask(NamedTuple):
    """One request: its entry and its life. ``excuses``: what happened to Redis since it was stored."""

    id: bytes
    entry: bytes
    stored: int
    deadline: int = NEVER
    deleted: int = NEVER
    replied: int = NEVER
    replies: int = 0
    outcome: str = ""
    ended: int = NEVER
    runs: tuple[Run, ...] = ()
    taken: Taken | None = None
    excuses: frozenset[str] = frozenset()

    @property
    def settled(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.deleted != NEVER or bool(self.outcome) or self.replied != NEVER


class Trouble(NamedTuple):
    """Something is or was wrong with a member, or with Redis (``member`` NEVER). ``end``: NEVER while nobody knows."""

    member: int
    kind: str
    start: int
    end: int = NEVER


class Zombie(NamedTuple):
    """A batch that a member gave up: it may still be executed, until ``end``."""

    member: int
    commands: Any
    end: int


class Item(NamedTuple):
    """Something that will happen between two instants; it has to by the last one."""

    first: int
    last: int
    kind: str
    about: tuple[Any, ...] = ()


class State(NamedTuple):
    """``faults`` and ``holds``: how many more there may be. ``up``: whether Redis can be reached.

    ``touched``: a bit for each member that the last move concerned. What only a member itself can see (its handler ends, its
    connection breaks) is the same before and after the moves of others. So it is tried in one place: right after its own.
    """

    time: int
    redis: int
    seats: tuple[Seat, ...]
    asks: tuple[Ask, ...]
    troubles: tuple[Trouble, ...]
    script: tuple[Item, ...]
    zombies: tuple[Zombie, ...]
    faults: int
    holds: int
    up: bool = True
    touched: int = 0


class Moment(Protocol):
    """The part that a state and a half-done move have in common. ``now``: in seconds."""

    @property
    def now(self) -> float: ...

    @property
    def redis(self) -> int: ...

    @property
    def seats(self) -> Sequence[Seat]: ...

    @property
    def asks(self) -> Sequence[Ask]: ...

    @property
    def troubles(self) -> Sequence[Trouble]: ...
