"""A request to a group that does not exist ends before its timeout, and costs nothing where it is answered soon."""

from __future__ import annotations

import pytest

from redisipc.protocol.commands import Failure
from redisipc.protocol.events import Finished

from ..support_core import Hand

ASKED = ("XINFO", "GROUPS", b"s")


def outcomes(hand: Hand) -> list[str]:
    return [event.outcome.status for event in hand.events if isinstance(event, Finished)]


def asks(hand: Hand, *destinations: str) -> Hand:
    for destination in destinations:
        hand.endpoint.send(b"1", destination, 20.0, hand.now)
    hand.write_all()
    return hand


def test_it_ends_when_the_group_was_missing_twice_and_is_deleted() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "nobody", 5.0, hand.now)
    hand.write_all()
    assert ASKED not in hand.pass_time(0.49)
    assert hand.pass_time(0.05).count(ASKED) == 1
    assert outcomes(hand) == []
    sent = hand.pass_time(0.5)
    assert sent.count(ASKED) == 1
    assert outcomes(hand) == ["no responders"]
    assert outgoing.entry_id in [part for command in sent if command[0] == "XDEL" for part in command[2:]]


def test_a_request_that_is_answered_soon_costs_no_command() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "nobody", 5.0, hand.now)
    hand.write_all()
    hand.pass_time(0.4)
    hand.read(hand.response(outgoing.id))
    assert ASKED not in hand.pass_time(2.0)
    assert outcomes(hand) == ["fulfilled"]


def test_a_group_that_exists_keeps_its_requests() -> None:
    hand = asks(Hand().up(), "stock")
    assert ASKED in hand.pass_time(3.0)
    assert outcomes(hand) == []


def test_one_look_serves_all_that_wait() -> None:
    hand = asks(Hand().up(), "nobody", "stock", "none", "nobody")
    assert hand.pass_time(1.1).count(ASKED) == 2
    assert outcomes(hand) == ["no responders"] * 3


def test_a_group_that_is_made_again_meanwhile_keeps_its_requests() -> None:
    hand = asks(Hand().up(), "lost")
    hand.pass_time(0.6)
    hand.groups.add(b"lost")
    hand.pass_time(1.0)
    assert outcomes(hand) == []


def test_a_group_that_was_seen_is_not_asked_for_again_at_once() -> None:
    hand = Hand().up()
    looks = 0
    for _ in range(10):
        asks(hand, "stock")
        looks += hand.pass_time(1.0).count(ASKED)
    assert looks <= 2


def test_a_group_that_was_missing_a_moment_ago_is_asked_for_again() -> None:
    hand = asks(Hand().up(), "late")
    hand.pass_time(1.1)
    hand.groups.add(b"late")
    asks(hand, "late")
    hand.pass_time(1.0)
    assert outcomes(hand) == ["no responders"]


@pytest.mark.parametrize(("failure", "looks"), [("NOPERM no", 1), ("ERR no such key", 2)])
def test_what_redis_does_not_tell_is_left_to_the_timeout(failure: str, looks: int) -> None:
    hand = Hand().up()
    hand.special["XINFO GROUPS"] = Failure(failure.split()[0], failure)
    asks(hand, "nobody")
    sent = hand.pass_time(1.0)
    asks(hand, "nobody")
    sent += hand.pass_time(1.0)
    assert sent.count(ASKED) == looks
    assert outcomes(hand) == []
    hand.pass_time(25.0)
    assert outcomes(hand) == ["timeout", "timeout"]


def test_after_a_lost_connection_it_is_asked_again() -> None:
    hand = asks(Hand().up(), "nobody")
    hand.pass_time(0.4)
    hand.endpoint.send(b"1", "stock", 20.0, hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, True, "cut", hand.now)
    hand.pass_time(6.0)
    assert outcomes(hand) == ["no responders"]


def test_switched_off_only_the_timeout_tells() -> None:
    hand = asks(Hand(early_end=False).up(), "nobody")
    assert ASKED not in hand.pass_time(19.0)
    hand.pass_time(2.0)
    assert outcomes(hand) == ["timeout"]
