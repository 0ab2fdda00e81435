"""The routing table: the action for an entry, by its destination, its type, and who waits for it.

It is the table of SPEC.md, section 7, ``schemas/1.0/tables/routing.json``: the tests compare the two, and feed an entry for
each row to the core.
"""

from __future__ import annotations

import enum
from typing import Literal, NamedTuple


class Action(enum.Enum):
    """The action for the entry, in the words of SPEC.md."""

    SKIP = "acknowledge"
    RUN = "run it"
    DELIVER = "deliver to the caller, acknowledge and delete"
    DROP = "acknowledge and delete"
    HAND_OVER = "hand over to a consumer of that instance; if none is registered, look again after 5 s, then acknowledge and delete"
    REPORT = "report, acknowledge and delete"
    REPORT_KEEP = "report and acknowledge"


Destination = Literal["own", "other", "none", "any"]
Kind = Literal["request", "response", "malformed", "gone"]
Instance = Literal["own", "other", "any"]
Ledger = Literal["known", "unknown", "any"]


class Cell(NamedTuple):
    """The action, and the statements of SPEC.md that ask for it."""

    action: Action
    requirements: tuple[str, ...]


ROUTES: dict[tuple[Destination, Kind, Instance, Ledger], Cell] = {
    ("other", "request", "any", "any"): Cell(Action.SKIP, ("RIPC-ROUTE-2",)),
    ("other", "response", "any", "any"): Cell(Action.SKIP, ("RIPC-ROUTE-3",)),
    ("other", "malformed", "any", "any"): Cell(Action.SKIP, ("RIPC-ROUTE-4",)),
    ("own", "request", "any", "any"): Cell(Action.RUN, ("RIPC-ROUTE-1", "RIPC-ROUTE-14")),
    ("own", "response", "own", "known"): Cell(Action.DELIVER, ("RIPC-ROUTE-5",)),
    ("own", "response", "own", "unknown"): Cell(Action.DROP, ("RIPC-ROUTE-6",)),
    ("own", "response", "other", "any"): Cell(Action.HAND_OVER, ("RIPC-ROUTE-7", "RIPC-ROUTE-8")),
    ("own", "malformed", "any", "any"): Cell(Action.REPORT, ("RIPC-ROUTE-9", "RIPC-ROUTE-11")),
    ("none", "malformed", "any", "any"): Cell(Action.REPORT_KEEP, ("RIPC-ROUTE-10", "RIPC-ROUTE-11")),
    ("any", "gone", "any", "any"): Cell(Action.SKIP, ("RIPC-ROUTE-12",)),
}


def route(destination: Destination, kind: Kind, own_instance: bool, known: bool) -> Action:
    """The action of the table for one entry."""
    if destination != "own" or kind != "response":
        return ROUTES[destination, kind, "any", "any"].action
    if not own_instance:
        return ROUTES["own", "response", "other", "any"].action
    return ROUTES["own", "response", "own", "known" if known else "unknown"].action
