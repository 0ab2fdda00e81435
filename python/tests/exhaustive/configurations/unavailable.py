"""Redis is away for all, refuses writes, or has no memory."""

from __future__ import annotations

from dataclasses import replace

from redisipc.protocol.settings import LONGEST_BLOCK

from ..acts import BEGINS, STRIKES
from ..configuration import Act, Configuration, Fault
from ..properties import ALL
from .parts import ASK, NONE, A, B

_READS = {"block": LONGEST_BLOCK}
_SLOW = {"backoff_first": 4000.0, "backoff_most": 4000.0}

CONFIGURATIONS = (
    Configuration(
        "late-member", "Redis is away for 12 s, B joins meanwhile, and A is 4 s late in coming back",
        (A, replace(A, begins=None)), (ASK, Act(BEGINS, 6.0, None, (1,))), ALL, NONE,
        (Fault("outage", (), (12.0,), 3.0, 3.5), Fault("pause", (0,), (4.0,), 14.0, 17.0)), 2, runs=(1.0, 18.0),
    ),
    Configuration(
        "outage", "Redis is away for 12 s once, or twice, while A runs a request",
        (A, B), (ASK,), ALL, NONE, (Fault("outage", (), (12.0,), 3.0, 17.0),), 2, runs=(2.0, 34.0), horizon=50.0,
    ),
    Configuration(
        "overnight", "Redis is off for 13 h, and B is back 6 s before A, which still runs its request",
        (replace(A, options=_SLOW, share=0.0001), replace(B, options=_SLOW, share=0.0)),
        (ASK, Act(STRIKES, 3.0, None, ("outage", 46_800.0, ()))), ALL, NONE, runs=(48_600.0,), horizon=48_650.0,
        grid=0.25,
    ),
    Configuration(
        "no-writes", "Redis refuses writes for 10 or 13 s while A runs a request, and A stands still for 4 s",
        (A, B), (ASK,), ALL, NONE,
        (Fault("refuse", (), (10.0, 13.0), 2.5, 5.0, ("MISCONF",)), Fault("pause", (0,), (4.0,), 11.0, 19.0)), 2, runs=(2.0, 22.0),
        horizon=50.0,
    ),
    Configuration(
        "no-writes-at-rest", "The same, where members read for 5 s at a time, and look without a write while they suspect nobody",
        (replace(A, options=_READS), replace(B, options=_READS)), (ASK,), ALL, NONE,
        (Fault("refuse", (), (10.0, 13.0), 2.5, 5.0, ("MISCONF",)), Fault("pause", (0,), (4.0,), 11.0, 19.0)), 2, runs=(2.0, 22.0),
        horizon=50.0,
    ),
    Configuration(
        "no-memory", "Redis has no memory for 13 s while A runs a request",
        (A, B), (ASK,), ALL, NONE, (Fault("refuse", (), (13.0,), 2.0, 8.0, ("OOM",)),), 1,
    ),
)  # fmt: skip
