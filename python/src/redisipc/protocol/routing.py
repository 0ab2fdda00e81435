"""The routing table: what is done with an entry that was read, by whom it is for, what it is and who waits for it.

This table is the law; SPEC.md shows it, drawn from here by ``tools/diagrams.py``.
"""

from __future__ import annotations

import enum
from typing import Literal


class Action(enum.Enum):
    """What is done with the entry."""

    SKIP = "acknowledge"
    RUN = "run it"
    DELIVER = "deliver to the caller, acknowledge and delete"
    DROP = "acknowledge and delete"
    HAND_OVER = (
        "hand over to a consumer of that instance; none registered: wait 5 s, look again, then acknowledge and delete"
    )
    REPORT = "report, acknowledge and delete"
    REPORT_KEEP = "report and acknowledge"


Destination = Literal["own", "other", "none"]
Kind = Literal["request", "response", "malformed"]
Instance = Literal["own", "other", "any"]
Ledger = Literal["known", "unknown", "any"]

ROUTES: dict[tuple[Destination, Kind, Instance, Ledger], Action] = {
    ("other", "request", "any", "any"): Action.SKIP,
    ("other", "response", "any", "any"): Action.SKIP,
    ("other", "malformed", "any", "any"): Action.SKIP,
    ("own", "request", "any", "any"): Action.RUN,
    ("own", "response", "own", "known"): Action.DELIVER,
    ("own", "response", "own", "unknown"): Action.DROP,
    ("own", "response", "other", "any"): Action.HAND_OVER,
    ("own", "malformed", "any", "any"): Action.REPORT,
    ("none", "malformed", "any", "any"): Action.REPORT_KEEP,
}


def route(destination: Destination, kind: Kind, own_instance: bool, known: bool) -> Action:
    """The cell of the table for one entry."""
    if destination != "own" or kind != "response":
        return ROUTES[destination, kind, "any", "any"]
    if not own_instance:
        return ROUTES["own", "response", "other", "any"]
    return ROUTES["own", "response", "own", "known" if known else "unknown"]
