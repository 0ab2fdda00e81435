"""Three members of one group, one or two requests, and whatever may happen to any of them, twice."""

from __future__ import annotations

from ..acts import ASKS
from ..configuration import Act, Configuration, Fault
from ..properties import ALL
from .parts import ASK, LISTED, A, B, C, cut

_ALL = (0, 1, 2)
_BOTH = (ASK, Act(ASKS, 2.0, None, (1,)))


def _any(last: float) -> tuple[Fault, ...]:
    """Any of them crashes, is cut off or stands still."""
    return Fault("crash", _ALL, first=2.0, last=last), cut(*_ALL, last=last), Fault("pause", _ALL, (8.0,), 2.0, last)


CONFIGURATIONS = (
    Configuration(
        "three-one", "one request, and two faults: any of three members crashes, is cut off, or stands still for 8 s",
        (A, B, C), (ASK,), ALL, LISTED, _any(4.0), 2, runs=(3.0,),
    ),
    Configuration(
        "three-two", "two requests at once, and one such fault",
        (A, B, C), _BOTH, ALL, LISTED, _any(2.5), 1, runs=(0.5,),
    ),
    Configuration(
        "three-two-twice", "two requests at once, and two such faults within an instant",
        (A, B, C), _BOTH, ALL, LISTED, _any(2.0), 2, runs=(0.5,),
    ),
    Configuration(
        "three-crashes", "two requests at once, and two of three members crash",
        (A, B, C), _BOTH, ALL, LISTED, (Fault("crash", _ALL, first=2.0, last=2.5),), 2, runs=(0.5,),
    ),
)  # fmt: skip
