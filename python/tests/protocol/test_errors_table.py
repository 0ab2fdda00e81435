"""The classes of errors of SPEC.md, section 13: each row has its class in the core, and the core does what the row says."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from redisipc.protocol.commands import Command, Failure
from redisipc.protocol.events import Finished, Problem, State, StateChanged
from redisipc.protocol.redis_errors import ErrorClass, class_of

from ..support_core import Hand
from ..support_tables import rows

ROWS = rows("errors", "errors")
AS = {"moved": "outage"}
"""Without the feature `cluster` a slot that moved is an outage."""
TAILS = ("", " and what a server says after it", ": more")
FORMS = [(id, code) for id, row in ROWS.items() for code in row["codes"]]


def failure(text: str) -> Failure:
    return Failure(text.partition(" ")[0], text)


@pytest.mark.parametrize(("id", "code"), FORMS, ids=lambda each: str(each)[:30])
def test_a_code_has_the_class_of_its_row_whatever_follows_it(id: str, code: str) -> None:
    name = AS.get(ROWS[id]["class"], ROWS[id]["class"])
    for tail in TAILS if code.startswith("ERR") else TAILS[:2]:
        assert class_of(failure(code + tail)) is ErrorClass(name)
    assert class_of(failure(f"EXECABORT Transaction discarded because of: {code}")) in (
        ErrorClass(name), ErrorClass.UNKNOWN if code.startswith("ERR") else ErrorClass(name)
    )  # fmt: skip


@pytest.mark.parametrize("text", ["ERR syntax error", "FOO", "oom in small letters", "NOGROUPS are here"])
def test_an_error_that_no_row_has_is_unknown(text: str) -> None:
    assert class_of(failure(text)) is ErrorClass.UNKNOWN


# what an endpoint does


def refused_read(hand: Hand, text: str) -> None:
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.endpoint.read_done(read, failure(text), hand.now)
    hand.drain()


def commands(hand: Hand) -> list[Command]:
    return hand.pass_time(3.0)


def recovers(hand: Hand, text: str) -> None:
    """As lost: what it sends is what it sends after its connection broke."""
    broken = Hand().up()
    read = broken.endpoint.next_read(broken.now)
    assert read is not None
    broken.endpoint.read_lost(read, "connection reset", broken.now)
    broken.drain()
    refused_read(hand, text)
    for each in (hand, broken):
        assert each.endpoint.state is State.DOWN
    mine, others = commands(hand), commands(broken)
    names = hand.names_sent(mine)
    assert names == broken.names_sent(others)
    assert names.index("XINFO") < names.index("LPUSH") < names.index("XREADGROUP")
    assert hand.endpoint.state is State.UP


def makes_the_group(hand: Hand, text: str) -> None:
    hand.special["XINFO GROUPS"] = []
    made: list[Command] = []

    def create(command: Command) -> bytes:
        made.append(command)
        del hand.special["XINFO GROUPS"]
        return b"OK"

    hand.special["XGROUP CREATE"] = create
    refused_read(hand, text)
    commands(hand)
    assert made[0] == ("XGROUP", "CREATE", b"s", b"web", b"5-0")
    assert hand.endpoint.state is State.UP


def stays_and_repeats(hand: Hand, text: str) -> None:
    """A request that Redis refused is written again, with pauses, and the endpoint stays connected."""
    refusals: list[float] = []

    def refuse(_command: Command) -> Any:
        refusals.append(hand.now)
        return failure(text) if len(refusals) < 4 else b"7-0"

    hand.special["XADD"] = refuse
    hand.endpoint.send(b"1", "stock", 20.0, hand.now)
    hand.write_all()
    commands(hand)
    assert len(refusals) == 4
    assert all(0.15 <= later - sooner <= 1.1 for sooner, later in itertools.pairwise(refusals))
    assert [event for event in hand.events if isinstance(event, (StateChanged, Finished))] == []


def reports_and_continues(hand: Hand, text: str) -> None:
    hand.special["XADD"] = failure(text)
    for _ in range(2):
        hand.endpoint.send(b"1", "stock", 5.0, hand.now)
        hand.write_all()
    ended = [event.outcome.status for event in hand.events if isinstance(event, Finished)]
    assert ended == ["failed", "failed"]
    assert len([event for event in hand.events if isinstance(event, Problem)]) == 1
    assert hand.endpoint.state is State.UP
    joining = Hand()
    joining.special["XGROUP CREATE"] = failure(text)
    joining.endpoint.start(joining.now)
    joining.write_all()
    assert [event.permanent for event in joining.events if isinstance(event, StateChanged)][-1:] == [True]


DOES: dict[str, Callable[[Hand, str], None]] = {
    "outage": recovers,
    "moved": recovers,
    "unknown": recovers,
    "group-lost": makes_the_group,
    "no-memory": stays_and_repeats,
    "no-writes": stays_and_repeats,
    "permanent": reports_and_continues,
}


@pytest.mark.parametrize(("id", "code"), [*FORMS, ("unknown", "FOO bar")], ids=lambda each: str(each)[:30])
def test_the_endpoint_does_what_the_row_of_its_error_says(id: str, code: str) -> None:
    DOES[id](Hand().up(), f"{code} as a server says it" if "ERR" not in code else code)


def test_no_row_is_left_out() -> None:
    """A connection that breaks is what the rows of an outage are compared with."""
    assert {*DOES, "lost"} == set(ROWS)
