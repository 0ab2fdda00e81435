"""Somebody deletes the stream, the group or a consumer."""

from __future__ import annotations

from dataclasses import replace

from ..acts import ASKS, DELETES, RESPONDS, STRIKES
from ..configuration import Act, Configuration, Fault
from ..properties import ALL
from .parts import ASK, LISTED, NONE, WEB, A, B, cut, send

_AWAY = (127.0,)
_REAL = {"refresh": 10.0, "refresh_busy": 10.0, "backoff_first": 2.0, "backoff_most": 2.0}
_POLLS = replace(WEB, options=_REAL | {"poll": 0.5, "poll_most": 0.5, "poll_with_wakeups": 0.5})


def _operator(*command: str | bytes, first: float = 2.0, last: float = 6.0) -> Fault:
    return Fault("operate", (), first=first, last=last, about=(command,))


CONFIGURATIONS = (
    Configuration(
        "stream-deleted", "the stream is deleted, A and B make the group again, and a request is written meanwhile",
        (A, B), (Act(ASKS, 1.5, None, (0,)), Act(ASKS, 2.5, 4.0, (1,))), ALL, LISTED,
        (_operator("DEL", b"s", first=3.0, last=3.0),), 1, runs=(0.5,),
    ),
    Configuration(
        "group-destroyed", "the group is destroyed while A runs a request, whose body stays",
        (A, B), (ASK,), ALL, LISTED, (_operator("XGROUP", "DESTROY", b"s", b"stock", last=4.0),), 1, longest=4.0,
    ),
    Configuration(
        "unsure-answer", "the group is destroyed, and the connection breaks around A's answer",
        (A,), (ASK,), ALL - {"claimed"}, LISTED,
        (_operator("XGROUP", "DESTROY", b"s", b"stock", last=4.0), Fault("lose write", (0,), first=2.0, last=5.0)), 2, runs=(1.0,),
    ),
    Configuration(
        "same-id", "Redis loses its last writes, and a second request gets the entry ID of the first, which A still runs",
        (A, B), (ASK, Act(ASKS, 2.0, 2.0, (1,)), Act(STRIKES, 2.0, None, ("rewind", 0.0, ()))), ALL, LISTED, runs=(4.0,),
    ),
    Configuration(
        "consumer-deleted", "somebody deletes A's consumer while A runs a request",
        (A, B), (ASK,), ALL, LISTED, (_operator("XGROUP", "DELCONSUMER", b"s", b"stock", b"dispatcher_a0a0a0_0"),), 1,
        longest=8.0,
    ),
    Configuration(
        "dead-consumer", "Redis is away for 125 s: all lists expired, and who is back first takes the other one for dead",
        (replace(A, options=_REAL, share=1.0), replace(A, options=_REAL, share=1.0)),
        (Act(ASKS, 127.0, 129.0, (0,)), Act(STRIKES, 2.0, None, ("outage", 125.0, ()))), ALL, NONE,
        runs=(5.0,), horizon=150.0, ages=True,
    ),
    Configuration(
        "back-late", "B is cut off for over two minutes, and is back just as A deletes its consumers; two requests come",
        (replace(A, options=_REAL), replace(B, options=_REAL)),
        (Act(ASKS, 130.0, 130.5, (0,)), Act(ASKS, 130.0, 130.5, (1,))), ALL, NONE,
        (cut(1, seconds=_AWAY, first=2.5, last=2.5),), 1, runs=(5.0,), horizon=150.0, ages=True,
    ),
    Configuration(
        "back-late-and-asks", "the same, and B sends at once; C, who joined late, may read the response and hand it over",
        (_POLLS, _POLLS, replace(_POLLS, begins=129.0)),
        # The request of somebody else wakes A, so that C is first in line for the response.
        (Act(ASKS, 129.5, None, (0,)), Act(DELETES, 131.0, None, (0,)), send(1, 6.0, 130.0), Act(RESPONDS, 130.0, 130.5, (1,))),
        ALL, NONE,
        (cut(1, seconds=_AWAY, first=2.5, last=2.5),), 1, horizon=150.0, ages=True,
    ),
)  # fmt: skip
