"""A requester that is a member itself: its timeout, its last look, and a response that a sibling reads."""

from __future__ import annotations

from dataclasses import replace

from ..acts import BEGINS, CANCELS, CLOSES, RESPONDS
from ..configuration import Act, Configuration, Fault
from ..properties import ALL
from .parts import NONE, WEB, A, B, cut, send

POLLS = {"poll": 0.5, "poll_most": 0.5, "poll_with_wakeups": 0.5, "refresh": 10.0, "refresh_busy": 3.0}
_SIBLING = replace(WEB, options=POLLS)
_SLOW_REFRESH = replace(WEB, options=POLLS | {"refresh": 8.0, "refresh_busy": 8.0})
_LATE = replace(WEB, options=POLLS | {"refresh": 1000.0, "refresh_busy": 1000.0})
"""Its refresh is late, as after a pause, and its list has expired by the time at which it sends."""

CONFIGURATIONS = (
    Configuration(
        "request", "B asks A; connections break around the request, the answer and the timeout",
        (A, WEB), (send(1, 3.0),), ALL, NONE,
        (Fault("lose write", (0, 1), last=6.0), cut(0, 1, seconds=(1.0,), last=6.0)), 1, longest=6.0,
    ),
    Configuration(
        "cancel", "B cancels its request at some moment, and what it writes gets lost",
        (A, WEB), (send(1, 5.0), Act(CANCELS, 2.0, 5.0, (1, 0))), ALL, NONE,
        (Fault("lose write", (0, 1), last=6.0),), 1, longest=4.0,
    ),
    Configuration(
        "last-look", "A is cut off with a request whose timeout is near the time of reclaiming; replies to C may be slow",
        (A, B, WEB), (send(2, 11.0, 3.0),), ALL, NONE, (cut(0, seconds=(20.0,), last=3.0),), 1, 1, (2,), slow=1.0, runs=(30.0,),
    ),
    Configuration(
        "clock-back", "the clock of Redis steps back, and the reply to the request gets lost: the last look has to find it",
        (replace(A, begins=None), WEB), (Act(BEGINS, 9.0, None, (0,)), send(1, 3.0)), ALL, NONE,
        (Fault("clock", (), first=1.5, last=2.0, about=(-60.0,)), Fault("lose write", (1,), first=2.0, last=2.0)), 2,
    ),
    Configuration(
        "hand-over", "A and B are of one group: B reads A's response, and breaks, or dies, while it hands it over",
        (_SIBLING, _SIBLING), (send(0, 5.0), Act(RESPONDS, 2.5, 6.5, (0,))), ALL, NONE,
        (Fault("lose read", (0, 1)), Fault("lose write", (0, 1)), Fault("crash", (1,))), 1,
    ),
    Configuration(
        # Who joined last is not known to the others yet.
        "grace", "C sends and leaves, A or B reads the response, and nobody takes it over from the one that waits for C",
        (_SIBLING, _SIBLING, _SIBLING), (send(2, 4.0), Act(CLOSES, 2.5, None, (2, 0.0)), Act(RESPONDS, 3.0, 3.5, (0,))), ALL,
        horizon=60.0,
    ),
    Configuration(
        "evicted", "C's list vanishes while it waits, B reads the response, and C registers again within its grace",
        (_SLOW_REFRESH, _SLOW_REFRESH, _SLOW_REFRESH), (send(2, 14.0), Act(RESPONDS, 2.0, 8.0, (0,))), ALL, NONE,
        (Fault("operate", (), first=2.0, last=8.0, about=(("DEL", b"s:web:a2a2a2:consumers"),)),), 1,
    ),
    Configuration(
        "unregistered", "A's list has expired when it sends, and B reads the response",
        (_LATE, _SIBLING), (send(0, 14.0, 110.0), Act(RESPONDS, 111.0, 112.0, (0,))), ALL, NONE, horizon=140.0,
    ),
    Configuration(
        "twin", "A and B draw the same instance id, and both send a request",
        (_SIBLING, replace(_SIBLING, twin=0)),
        (send(0, 4.0), send(1, 4.0), Act(RESPONDS, 3.0, None, (0,)), Act(RESPONDS, 3.0, None, (1,))), ALL, NONE,
    ),
)  # fmt: skip
