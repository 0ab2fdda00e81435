"""Owners that hold an entry for too long."""

from __future__ import annotations

from typing import NamedTuple


class Suspect(NamedTuple):
    """The owner that holds an entry for too long, the first look that showed it (its time), and the last one."""

    owner: bytes
    since: float
    listed: float
