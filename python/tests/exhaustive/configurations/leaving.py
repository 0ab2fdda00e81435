"""Members that leave while something is on its way to them, or still runs."""

from __future__ import annotations

from dataclasses import replace

from ..acts import CLOSES, RESPONDS
from ..configuration import Act, Configuration, Fault
from ..properties import ALL
from .parts import ASK, LISTED, MEET, NONE, WEB, A, B, send
from .requesting import POLLS

_SIBLING = replace(WEB, options=POLLS)

# Whoever began first is first in line for a response, since its own requests do not wake the other. It hears of the other
# at once, or what it hands over in vain would end after the last moment of these worlds.
CONFIGURATIONS = (
    Configuration(
        "outlived", "A closes with 2 s of grace while its handler runs on, and B would take the request over",
        (A, B), (ASK, Act(CLOSES, 2.0, 6.0, (0, 2.0))), ALL - {"rejected"}, LISTED - {"owner-closed"},
        longest=16.0,
    ),
    Configuration(
        "outlived-broken", "the same, and what A writes gets lost",
        (A, B), (ASK, Act(CLOSES, 2.0, 5.0, (0, 2.0))), ALL - {"rejected"}, LISTED,
        (Fault("lose write", (0,), last=8.0),), 1, longest=14.0,
    ),
    Configuration(
        "late-answer", "A's handler has returned and answers 1.5 s later, while A closes with time enough",
        (A, B), (ASK, Act(CLOSES, 2.0, 6.0, (0, 6.0))), ALL, NONE, runs=(1.0, 2.0, 3.0), later=1.5,
    ),
    Configuration(
        "leaving", "B closes while its response is read by A, which hands it over",
        (_SIBLING, _SIBLING), (MEET, send(1, 4.0), Act(RESPONDS, 2.5, 6.5, (0,)), Act(CLOSES, 2.5, 6.5, (1, 1.0))), ALL,
    ),
    Configuration(
        "leaving-broken", "the same, and what A or B writes gets lost; B has no second try at what it had to settle",
        (_SIBLING, _SIBLING), (MEET, send(1, 4.0), Act(RESPONDS, 3.0, 5.0, (0,)), Act(CLOSES, 3.0, 5.0, (1, 1.0))),
        ALL - {"residue"}, faults=(Fault("lose write", (0, 1), last=8.0),), most_faults=1,
    ),
)  # fmt: skip
