"""Connections that break, on one side or on both, and commands that arrive after all."""

from __future__ import annotations

from dataclasses import replace

from ..acts import ASKS
from ..configuration import Act, Configuration, Fault
from ..properties import ALL
from .parts import ASK, LISTED, NONE, A, B, cut

_BLOCKS = {"block": 5.0}

CONFIGURATIONS = (
    Configuration(
        "short-cut", "connections of A and B break twice around one request, before or after what was sent is executed",
        (A, B), (ASK,), ALL, NONE, (cut(0, 1, seconds=(0.0, 1.0), last=3.5),), 2, longest=3.0,
    ),
    Configuration(
        "half-open", "A's blocked read breaks, Redis does not see it, and serves the dead connection first",
        (replace(A, options=_BLOCKS), replace(B, options=_BLOCKS)), (Act(ASKS, 2.5, 9.0, (0,)),), ALL, LISTED,
        (Fault("half-open", (0,), first=2.0, last=5.0),), 1, runs=(0.0, 2.0), patience=6.0,
    ),
    Configuration(
        "late-command", "a batch that A gave up is executed up to 4 s later, and a connection breaks besides",
        (A, B), (ASK,), ALL - {"responses"}, LISTED,
        (Fault("zombie", (0,), (4.0,), last=4.0), cut(0, 1, last=4.0)), 2, longest=2.0,
    ),
    Configuration(
        "stuck", "what A or B writes is stuck, or the reply to it, while everything else goes on",
        (A, B), (ASK,), ALL - {"responses"}, LISTED, holds=2, held=(0, 1), longest=2.5,
    ),
)  # fmt: skip
