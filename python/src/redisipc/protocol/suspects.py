"""Owners that hold an entry for too long."""

from __future__ import annotations

from typing import NamedTuple


class Suspect(NamedTuple):
    """The owner that holds an entry for too long, the first look that showed it (its time), and the last one.

    ``read_at``: when its body was read and was a request that had no room; 0 if it was not.
    """

    owner: bytes
    since: float
    listed: float
    read_at: float = 0.0
