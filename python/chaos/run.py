"""One run: a server, a site, members, the faults of a plan and requests. Then all comes to rest, and what is left is recorded."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic

from . import plan
from .injector import Injector
from .lab.lab import Lab, Load
from .lab.sampler import sample_redis
from .lab.sites import SITES

FIRST = 2.0
"""Seconds before the first fault."""
LAST = 4.0
"""Requests continue for so many seconds after the last fault."""


@dataclass
class Wanted:
    """The plan of a run. ``requests``: at least so many; ``times``: how often each fault strikes alone; 0: mixed."""

    server: str
    site: str
    faults: Sequence[str]
    seed: str
    requests: int
    times: int
    load: Load
    settle: float
    seconds: float = 0.0
    """The shortest duration of the run, if faults are mixed."""
    quick: bool = False
    """Whether this is a quick run: a few faults, each once."""
    peace: float = plan.PEACE
    """Seconds between two faults of a sequence, on average, if faults are mixed."""
    struck: dict[str, int] = field(default_factory=dict)
    """How often each kind struck in earlier runs. If faults are mixed, the rarest come first."""

    @property
    def alone(self) -> bool:
        """Whether faults come one at a time, so that each recovery belongs to one fault."""
        return self.times > 0 or self.quick


@dataclass
class Done:
    """The outcome of a run, besides the rows in its folder."""

    server: str
    site: str
    seconds: float
    requests: int
    struck: Counter[str]
    unproven: list[str]
    stalled: float
    commands: int
    commit: str = ""


async def run(wanted: Wanted, folder: Path, say: Callable[[str], None], commit: str = "") -> Done:
    """Does the run; ``commit`` names the version under test.

    Raises CannotBeHad if the site is not possible with this server, and Failed, Away.
    """
    folder.mkdir(parents=True)
    site = SITES[wanted.site](wanted.server)
    lab = Lab(site, folder, wanted.seed, wanted.load)
    began = monotonic()
    async with lab.opened():
        about = await asyncio.to_thread(site.redis.server.about)
        say(f"== {about}, {wanted.site}, seed {wanted.seed}: {members_of(lab)}")
        injector = Injector(lab, say)
        sampling = asyncio.create_task(sample_redis(lab)) if wanted.load.sample else None
        await asyncio.sleep(FIRST)
        if wanted.quick:
            await injector.one_by_one(plan.quick())
        elif wanted.times:
            await injector.one_by_one(plan.alone(wanted.faults, wanted.times, wanted.seed))
            while lab.watch.stored < wanted.requests:
                await asyncio.sleep(0.2)
        else:
            sequences = plan.mixed(wanted.faults, wanted.seed, wanted.peace, wanted.struck)
            end = monotonic() + wanted.seconds
            await injector.mixed(sequences, lambda: lab.watch.stored >= wanted.requests and monotonic() >= end)
        await asyncio.sleep(LAST)
        if sampling is not None:
            sampling.cancel()
        await lab.calm(wanted.settle)
        await lab.leave()
    done = Done(
        str(about), wanted.site, monotonic() - began, lab.watch.stored, injector.struck, injector.unproven,
        lab.stalled.seconds, lab.watch.commands, commit,
    )  # fmt: skip
    (folder / "run.json").write_text(
        json.dumps({"wanted": asdict(wanted), "done": {**vars(done), "struck": dict(done.struck)}}, indent=1)
    )
    return done


def kept(folder: Path) -> tuple[Wanted, Done]:
    """The plan and the outcome of the run whose rows are in this folder. Raises OSError if there are none."""
    found = json.loads((folder / "run.json").read_text())
    wanted, done = found["wanted"], found["done"]
    return Wanted(**{**wanted, "load": Load(**wanted["load"])}), Done(**{**done, "struck": Counter(done["struck"])})


def members_of(lab: Lab) -> str:
    counts = Counter(f"{member.group} {member.runtime}" for member in lab.members)
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def seed_of(text: str) -> str:
    """The seed that was given, or a new one."""
    return text or str(random.SystemRandom().randrange(1_000_000))
