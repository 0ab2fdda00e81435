"""A request sent: in the ledger first, written once, one outcome, gone from Redis when given up."""

from __future__ import annotations

import pytest

from redisipc.errors import ClosedError, ConfigurationError, NotConnected, Overloaded
from redisipc.protocol.commands import Failure
from redisipc.protocol.endpoint import Endpoint
from redisipc.protocol.entry import build
from redisipc.protocol.events import Finished, Outcome, State

from ..support_core import Hand


def outcomes(hand: Hand) -> list[Outcome]:
    return [event.outcome for event in hand.events if isinstance(event, Finished)]


def test_a_request_is_six_fields_in_order_written_once() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    commands = [command for command in hand.write_all() if command[0] not in ("MULTI", "XREADGROUP", "EXEC")]
    assert commands == [
        ("XADD", b"s", "NOMKSTREAM", "*", *build(outgoing.id, hand.instance, b"pending", b"1", b"web", b"stock"))
    ]


def test_a_response_finishes_the_request_and_is_acknowledged_and_deleted() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    hand.write_all()
    row = hand.response(outgoing.id)
    hand.read(row)
    assert outcomes(hand) == [Outcome("fulfilled", b"7")]
    assert hand.pass_time(0.1)[-2:] == [("XACK", b"s", b"web", row[0]), ("XDEL", b"s", row[0])]


def test_a_response_that_overtakes_the_reply_of_xadd_counts() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    batch = hand.begin()
    hand.read(hand.response(outgoing.id, b"rejected"))
    assert outcomes(hand) == [Outcome("rejected", b"7")]
    hand.endpoint.batch_done(batch, hand.answers(batch), hand.now)
    assert outgoing.entry_id is not None
    assert ("XDEL", b"s", outgoing.entry_id) in [c if len(c) == 3 else c[:2] + c[-1:] for c in hand.pass_time(0.1)]


def test_only_the_first_response_counts() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    hand.write_all()
    first, second = hand.response(outgoing.id), hand.response(outgoing.id, b"rejected")
    hand.read(first, second)
    assert outcomes(hand) == [Outcome("fulfilled", b"7")]
    assert ("XDEL", b"s", first[0], second[0]) in hand.pass_time(0.1)


def test_at_the_deadline_it_looks_once_more_and_takes_a_response_left_elsewhere() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 1.0, hand.now)
    hand.write_all()
    row = hand.response(outgoing.id)
    hand.special["XRANGE"] = [row]
    sent = hand.pass_time(1.1)
    assert outcomes(hand) == [Outcome("fulfilled", b"7")]
    assert sent.index(("XDEL", b"s", outgoing.entry_id)) < sent.index(
        ("XRANGE", b"s", b"(%b" % (outgoing.entry_id or b""), "+", "COUNT", 128)
    )
    assert ("XACK", b"s", b"web", row[0]) in sent


def test_a_timeout_deletes_the_request() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 1.0, hand.now)
    hand.write_all()
    sent = hand.pass_time(1.2)
    assert [outcome.status for outcome in outcomes(hand)] == ["timeout"]
    assert ("XDEL", b"s", outgoing.entry_id) in sent


def test_an_xadd_whose_reply_got_lost_is_never_repeated_and_still_waited_for() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, True, "cut", hand.now)
    read = hand.endpoint.next_read(hand.now)
    assert read is None
    assert "XADD" not in hand.names_sent(hand.pass_time(1.0))
    hand.read(hand.response(outgoing.id))
    assert outcomes(hand) == [Outcome("fulfilled", b"7")]


def test_an_xadd_that_was_not_sent_is_sent_after_reconnecting() -> None:
    hand = Hand().up()
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, False, "refused", hand.now)
    names = hand.names_sent(hand.pass_time(1.0))
    assert names.count("XADD") == 1
    assert names.index("LPUSH") < names.index("XADD")


def test_everything_ends_within_a_second_of_its_timeout_though_redis_is_away() -> None:
    hand = Hand().up()
    hand.endpoint.send(b"1", "stock", 2.0, hand.now)
    end = hand.now + 3.0
    while hand.now < end:
        hand.now += 0.05
        hand.endpoint.tick(hand.now)
        batch = hand.endpoint.next_batch(hand.now)
        if batch is not None:
            hand.endpoint.batch_lost(batch, False, "away", hand.now)
    hand.drain()
    assert [outcome.status for outcome in outcomes(hand)] == ["timeout"]


def test_a_look_without_a_reply_ends_in_half_a_second() -> None:
    hand = Hand().up()
    hand.endpoint.send(b"1", "stock", 1.0, hand.now)
    hand.write_all()
    hand.now += 1.0
    hand.endpoint.tick(hand.now)
    assert hand.endpoint.next_batch(hand.now) is not None
    hand.now += 0.6
    hand.endpoint.tick(hand.now)
    hand.drain()
    assert [outcome.status for outcome in outcomes(hand)] == ["timeout"]


