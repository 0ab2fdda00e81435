"""The subject of one exploration: who is there, what is asked, what may go wrong how often, and which properties are checked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from redisipc.protocol.settings import Settings
from redisipc.testing.redis_model import REDIS_7, Profile

START = 1000.0
"""Virtual time of instant 0, in seconds."""
STREAM = "s"
ANY_TIME: tuple[float, ...] = ()
QUIET: dict[str, Any] = {
    "early_end": False, "diagnosis": False,
    "wakeups": False, "linger": 0.0, "block": 60.0, "refresh": 1000.0, "refresh_busy": 1000.0,
    "poll": 1000.0, "poll_most": 1000.0, "poll_with_wakeups": 1000.0,
}  # fmt: skip
"""Options that leave out what a configuration is not about: early ends, and work now and then, which would make more instants."""


@dataclass(frozen=True)
class Place:
    """One member.

    ``begins``: seconds, or None where the script lets it begin; ``share``: of every pause that chance decides; ``twin``: the
    member whose instance id it draws first.
    """

    group: str = "stock"
    options: dict[str, Any] = field(default_factory=dict)
    begins: float | None = 0.0
    share: float = 0.0
    twin: int | None = None


@dataclass(frozen=True)
class Act:
    """Something that happens by itself between two moments (seconds; ``last`` None: at the first one): see ``acts.py``."""

    kind: str
    first: float
    last: float | None = None
    about: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Fault:
    """The troubles between two moments: ``kind`` and ``about`` as in ``faults.py``.

    ``members``: whom it may hit, none for Redis itself; ``seconds``: how long it may last.
    """

    kind: str
    members: tuple[int, ...] = ()
    seconds: tuple[float, ...] = (0.0,)
    first: float = 0.0
    last: float = math.inf
    about: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Configuration:
    """One exploration.

    ``properties``: what is checked, see ``properties.py``; ``causes``: the causes of a second start that it may have.
    ``faults``: at most ``most_faults`` of these, in any order, at any move. ``holds``: how often a message of a member in ``held``
    may be stuck while other things happen, for up to ``slow`` seconds. ``runs``: how long a handler may run, or at ANY_TIME up
    to ``longest``; ``later``: how long after its end the answer comes.

    ``patience``: how long a request may wait while a member is well and free. ``warm``: seconds in the beginning of which only
    one order is looked at, for members to begin. ``grid``: seconds between two instants: what is due between them happens at
    the second one; a power of 2, so that no time is rounded. ``ages``: whether it matters how long consumers have been idle.
    All times are in seconds.
    """

    name: str
    says: str
    places: tuple[Place, ...]
    script: tuple[Act, ...]
    properties: frozenset[str]
    causes: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()
    most_faults: int = 0
    holds: int = 0
    held: tuple[int, ...] = ()
    slow: float = math.inf
    runs: tuple[float, ...] = ANY_TIME
    longest: float = 20.0
    later: float = 0.0
    patience: float = math.inf
    warm: float = 1.0
    horizon: float = 40.0
    grid: float = 0.5
    ages: bool = False
    group: str = "stock"
    profile: Profile = REDIS_7

    @property
    def deviations(self) -> int:
        """How often something may be late or may fail."""
        return self.most_faults + self.holds

    def settings(self, place: Place) -> Settings:
        return Settings(STREAM, place.group, **(QUIET | place.options))

    def instant(self, seconds: float) -> int:
        """The first instant at or after this many seconds."""
        return math.ceil(round(seconds / self.grid, 6))

    def moment(self, time: float) -> int:
        """The first instant at or after a virtual time, exactly: an endpoint does nothing before its time."""
        instant = math.ceil((time - START) / self.grid)
        return instant if self.time(instant) >= time else instant + 1

    def time(self, instant: int) -> float:
        """Virtual time of an instant."""
        return START + instant * self.grid
