"""The parts of several configurations. Member 0 is A, 1 is B, 2 is C; they look for what to reclaim at different moments."""

from __future__ import annotations

from ..acts import ASKS, SENDS, WAKES
from ..causes import listed
from ..configuration import Act, Fault, Place

LISTED = frozenset(listed())
"""All causes of a second start that the specification lists."""
NONE: frozenset[str] = frozenset()
A = Place()
B = Place(share=0.3)
C = Place(share=0.6)
WEB = Place(group="web", share=0.1)
ONE_AT_A_TIME = {"concurrency": 1}
ASK = Act(ASKS, 2.0, None, (0,))
"""A requester that is not a member writes one request."""

MEET = Act(WAKES, 0.5, None, (0,))
"""A, who began first, hears that others joined. Elsewhere it does not know of them."""


def cut(*members: int, seconds: tuple[float, ...] = (0.0,), first: float = 2.0, last: float = 8.0) -> Fault:
    """Both connections break; ``seconds`` without a way to Redis."""
    return Fault("cut", members, seconds, first, last)


def send(member: int, timeout: float, at: float = 2.0) -> Act:
    """A member asks the group ``stock``."""
    return Act(SENDS, at, None, (member, "stock", timeout))
