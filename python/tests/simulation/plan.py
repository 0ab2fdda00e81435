"""The plan of one world, drawn from its seed: who lives in it, how much work there is, and what goes wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass

from redisipc.testing.redis_model import PROFILES, Profile

FAULTS = (
    "crash", "pause", "cut", "isolate", "hole", "failover", "rewind", "empty", "group", "restart", "memory", "clock",
    "writes", "late", "newcomer", "regroup", "prune", "evict", "long",
)  # fmt: skip
"""Kinds of faults; ``faults`` says what each is."""
FORGETS = ("failover", "rewind", "empty", "group", "regroup", "prune", "long")
"""Faults after which Redis does not know any more which instance ids are taken."""
KINDS = ("quick", "work", "later", "nested", "reject", "silent")


@dataclass(frozen=True, slots=True)
class Plan:
    """One world. Times in seconds; ``load`` is the share of all handler places that the work needs on average."""

    seed: int
    profile: Profile
    groups: tuple[int, ...]
    latency: float
    asks: int
    seconds: float
    wave: int
    concurrency: int
    max_queue: int
    kinds: tuple[int, ...]
    long_share: float
    cancel_share: float
    short_timeouts: bool
    wakeups: bool
    lost_wakeups: float
    clashing_ids: bool
    restarts: int
    leaves: bool
    faults: tuple[str, ...]
    fault_count: int
    load: float
    handlerless: float = 0.0
    """The share of processes that have no handler."""
    half_open: bool = False
    """Whether the server continues to serve connections that went silent and were given up."""
    bandwidth: float = 0.0
    """Bytes a second of a connection, 0 for any number."""
    sizes: tuple[int, ...] = (0,)
    """Bytes of content, beyond those that name the request; one is drawn for each."""
    gems: int = 0
    """How many members of the first group are gems."""
    skew: float = 0.0
    """Seconds by which the clock of whoever takes over in a failover differs at most."""
    start_delay: float = 0.0
    """Seconds between the core's word to start a handler and its start."""
    brief: int = 0
    """How many processes are ended while they join."""
    backoff_most: float = 2.0
    """The longest pause between two attempts to connect."""
    unhurried: bool = False
    """Reads and looks take as long as they did when the stored plans were made, which depend on their moments."""

    @property
    def looks_run_out(self) -> bool:
        """Whether a last look may come to the end of its time: over a slow link."""
        return self.bandwidth > 0

    @property
    def calm(self) -> bool:
        """Nothing goes wrong and nobody leaves."""
        return not self.faults and not self.restarts

    def __str__(self) -> str:
        faults = f"{self.fault_count} faults of {', '.join(self.faults)}" if self.faults else "no faults"
        members = "+".join(map(str, self.groups))
        return (
            f"seed {self.seed}: {self.profile.name}, groups of {members}, {self.asks} requests in {self.seconds:.0f} s, "
            f"concurrency {self.concurrency}, load {self.load:.2f}, latency {self.latency * 1000:g} ms, "
            f"wake-ups {'on' if self.wakeups else 'off'}, {self.restarts} rolling restarts, {faults}"
        )


def draw(seed: int, asks: int = 2000) -> Plan:
    """The plan of a seed: every third world is calm, the others mix up to four kinds of faults."""
    source = random.Random(seed * 7919 + 17)
    groups = tuple(source.choices((1, 2, 3, 4), (3, 3, 2, 1))[0] for _ in range(source.randint(2, 4)))
    if source.random() < 0.06:
        groups = (source.randint(6, 10), 2)
    calm = seed % 3 == 0
    # Half of the others suffer from one kind of fault only, again and again.
    faults = () if calm else tuple(source.sample(FAULTS, source.choice((1, 1, 1, 2, 3, 4))))
    concurrency = source.choice((1, 2, 4, 16, 64, 64))
    seconds = source.uniform(4.0, 40.0)
    nested = source.choice((0, 0, 2, 5))
    later = source.choice((0, 3, 10))
    work = source.choice((1, 5, 15, 40))
    weights = (100 - nested - later - work - 4, work, later, nested, 3, 1)
    long_share = source.choice((0.0, 0.02, 0.1, 0.3, 0.6)) if source.random() < 0.8 else 0.0
    amount = round(asks * source.uniform(0.4, 1.6))
    # Work in seconds over all requests, to keep most worlds from drowning in it.
    places = sum(groups) * concurrency
    worked = (work + later) / 100
    mean = worked * ((1 - long_share) * 0.15 + long_share * 10.0)
    wanted = source.choice((0.2, 0.5, 0.8, 1.5))
    load = amount * mean / (places * seconds)
    if load > wanted:
        long_share *= wanted / load
        mean = worked * ((1 - long_share) * 0.15 + long_share * 10.0)
        load = amount * mean / (places * seconds)
    if load > wanted:
        scale = wanted / load
        weights = (round(100 - (100 - weights[0]) * scale), *(weight * scale for weight in weights[1:]))  # type: ignore[assignment]
        load = wanted
    # A few worlds have large contents and slow links: it is bytes that count there.
    bandwidth, sizes = 0.0, (0, 0, 0, 0, 0, 0)
    if source.random() < 0.05:
        bandwidth, sizes = source.choice((2e5, 1e6)), (0, 0, 0, 100, 5_000, 60_000)
        amount = max(50, amount // 5)
    return Plan(
        seed=seed,
        profile=PROFILES[seed % len(PROFILES)] if seed % 2 else source.choice(PROFILES),
        groups=groups,
        latency=source.choice((0.0002, 0.001, 0.001, 0.005)),
        asks=amount,
        seconds=seconds,
        wave=source.choice((5, 20, 60, 150)),
        concurrency=concurrency,
        max_queue=source.choice((1000, 1000, 50, 5)),
        kinds=weights,
        long_share=long_share,
        cancel_share=source.choice((0.0, 0.0, 0.02)),
        short_timeouts=source.random() < 0.3,
        wakeups=source.random() < 0.75,
        lost_wakeups=source.choice((0.0, 0.0, 0.3)),
        clashing_ids=source.random() < 0.3 and not any(kind in FORGETS for kind in faults),
        restarts=0 if calm and source.random() < 0.8 else source.choice((0, 0, 1, 3)),
        leaves=source.random() < 0.5,
        faults=faults,
        fault_count=source.randint(1, 8) if faults else 0,
        load=load,
        handlerless=source.choice((0.0, 0.0, 0.0, 0.3)),
        half_open=source.random() < 0.5,
        bandwidth=bandwidth,
        sizes=sizes,
        gems=source.choice((1, 2)) if source.random() < 0.04 else 0,
        skew=source.choice((0.0, 0.0, 2.0, 11.0, 60.0)),
        # Of a source of their own: all else of a seed stays as it is. Where something fails, keys may be left.
        brief=0 if faults else random.Random(seed * 104_729).choice((0, 0, 4)),
    )
