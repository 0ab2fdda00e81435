"""A fault: how it strikes, how the harness proves that it took effect, and how the harness repairs it."""

from __future__ import annotations

import random
from collections import Counter
from time import monotonic
from typing import ClassVar, Literal

from ..lab.lab import Lab
from ..lab.members import Member
from ..lab.redis import Redis


class NotNow(Exception):
    """The fault cannot strike now, because there is nobody to hit. The harness tries again later."""


class Fault:
    """One fault. Each subclass is one kind of faults.

    The injector calls ``strike`` and ``mend`` once each. In between it calls ``proof`` until that returns a text, which
    names the evidence that the fault took effect. A fault that is never proven fails the run.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    """One sentence for the table."""
    sites: ClassVar[tuple[str, ...]] = ("plain",)
    """The sites where it can strike. If faults come alone, it strikes at the first of them."""
    struck_at: ClassVar[Literal["members", "redis"]] = "redis"
    """Faults of Redis come one at a time. Faults of members may come at the same time as these and as each other."""
    to_redis: ClassVar[str] = ""
    """Its effect on Redis, in the words of the history; empty if it has none."""
    to_members: ClassVar[str] = ""
    """Its effect on the members that it hits: ``cut off``, ``paused``; empty if it has none."""
    before: ClassVar[float] = 0.0
    """Redis may have lost the writes of so many seconds before the strike."""
    after: ClassVar[float] = 0.0
    """The members that it hit may have trouble for so many seconds after its end."""
    seconds: ClassVar[tuple[float, float]] = (0.0, 0.0)
    """Its shortest and its longest duration, in seconds."""
    ends: ClassVar[bool] = False
    """Whether it ends processes of members."""
    quiet: ClassVar[float] = 3.0
    """Seconds without a fault after it, if faults come alone."""
    aim: ClassVar[float] = 1.0
    """Each member that it hit has its first success within so many seconds."""
    aim_from: ClassVar[Literal["strike", "end"]] = "end"

    def __init__(self, lab: Lab, source: random.Random) -> None:
        self.lab = lab
        self.random = source
        self.length = source.uniform(*self.seconds)
        self.members: list[Member] = []
        self.over: float | None = None
        """When it ended for the members, if that is not the time of its repair."""
        self._began = monotonic()
        self._errors: Counter[str] = Counter()

    @property
    def redis(self) -> Redis:
        return self.lab.site.redis

    async def prepare(self) -> None:
        """Chooses the members that it hits. Raises NotNow."""
        self._began = monotonic()
        self._errors = Counter(self.lab.watch.errors)

    async def strike(self) -> None:
        raise NotImplementedError

    async def proof(self) -> str:
        """The proof that it took effect, or an empty text if there is no proof yet."""
        raise NotImplementedError

    async def mend(self) -> None:
        """Removes its cause. It is also called if ``strike`` failed halfway."""

    # for subclasses

    def choose(self, *groups: str) -> Member:
        """One free member of these groups, or of any group if none is named. Raises NotNow."""
        found = self.lab.free(*groups)
        if not found:
            raise NotNow(f"no free member of {' or '.join(groups) or 'any group'}")
        return self.random.choice(found)

    def refused(self, *kinds: str) -> str:
        """The number of error replies of these kinds that the taps have seen since it began."""
        seen = {kind: self.lab.watch.errors[kind] - self._errors[kind] for kind in kinds}
        return ", ".join(f"{count} replies {kind}" for kind, count in seen.items() if count)
