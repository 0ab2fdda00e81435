"""Each row of the routing table of SPEC.md: the core has it, and each of its entries, fed to the core, has its effect."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.protocol.commands import Command
from redisipc.protocol.events import Event, Finished, Problem, Start
from redisipc.protocol.routing import ROUTES, Action

from ..support_core import Hand
from ..support_tables import load

TABLE = load("routing")
ROWS: list[dict[str, Any]] = TABLE["rows"]
ACTIONS: dict[str, dict[str, Any]] = {action["id"]: action for action in TABLE["actions"]}
ENTRIES = [pytest.param(row, entry, id=f"{row['id']}: {entry['about']}") for row in ROWS for entry in row["entries"]]
LOCAL = {Start: "start", Finished: "outcome", Problem: "report"}
# What the core calls the same action. One row of the core stands for two: whether an instance is registered is asked later.
NAMES = {
    "acknowledge": Action.SKIP,
    "run": Action.RUN,
    "deliver": Action.DELIVER,
    "settle": Action.DROP,
    "hand-over": Action.HAND_OVER,
    "settle-after-grace": Action.HAND_OVER,
    "report-and-settle": Action.REPORT,
    "report-and-acknowledge": Action.REPORT_KEEP,
}
INSTANCE = {"own": "own", "registered": "other", "unregistered": "other", "any": "any"}
LEDGER = {"yes": "known", "no": "unknown", "any": "any"}


def key(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["destination"], row["kind"], INSTANCE[row["instance"]], LEDGER[row["ledger"]]


def fed(hand: Hand, entry: dict[str, Any], outstanding: bytes) -> list[Any]:
    """The row of an XREADGROUP, with the names of this reader in place."""
    if entry["fields"] is None:
        return [hand.next_id(), None]
    names = {"{group}": b"web", "{instance}": hand.instance, "{ledger}": outstanding}
    values = [names.get(text, text.encode()) for field in entry["fields"] for text in field]
    return [hand.next_id(), values]


def about(hand: Hand, entry_id: bytes, commands: list[Command]) -> list[str]:
    """The names of those commands that name the entry, apart from the claims that keep it alive (RIPC-ROUTE-16)."""
    kept_alive = ("XCLAIM", b"s", b"web", hand.endpoint.shared.names.dispatcher, 0)
    return [str(command[0]) for command in commands if entry_id in command and command[:5] != kept_alive]


def local(events: list[Event]) -> list[str]:
    return [LOCAL[type(event)] for event in events if type(event) in LOCAL]


@pytest.mark.parametrize(("row", "entry"), ENTRIES)
def test_an_entry_of_a_row_has_the_effect_of_its_action(row: dict[str, Any], entry: dict[str, Any]) -> None:
    hand = Hand().up()
    outstanding = hand.endpoint.send(b"1", "peers", 60.0, hand.now)
    hand.pass_time(0.1)
    if row["instance"] == "registered":
        hand.special["LRANGE"] = [b"consumer_51b110_0"]
    hand.events.clear()
    read = fed(hand, entry, outstanding.id)
    action = ACTIONS[row["action"]]
    hand.read(read)
    grace = action.get("after_s", 0)
    if grace:
        waiting = hand.pass_time(grace - 0.1)
        assert about(hand, read[0], waiting) == []
        assert sum(command[0] == "XCLAIM" and read[0] in command for command in waiting) >= 3
    commands = hand.pass_time(0.9)
    assert about(hand, read[0], commands) == action["commands"]
    assert local(hand.events) == action["local"]


def test_the_core_has_the_rows_and_none_besides() -> None:
    assert {key(row) for row in ROWS} == set(ROUTES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_the_core_does_the_same_for_the_same_statements(row: dict[str, Any]) -> None:
    cell = ROUTES[key(row)]  # type: ignore[index]
    assert cell.action is NAMES[row["action"]]
    assert set(row["requirements"]) <= set(cell.requirements)


def test_a_hand_over_names_a_consumer_that_is_registered() -> None:
    hand = Hand().up()
    hand.special["LRANGE"] = [b"consumer_51b110_3"]
    read = hand.response(b"x", instance=b"51b110")
    hand.read(read)
    assert ("XCLAIM", b"s", b"web", b"consumer_51b110_3", 0, read[0], "JUSTID") in hand.pass_time(0.5)
