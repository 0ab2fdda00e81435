"""Handlers that do not end are reported once in a minute, and a group's members are found without asking them."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.events import Problem
from redisipc.protocol.peers import Peer, look_at

from ..support_core import Hand


def told(hand: Hand) -> list[str]:
    return [event.message for event in hand.events if isinstance(event, Problem) and event.kind == "busy"]


def test_handlers_that_have_been_busy_for_longer_than_the_timeout_are_reported_once_a_minute() -> None:
    hand = Hand(concurrency=2, timeout=5.0).up()
    hand.read(*[hand.request(b"%021d" % number) for number in range(5)])
    hand.special["XPENDING"] = []
    hand.pass_time(4.0)
    assert told(hand) == []
    assert hand.endpoint.wiring.busy.reason(hand.now) == ""
    hand.pass_time(6.0)
    assert len(told(hand)) == 1
    assert "all 2 handlers are busy" in told(hand)[0]
    assert "3 wait" in told(hand)[0]
    hand.pass_time(50.0)
    assert len(told(hand)) == 1
    hand.pass_time(15.0)
    assert len(told(hand)) == 2


def test_handlers_that_outlive_their_requests_are_reported_as_well() -> None:
    """Requesters that gave up have deleted their requests: Redis shows nothing of what keeps the handlers busy."""
    hand = Hand(concurrency=2, timeout=5.0).up()
    hand.read(hand.request(b"p" * 21), hand.request(b"q" * 21))
    hand.special["XPENDING"] = []
    for incoming in list(hand.endpoint.shared.inflight.values()):
        hand.endpoint.wiring.responder.lost(incoming)
    hand.pass_time(9.0)
    assert len(told(hand)) == 1
    assert "all 2 handlers are busy, each for 6 s or longer" in told(hand)[0]
    for incoming in list(hand.endpoint.wiring.responder.started):
        hand.endpoint.handler_done(incoming, hand.now)
    assert hand.endpoint.wiring.busy.reason(hand.now) == ""


def test_a_free_place_or_a_young_request_is_no_trouble() -> None:
    hand = Hand(concurrency=2, timeout=5.0).up()
    hand.read(hand.request())
    hand.pass_time(9.0)
    hand.read(hand.request(b"q" * 21))
    hand.pass_time(4.0)
    assert told(hand) == []
    assert hand.endpoint.wiring.busy.reason(hand.now) == ""


def found(hand: Hand, *idle: int, announced: bytes | None = b'{"spec":"1.0","implementation":"redisipc"}') -> Any:
    rows = [[b"name", b"dispatcher_%06x_0" % n, b"pending", 0, b"idle", each] for n, each in enumerate(idle)]
    hand.special.update({"XINFO CONSUMERS": rows, "LRANGE": [b"consumer_x_0"], "GET": announced})
    seen: list[Any] = []
    look_at(hand.endpoint.shared, "stock", hand.now, seen.append)
    hand.write_all()
    return seen[0]


def test_the_members_of_a_group_are_those_that_are_registered_and_used_redis_lately() -> None:
    hand = Hand().up()
    assert found(hand, 100, 41_000) == [Peer("000000", 0.1, "redisipc", "", "")]
    assert found(hand, 41_000, announced=None) == [Peer("000000", 41.0)]
    assert found(hand) == []
