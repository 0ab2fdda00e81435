"""Why a request was run again: the causes that G6 allows, and none besides."""

from __future__ import annotations

from .history import Ask, History, Run

SILENCE = 6.9
"""Seconds of trouble from which on an owner may lose a request: it is reclaimed after 10 s, of which the last keep-alive covers
up to 3, less the ways to Redis."""
CAUSES = (
    "owner died", "owner closed before the handler ended", "owner paused or cut off",
    "owner paused or cut off before it could start", "lost writes", "group or stream destroyed", "clock step",
)  # fmt: skip
"""Every answer of ``cause``. To close before the handler ended is to die for its request; to destroy a group loses its writes."""
LOST_WRITES = ("failover", "rewind", "empty")


def cause(history: History, ask: Ask, first: Run, second: Run) -> str | None:
    """The cause of the second of two runs in a row, None where G6 knows none."""
    owner = history.processes[first.process]
    if owner.crashed_at is not None and owner.crashed_at <= second.time:
        return "owner died"
    if owner.closing_at is not None and owner.closing_at <= second.time:
        return "owner closed before the handler ended"
    # Redis itself being away is none: whoever comes back claims its own first, and nobody takes others' for 10 s.
    if owner.longest_trouble(first.time - 4.0, second.time, "redis away") >= SILENCE:
        return "owner paused or cut off"
    late = history.processes[second.process]
    if late.longest_trouble(ask.sent_at, second.time, "redis away") >= SILENCE:
        return "owner paused or cut off before it could start"
    # A write that is lost may be one from just before the first run.
    if history.redis_fault(first.time - 0.001, second.time, *LOST_WRITES):
        return "lost writes"
    if history.redis_fault(first.time, second.time, "group"):
        return "group or stream destroyed"
    steps = [
        fault for fault in history.redis if fault.kind == "clock" and second.time - 8.0 < fault.start < second.time
    ]
    if len(steps) > 1 or (steps and not owner.was_well(first.time, second.time)):
        # One step alone is none: the second look finds the claims of an owner that lives.
        return "clock step"
    return None