def test_cancelling_deletes_the_request() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    hand.write_all()
    hand.endpoint.cancel(outgoing, hand.now)
    sent = hand.pass_time(0.1)
    assert [outcome.status for outcome in outcomes(hand)] == ["cancelled"]
    assert ("XDEL", b"s", outgoing.entry_id) in sent


def test_cancelling_before_it_was_written_writes_nothing() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    hand.endpoint.cancel(outgoing, hand.now)
    assert "XADD" not in hand.names_sent(hand.write_all())


def test_a_lost_stream_is_made_again_before_the_request_is_written() -> None:
    hand = Hand().up()
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    gone = [None]
    hand.special["XINFO GROUPS"] = []
    hand.special["XADD"] = lambda command: gone.pop() if gone else hand.next_id()
    names = hand.names_sent(hand.write_all())
    assert names[:2] == ["MULTI", "XADD"]
    assert names.count("XADD") == 2
    assert 0 < names.index("XGROUP") < names.index("LPUSH") < len(names) - 1 - names[::-1].index("XADD")


def test_a_request_that_redis_refuses_fails_at_once_with_the_reason() -> None:
    hand = Hand().up()
    hand.special["XADD"] = Failure("NOPERM", "NOPERM no right to XADD")
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    hand.write_all()
    assert outcomes(hand)[0].status == "failed"
    assert "NOPERM" in outcomes(hand)[0].reason


def test_out_of_memory_is_waited_out_until_the_timeout() -> None:
    hand = Hand().up()
    hand.special["XADD"] = Failure("OOM", "OOM command not allowed")
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    hand.pass_time(1.0)
    assert outcomes(hand) == []
    del hand.special["XADD"]
    hand.pass_time(0.5)
    hand.read(hand.response(outgoing.id))
    assert outcomes(hand) == [Outcome("fulfilled", b"7")]


def test_misuse_is_told_at_once() -> None:
    endpoint = Hand().endpoint
    with pytest.raises(NotConnected):
        endpoint.send(b"1", "stock", 1.0, 0.0)
    hand = Hand(max_outstanding=1).up()
    for blank in ("", " "):
        with pytest.raises(ConfigurationError):
            hand.endpoint.send(b"1", blank, 1.0, hand.now)
    with pytest.raises(ConfigurationError):
        hand.endpoint.send(b"1", "stock", 0, hand.now)
    assert hand.endpoint.outstanding == 0
    hand.endpoint.send(b"1", "stock", 1.0, hand.now)
    with pytest.raises(Overloaded):
        hand.endpoint.send(b"1", "stock", 1.0, hand.now)
    hand.endpoint.close(hand.now, 0.0)
    with pytest.raises(ClosedError):
        hand.endpoint.send(b"1", "stock", 1.0, hand.now)


def test_ten_thousand_outstanding_requests_cost_no_more_each(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = Hand().up()
    for _ in range(10_000):
        hand.endpoint.send(b"1", "stock", 60.0, hand.now)
    sent = hand.write_all()
    assert hand.names_sent(sent).count("XADD") == 10_000
    looked = 0
    original = Endpoint.next_batch

    def counting(self: Endpoint, now: float) -> object:
        nonlocal looked
        looked += 1
        return original(self, now)

    monkeypatch.setattr(Endpoint, "next_batch", counting)
    for _ in range(100):
        outgoing = hand.endpoint.send(b"1", "stock", 60.0, hand.now)
        hand.write_all()
        hand.read(hand.response(outgoing.id))
    assert looked == 200
    assert hand.endpoint.state is State.UP


def test_a_send_given_up_while_nobody_knows_whether_it_was_stored_is_found_and_deleted() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    batch = hand.begin()
    row = [hand.next_id(), list(build(outgoing.id, hand.instance, b"pending", b"1", b"web", b"stock"))]
    hand.endpoint.batch_lost(batch, True, "cut", hand.now)
    hand.endpoint.cancel(outgoing, hand.now)
    hand.special["XRANGE"] = [row]
    assert ("XDEL", b"s", row[0]) in hand.pass_time(1.0)


def test_a_send_that_timed_out_while_redis_was_away_is_deleted_when_it_is_back() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 0.5, hand.now)
    batch = hand.begin()
    row = [hand.next_id(), list(build(outgoing.id, hand.instance, b"pending", b"1", b"web", b"stock"))]
    hand.endpoint.batch_lost(batch, True, "cut", hand.now)
    hand.now += 0.6
    hand.endpoint.tick(hand.now)
    hand.drain()
    assert [outcome.status for outcome in outcomes(hand)] == ["timeout"]
    hand.special["XRANGE"] = [row]
    assert ("XDEL", b"s", row[0]) in hand.pass_time(1.0)


def test_what_was_given_up_and_is_not_on_the_stream_is_looked_for_once() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, True, "cut", hand.now)
    hand.endpoint.cancel(outgoing, hand.now)
    assert hand.names_sent(hand.pass_time(2.0)).count("XRANGE") == 1
