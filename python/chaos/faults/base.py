"""A fault: how it strikes, what proves that it struck, how it is repaired."""

from __future__ import annotations

import random
from collections import Counter
from time import monotonic
from typing import ClassVar, Literal

from ..lab.lab import Lab
from ..lab.members import Member
from ..lab.redis import Redis


class NotNow(Exception):
    """It cannot strike at the moment: nobody is there whom it could hit. It is tried again later."""


class Fault:
    """One strike of one kind. A subclass says what it is, and does it.

    ``strike`` and ``mend`` are called once each, ``proof`` again and again in between until it gives a text: how it
    is known that the fault took effect. A fault that is never proven fails the run.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    """One sentence for the table."""
    sites: ClassVar[tuple[str, ...]] = ("plain",)
    """Where it can strike: at the first of them, where faults come alone."""
    struck_at: ClassVar[Literal["members", "redis"]] = "redis"
    """Faults of Redis come one at a time; those of members may come beside them, and beside each other."""
    to_redis: ClassVar[str] = ""
    """Its effect on Redis, in the words of the history; empty where Redis has no fault."""
    to_members: ClassVar[str] = ""
    """Its effect on the members that it hits: ``cut off``, ``paused``; empty where they have no trouble."""
    before: ClassVar[float] = 0.0
    """Seconds before its strike of which Redis may have lost the writes."""
    after: ClassVar[float] = 0.0
    """Seconds after its end for which the members that it hit may still suffer."""
    seconds: ClassVar[tuple[float, float]] = (0.0, 0.0)
    """How long it lasts: from, to."""
    ends: ClassVar[bool] = False
    """Whether it ends processes of members."""
    quiet: ClassVar[float] = 3.0
    """Seconds of peace after it, where faults come alone."""
    aim: ClassVar[float] = 1.0
    """Seconds within which every member that it hit has its first success."""
    aim_from: ClassVar[Literal["strike", "end"]] = "end"

    def __init__(self, lab: Lab, source: random.Random) -> None:
        self.lab = lab
        self.random = source
        self.length = source.uniform(*self.seconds)
        self.members: list[Member] = []
        self.over: float | None = None
        """When it was over for the members, where that is not when it was repaired."""
        self._began = monotonic()
        self._errors: Counter[str] = Counter()

    @property
    def redis(self) -> Redis:
        return self.lab.site.redis

    async def prepare(self) -> None:
        """Chooses whom it hits. Raises NotNow."""
        self._began = monotonic()
        self._errors = Counter(self.lab.watch.errors)

    async def strike(self) -> None:
        raise NotImplementedError

    async def proof(self) -> str:
        """The proof that it struck, or an empty text where there is no proof yet."""
        raise NotImplementedError

    async def mend(self) -> None:
        """Its cause ends. Also called where striking failed halfway."""

    # for subclasses

    def choose(self, *groups: str) -> Member:
        """One free member of these groups (of any, where none is named). Raises NotNow."""
        found = self.lab.free(*groups)
        if not found:
            raise NotNow(f"no free member of {' or '.join(groups) or 'any group'}")
        return self.random.choice(found)

    def refused(self, *kinds: str) -> str:
        """How many error replies of these kinds the taps saw since it began."""
        seen = {kind: self.lab.watch.errors[kind] - self._errors[kind] for kind in kinds}
        return ", ".join(f"{count} replies {kind}" for kind, count in seen.items() if count)
