"""Who runs a request, and who may take it over."""

from __future__ import annotations

from dataclasses import replace

from ..acts import ASKS, TAKES
from ..configuration import Act, Configuration, Fault, Place
from ..properties import ALL
from .parts import ASK, LISTED, MEET, NONE, ONE_AT_A_TIME, A, B, C, cut

CONFIGURATIONS = (
    Configuration(
        "crash", "A crashes with a request, B and C reclaim it, and either is cut off meanwhile",
        (A, B, C), (ASK,), ALL, LISTED,
        (Fault("crash", (0,), first=2.0, last=4.0), cut(1, 2, first=9.0, last=16.0)), 2, longest=4.0,
    ),
    Configuration(
        "own-list", "the reply with a request is lost, and A finds it in its own list 3 or 8 s later",
        (A, B), (ASK,), ALL, LISTED,
        (cut(0, seconds=(3.0, 8.0), first=2.0, last=2.0), cut(1, first=9.0, last=14.0)), 2, longest=16.0,
    ),
    Configuration(
        "late-owner", "A stands still while it runs a request, or before it starts it, and goes on when B may reclaim it",
        (A, B), (ASK,), ALL - {"responses"}, LISTED,
        (Fault("pause", (0,), (8.0, 11.0), 2.0, 5.0),), 1, 1, (0,), slow=2.0, longest=14.0,
    ),
    Configuration(
        "give-back", "A has no handler and gives the request back, B or C takes it, and what A or B writes gets lost",
        (replace(A, options={"responder": False}), B, C), (MEET, Act(ASKS, 2.0, 6.0, (0,))), ALL, NONE,
        (Fault("lose write", (0, 1), first=2.0, last=7.0),), 2, runs=(1.0, 8.0), patience=6.0,
    ),
    Configuration(
        "room", "three requests, and two members with one place each: whoever has a place again looks at once",
        tuple(replace(place, options=ONE_AT_A_TIME) for place in (A, B)),
        (MEET, ASK, Act(ASKS, 2.5, None, (1,)), Act(ASKS, 3.0, None, (2,))), ALL, NONE, runs=(3.0, 10.0), patience=0.5,
    ),
    Configuration(
        "gem", "whoever runs the request crashes, three times, and each time a gem takes it and dies before a member does",
        (A, B, C, Place(share=0.9)), (ASK, *(Act(TAKES, at, None, (0,)) for at in (4.0, 19.0, 34.0))), ALL - {"rejected"}, LISTED,
        runs=(16.0,), horizon=80.0,
    ),
    Configuration(
        "clock", "the clock of Redis steps while A runs a request",
        (A, B), (ASK,), ALL, NONE,
        tuple(Fault("clock", (), first=2.0, last=8.0, about=(step,)) for step in (-60.0, 8.0, 3600.0)), 1,
    ),
)  # fmt: skip
