"""Carries out the plan: each fault strikes, is proven, is repaired and is written to the rows."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from time import monotonic

from redisipc_conformance.server import NoServer
from redisipc_conformance.wire.client import RedisFailure

from .faults import FAULTS
from .faults.base import Fault, NotNow
from .lab.lab import Lab
from .lab.redis import Away
from .plan import Step

PROVE = 10.0
"""A fault must be proven at most so many seconds after its end."""
LATER = 1.0
"""Seconds until the injector tries a fault again that found nobody to hit."""
ATTEMPTS = 30
AGAIN = 5
"""How often the injector tries a fault of members again that had nothing to hit because Redis was away."""


class Injector:
    """``struck`` counts proven faults by name; ``unproven`` names the others, with the reason."""

    _at_redis: int
    """The number of faults that Redis has now."""
    _over_redis: int
    """The number of faults that have ended."""

    def __init__(self, lab: Lab, say: Callable[[str], None]) -> None:
        self.lab = lab
        self.struck: Counter[str] = Counter()
        self.unproven: list[str] = []
        self._at_redis = 0
        self._over_redis = 0
        self._say = say

    async def one_by_one(self, steps: Iterable[Step]) -> None:
        for step in steps:
            await asyncio.sleep(step.peace)
            await self.play(step)

    async def mixed(self, sequences: list[Iterator[Step]], enough: Callable[[], bool]) -> None:
        """Runs all sequences of faults side by side until the run is long enough, and repairs the faults of that moment."""

        async def sequence(steps: Iterator[Step]) -> None:
            for step in steps:
                await asyncio.sleep(step.peace)
                if enough():
                    return
                await self.play(step)

        await asyncio.gather(*(sequence(steps) for steps in sequences))

    async def play(self, step: Step) -> None:
        for _ in range(AGAIN):
            fault = FAULTS[step.fault](self.lab, random.Random(step.seed))
            for _ in range(ATTEMPTS):
                try:
                    await fault.prepare()
                    break
                except NotNow:
                    await asyncio.sleep(LATER)
            else:
                self.unproven.append(f"{fault.name}: never found anybody to hit")
                return
            over = self._over_redis
            redis = fault.struck_at == "redis"
            self._at_redis += redis
            try:
                problem = await self._strike(fault)
            finally:
                self._at_redis -= redis
                self._over_redis += redis
            beside = not redis and (self._at_redis > 0 or self._over_redis > over)
            if not problem:
                return
            if not beside:
                break
        self.unproven.append(f"{fault.name}: {problem}")

    async def _strike(self, fault: Fault) -> str:
        """An empty text if the fault was proven and repaired, else what is not proven."""
        for member in fault.members:
            member.busy = True
        busy = list(fault.members)
        began = monotonic()
        proof, problem = "", ""
        try:
            try:
                await fault.strike()
                await asyncio.sleep(fault.length)
                proof = await self._prove(fault)
            finally:
                await fault.mend()
        except (Away, NoServer, RedisFailure, OSError, asyncio.TimeoutError) as error:
            problem = f"{type(error).__name__}: {error}"
        finally:
            for member in busy:
                member.busy = False
        # A fault that could not be repaired lasts until now.
        ended = (fault.over if not problem else None) or monotonic()
        if proof and not problem:
            self.struck[fault.name] += 1
        else:
            problem = problem or "nothing proves that it struck"
        processes = [member.process for member in fault.members]
        self.lab.rows(
            "fault", fault.name, round(began - fault.before, 4), round(ended, 4), fault.to_redis, fault.to_members, processes,
            fault.after, proof or problem,
        )  # fmt: skip
        self._say(f"{fault.name:24s} {ended - began:5.1f} s  {'NOT PROVEN ' + problem if problem else proof}")
        return problem

    async def _prove(self, fault: Fault) -> str:
        end = monotonic() + PROVE
        while True:
            proof = await fault.proof()
            if proof or monotonic() > end:
                return proof
            await asyncio.sleep(0.02)
