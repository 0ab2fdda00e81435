"""The laboratory of one run: a site, the members, and the rows that the harness writes itself."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from redisipc_conformance.server import NoServer

from ..workers.rows import Rows
from .members import Member, commands
from .redis import Away, text
from .site import Site
from .watch import Stalled, Watch

KINDS: dict[str, float] = {
    "quick": 45, "short": 20, "medium": 5, "long": 0.5, "reject": 5, "raise": 3, "later": 6, "nested": 4, "big": 2,
    "cancel": 2, "busy": 3, "ignore": 0.2,
}  # fmt: skip
TIMEOUTS: dict[str, float] = {"0.5": 1, "2": 2, "5": 6, "8": 2, "20": 2, "30": 1}
COSTLY = ("medium", "long", "busy", "big", "ignore")
"""Kinds of work that occupy a handler, a processor or a link for long. A higher rate does not have more of them a second."""
USUAL = 100.0
"""The rate, in requests a second, for which ``KINDS`` gives the weights."""
GEM = "gem"
"""The name of the runtime and of the group of the gem."""
SLOWER = 6.0
"""A machine that is too slow may take so many times as long to come to rest."""
JOIN = 30.0
"""At the beginning, all members must be connected within so many seconds."""


class CannotBeHad(Exception):
    """This site is not possible with this server, or on this machine. The message has the reason."""


class Failed(Exception):
    """The laboratory itself failed."""


@dataclass(frozen=True)
class Load:
    """The requests of a run: ``rate`` a second in all, kinds of work and timeouts by weight."""

    rate: float = 100.0
    kinds: dict[str, float] = field(default_factory=lambda: dict(KINDS))
    timeouts: dict[str, float] = field(default_factory=lambda: dict(TIMEOUTS))
    sample: float = 0.0
    """Seconds between two samples of the resources of a member; 0: no samples."""
    concurrency: int = 16
    burst: float = 1.0
    """The average number of requests at one moment."""

    def weights(self) -> dict[str, float]:
        """``kinds``, with at most as many costly ones a second as at the usual rate."""
        share = min(1.0, USUAL / self.rate) if self.rate else 1.0
        return {kind: weight * share if kind in COSTLY else weight for kind, weight in self.kinds.items()}


class Lab:
    """Use ``async with lab.opened()``, which raises CannotBeHad and Failed."""

    def __init__(self, site: Site, folder: Path, seed: str, load: Load) -> None:
        self.site, self.folder, self.load = site, folder, load
        self.random = random.Random(seed)
        self.rows = Rows(str(folder / "harness.jsonl"))
        self.watch = Watch(self.rows)
        self.stalled = Stalled(self.rows, site.pids)
        self.members: list[Member] = []
        self._processes = 0

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Lab]:
        stalls = asyncio.create_task(self.stalled.watch())
        try:
            try:
                await self.site.open(self.watch)
            except NoServer as error:
                raise CannotBeHad(str(error)) from error
            await self._join()
            yield self
        finally:
            stalls.cancel()
            for member in self.members:
                await member.kill()
            self.watch.close()
            await self.site.close()

    async def _join(self) -> None:
        have = commands()
        for name, group, runtime, share in places([name for name in self.site.runtimes if name in have]):
            others = ["audit", "web", *(["gem"] if "gem" in have and "gem" in self.site.runtimes else [])]
            targets = ["stock"] if group in ("audit", "gem") else ["stock"] * 8 + others
            config = {
                "stream": self.site.stream,
                "concurrency": self.load.concurrency,
                "rate": self.load.rate * share,
                "burst": self.load.burst,
                "targets": targets,
                "kinds": self.load.weights(),
                "timeouts": self.load.timeouts,
                "nested_to": "audit",
                "sample": self.load.sample,
            }
            source = random.Random(self.random.getrandbits(48))
            self.members.append(Member(name, group, runtime, have[runtime], config, self.folder, source, self._ended))
        # The members that ask come last, since a group must exist before it is asked.
        for member in sorted(self.members, key=lambda member: member.config["rate"] > 0):
            await self.bring(member)
            if not await member.joined(JOIN):
                raise Failed(
                    f"{member.name} ({member.runtime}) did not connect within {JOIN:g} s: {member.last_words()}"
                )

    async def bring(self, member: Member) -> None:
        """Starts a new process in this place."""
        # Two processes may start at once, so each gets a number of its own.
        number, self._processes = self._processes, self._processes + 1
        member.config.update(await self.site.reach(member))
        await member.start(number)

    def _ended(self, process: int, code: int) -> None:
        self.rows("exit", process, code)

    # who is there

    def free(self, *groups: str) -> list[Member]:
        """Members that are alive, are connected, and have no other fault. A gem is left out, since it promises nothing."""
        return [
            member
            for member in self.members
            if member.alive and not member.busy and member.up.is_set() and member.runtime != GEM
            if not groups or member.group in groups
        ]

    # the end

    async def calm(self, seconds: float) -> bool:
        """Ends all requests. Returns whether nothing was left within so many seconds; the rows have what is left."""
        for member in self.members:
            if not member.alive:
                await self.bring(member)
                await member.joined(JOIN)
            member.tell("quiet")
        self.rows("quiet")
        start, stalled = monotonic(), self.stalled.seconds
        left: list[Any] = []
        while True:
            with contextlib.suppress(Away):
                left = await self._left()
                if not left:
                    break
            # While the harness stands still, all links stand still. So nothing can come to rest in that time.
            passed = monotonic() - start
            if passed - (self.stalled.seconds - stalled) > seconds or passed > SLOWER * seconds:
                break
            await asyncio.sleep(0.5)
        self.rows("left", left)
        return not left

    async def _left(self) -> list[Any]:
        """Entries of the stream, and pending entries of each group: [what, entry ID, more]."""
        redis, stream = self.site.redis, self.site.stream
        found: list[Any] = []
        for id, fields in await redis.reply("XRANGE", stream, "-", "+", "COUNT", 200) or []:
            found.append(["entry", text(id), text(fields)])
        groups = await redis.reply("XINFO", "GROUPS", stream)
        for group in groups if isinstance(groups, list) else []:
            name = dict(zip(group[::2], group[1::2], strict=True))[b"name"]
            for id, consumer, idle, count in await redis.reply("XPENDING", stream, name, "-", "+", 200) or []:
                found.append(["pending", text(id), [text(name), text(consumer), idle, count]])
        return found

    async def leave(self) -> None:
        """All members leave in order. A member that does not is recorded and killed."""

        async def one(member: Member) -> None:
            if member.alive and await member.leave() is None:
                self.rows("hung", member.process)

        await asyncio.gather(*(one(member) for member in self.members))
        with contextlib.suppress(Away):
            self.rows("after", await self._left())


def places(runtimes: list[str]) -> list[tuple[str, str, str, float]]:
    """The members: name, group, runtime, share of the rate. Both runtimes and Node share the groups."""
    third = "node" if "node" in runtimes else "threads"
    found = [
        ("stock1", "stock", "threads", 0.0),
        ("stock2", "stock", "asyncio", 0.0),
        ("stock3", "stock", third, 0.0),
        ("audit1", "audit", "asyncio", 0.06),
        ("web1", "web", "threads", 0.31),
        ("web2", "web", "asyncio", 0.31),
        ("web3", "web", third, 0.31),
    ]
    if "gem" in runtimes:
        found.append(("gem1", "gem", "gem", 0.01))
    return found
