"""The state machines of SPEC.md: the core has each row of them, and goes from state to state as they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from redisipc.protocol.commands import Failure
from redisipc.protocol.events import Closed
from redisipc.protocol.states import RECEIVED, SENT

from ..support_core import Hand
from ..support_tables import load, machine

MACHINES = load("states")["machines"]


@pytest.mark.parametrize(("id", "table"), [("requester", SENT), ("responder", RECEIVED)])
def test_the_core_has_the_transitions_and_none_besides(id: str, table: dict[tuple[str, str], str]) -> None:
    rows = machine(id)["transitions"]
    assert {(row["from"], row["event"]): row["to"] for row in rows} == table
    assert next(iter(table))[0] == machine(id)["initial"]


@pytest.mark.parametrize("content", MACHINES, ids=lambda each: each["id"])
def test_a_machine_is_whole(content: dict[str, Any]) -> None:
    rows = content["transitions"]
    states = {state["id"] for state in content["states"]}
    assert {row["from"] for row in rows} | set(content["final"]) == states
    assert {row["to"] for row in rows} | {content["initial"]} == states
    assert not {row["from"] for row in rows} & set(content["final"])
    assert len({(row["from"], row["event"]) for row in rows}) == len(rows)


# the endpoint's own life

NOGROUP = Failure("NOGROUP", "NOGROUP No such key 's' or consumer group 'web'")


def lose(hand: Hand) -> None:
    """The connection breaks under the next batch."""
    hand.endpoint.send(b"1", "peers", 60.0, hand.now)
    again(hand)


def again(hand: Hand) -> None:
    hand.now += 10
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, True, "connection reset", hand.now)


def group_lost(hand: Hand) -> None:
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.endpoint.read_done(read, NOGROUP, hand.now)


def new() -> Hand:
    return Hand()


def joining() -> Hand:
    hand = Hand()
    hand.endpoint.start(hand.now)
    hand.drain()
    return hand


def up() -> Hand:
    return Hand().up()


def down() -> Hand:
    hand = Hand().up()
    lose(hand)
    hand.drain()
    return hand


def midway(hand: Hand) -> None:
    """It is ended while Redis executes what joins or recovers; all of that takes its course."""
    hand.now += 10
    assert hand.write() is not None
    hand.begin()
    hand.endpoint.close(hand.now, 0.0)


def closing() -> Hand:
    """A handler that runs keeps it from ending at once."""
    hand = Hand().up()
    hand.read(hand.request())
    hand.endpoint.close(hand.now, 5.0)
    hand.drain()
    return hand


def answered(hand: Hand) -> None:
    [start] = hand.started()
    hand.endpoint.answer(start.incoming, "fulfilled", b"1", hand.now)
    hand.endpoint.handler_done(start.incoming, hand.now)
    hand.pass_time(0.1)
    assert hand.now < 105


def cut_while_answering(hand: Hand) -> None:
    [start] = hand.started()
    hand.endpoint.answer(start.incoming, "fulfilled", b"1", hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, True, "connection reset", hand.now)


FROM: dict[str, Callable[[], Hand]] = {"new": new, "joining": joining, "up": up, "down": down, "closing": closing}
DO: dict[tuple[str, str], Callable[[Hand], object]] = {
    ("new", "connect"): lambda hand: hand.endpoint.start(hand.now),
    ("joining", "failed"): again,
    ("joining", "joined"): Hand.write_all,
    ("up", "lost"): lose,
    ("up", "group lost"): group_lost,
    ("down", "failed"): again,
    ("down", "recovered"): lambda hand: hand.pass_time(5),
    ("up", "disconnect"): lambda hand: hand.endpoint.close(hand.now, 5.0),
    ("new", "disconnect"): lambda hand: hand.endpoint.close(hand.now, 5.0),
    ("joining", "disconnect"): lambda hand: hand.endpoint.close(hand.now, 5.0),
    ("down", "disconnect"): lambda hand: hand.endpoint.close(hand.now, 5.0),
    ("joining", "disconnect midway"): midway,
    ("down", "disconnect midway"): midway,
    ("closing", "left"): answered,
    ("closing", "limit"): lambda hand: hand.pass_time(10),
    ("closing", "lost"): cut_while_answering,
}


@pytest.mark.parametrize("row", machine("connection")["transitions"], ids=lambda row: row["id"])
def test_an_endpoint_goes_from_state_to_state_as_the_table_says(row: dict[str, Any]) -> None:
    hand = FROM[row["from"]]()
    assert hand.endpoint.state.value == row["from"]
    DO[row["from"], row["event"]](hand)
    hand.drain()
    assert hand.endpoint.state.value == row["to"]
    if row["to"] == "closed":
        assert any(isinstance(event, Closed) for event in hand.events)
