"""Classes of Redis' error replies, by their first word: what each means to an endpoint (SPEC.md, section 13)."""

from __future__ import annotations

from .commands import Failure

GROUP_LOST = frozenset(("NOGROUP", "UNBLOCKED"))
"""The group or the stream is gone: make it again."""
OUTAGE = frozenset(
    ("LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY", "NOREPLICAS", "LOST")
)
"""This server cannot serve us now: connect anew, with backoff."""
REFUSAL = frozenset(("OOM", "MISCONF"))
"""Writes are refused while reads work: keep what is to be written and try again."""
PERMANENT = frozenset(("NOPERM", "NOAUTH", "WRONGPASS", "WRONGTYPE"))
"""Only the user can mend it."""


def is_group_lost(failure: Failure) -> bool:
    return failure.kind in GROUP_LOST


def is_outage(failure: Failure) -> bool:
    return failure.kind in OUTAGE


def is_refusal(failure: Failure) -> bool:
    return failure.kind in REFUSAL


def is_permanent(failure: Failure) -> bool:
    return failure.kind in PERMANENT
