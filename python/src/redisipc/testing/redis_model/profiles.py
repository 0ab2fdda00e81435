"""The differences between server versions, as far as an endpoint can see them."""

from __future__ import annotations

from typing import NamedTuple


class Profile(NamedTuple):
    """One family of servers.

    ``drops_gone``: XCLAIM and XAUTOCLAIM drop pending entries whose body was deleted (7.0), 6.2 hands them out.
    ``vanished``, ``destroyed``: the first word of the error that a blocked reader gets when its stream or its group,
    respectively, is gone. None: it gets nothing.
    ``blocked_creates``: a read of ``>`` that blocks has made its consumer already.
    ``inactive``: XINFO CONSUMERS has ``inactive``, and idle counts every attempt, successful or not (7.2).
    ``claim_creates``: XCLAIM makes its consumer even where nothing is claimed.
    ``serves_nothing``: a blocked reader gets an empty reply when an entry came and went within one transaction.
    """

    name: str
    version: str
    drops_gone: bool
    vanished: str | None
    destroyed: str | None
    blocked_creates: bool
    inactive: bool
    claim_creates: bool
    serves_nothing: bool


REDIS_6 = Profile("redis-6.2", "6.2.14", False, None, "NOGROUP", False, False, False, True)
REDIS_7 = Profile("redis-7.0", "7.0.15", True, "UNBLOCKED", "NOGROUP", False, False, False, True)
REDIS_8 = Profile("redis-8.0", "8.0.2", True, "NOGROUP", "NOGROUP", True, True, True, False)
PROFILES = (REDIS_6, REDIS_7, REDIS_8)


def profile_for(redis_version: str) -> Profile:
    """The profile of a server by its ``redis_version``."""
    major, minor = (int(part) for part in redis_version.split(".")[:2])
    if (major, minor) < (7, 0):
        return REDIS_6
    if (major, minor) < (7, 2):
        return REDIS_7
    return REDIS_8
