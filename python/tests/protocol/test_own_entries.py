"""An endpoint reads what it writes in the same transaction, so that its blocked read sleeps on."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.protocol.commands import Command, Failure
from redisipc.protocol.entry import build
from redisipc.protocol.events import Finished
from tests.support_core import Hand


def beside(hand: Hand, *rows: list[Any]) -> None:
    """Make the next read inside a transaction return these rows."""
    left = [[[b"s", list(rows)]]]
    hand.special["XREADGROUP"] = lambda command: left.pop() if left and command[-1] == ">" else None


def statuses(hand: Hand) -> list[str]:
    return [event.outcome.status for event in hand.events if isinstance(event, Finished)]


def reads(sent: list[Command]) -> list[Command]:
    return [command for command in sent if command[0] == "XREADGROUP" and command[-1] == ">"]


def own(hand: Hand, id: bytes) -> list[Any]:
    return [hand.next_id(), list(build(id, hand.instance, b"pending", b"1", b"web", b"stock"))]


def test_the_own_request_is_read_with_its_write_and_acknowledged() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    row = own(hand, outgoing.id)
    beside(hand, row)
    assert hand.names_sent(hand.write_all()) == ["MULTI", "XADD", "XREADGROUP", "EXEC"]
    assert ("XACK", b"s", b"web", row[0]) in hand.pass_time(0.25)
    assert hand.endpoint.outstanding == 1


def test_the_read_takes_requests_and_responses_of_others_as_any_read_does() -> None:
    hand = Hand().up()
    first = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    hand.write_all()
    hand.endpoint.send(b"2", "stock", 5.0, hand.now)
    beside(hand, hand.response(first.id), hand.request())
    hand.write_all()
    assert statuses(hand) == ["fulfilled"]
    assert [start.incoming.id for start in hand.started()] == [b"r" * 21]


def test_an_answer_reads_its_own_entry_too() -> None:
    hand = Hand().up()
    hand.read(hand.request())
    hand.endpoint.answer(hand.started()[0].incoming, "fulfilled", b"8", hand.now)
    beside(hand, hand.request(b"n" * 21))
    assert hand.names_sent(hand.write_all()) == ["MULTI", "XADD", "XACK", "XDEL", "XREADGROUP", "EXEC"]
    assert [start.incoming.id for start in hand.started()] == [b"r" * 21, b"n" * 21]


def test_what_is_for_the_own_group_is_left_to_whoever_reads_first() -> None:
    hand = Hand().up()
    hand.endpoint.send(b"1", "web", 5.0, hand.now)
    assert hand.names_sent(hand.write_all()) == ["XADD"]


def test_a_large_content_is_not_read_back_on_the_connection_for_writing() -> None:
    hand = Hand().up()
    hand.endpoint.send(b"x" * 100_000, "stock", 5.0, hand.now)
    assert hand.names_sent(hand.write_all()) == ["XADD"]


def test_an_error_reply_stays_with_its_request_and_the_others_are_written_again() -> None:
    hand = Hand().up()
    bad, good = (hand.endpoint.send(text, "stock", 5.0, hand.now) for text in (b"bad", b"good"))
    batch = hand.begin()
    refusal = Failure("ERR", "ERR too large")
    abort = Failure("EXECABORT", "EXECABORT Transaction discarded because of previous errors.")
    hand.endpoint.batch_done(batch, [b"OK", refusal, b"QUEUED", b"QUEUED", abort], hand.now)
    hand.drain()
    assert [event.outgoing for event in hand.events if isinstance(event, Finished)] == [bad]
    # The error has no class, so the connection counts as lost.
    again = [command for command in hand.pass_time(1.0) if command[0] == "XADD"]
    assert [command[5] for command in again] == [good.id]
    assert statuses(hand) == ["failed"]


def test_memory_that_ran_out_as_the_transaction_ended_is_waited_out() -> None:
    hand = Hand().up()
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    batch = hand.begin()
    abort = Failure("EXECABORT", "EXECABORT Transaction discarded because of: OOM command not allowed")
    hand.endpoint.batch_done(batch, [b"OK", b"QUEUED", b"QUEUED", abort], hand.now)
    assert hand.write() is None
    assert "XADD" in hand.names_sent(hand.pass_time(1.0))
    assert statuses(hand) == []


@pytest.mark.parametrize("what", ["request", "answer"])
def test_where_the_read_is_refused_the_write_is_repeated_without_it(what: str) -> None:
    hand = Hand().up()
    if what == "request":
        hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    else:
        hand.read(hand.request())
        hand.endpoint.answer(hand.started()[0].incoming, "fulfilled", b"8", hand.now)
    batch = hand.begin()
    refused = Failure("NOPERM", "NOPERM no right to XREADGROUP")
    abort = Failure("EXECABORT", "EXECABORT Transaction discarded because of previous errors.")
    queued = [b"QUEUED"] * (len(batch.commands) - 3)
    hand.endpoint.batch_done(batch, [b"OK", *queued, refused, abort], hand.now)
    sent = hand.write_all()
    assert "XADD" in hand.names_sent(sent)
    assert not reads(sent)


def test_where_multi_is_refused_each_command_counts_for_itself() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    batch = hand.begin()
    refused = Failure("NOPERM", "NOPERM no right to MULTI")
    row = own(hand, outgoing.id)
    hand.endpoint.batch_done(batch, [refused, row[0], [[b"s", [row]]], Failure("NOPERM", "NOPERM EXEC")], hand.now)
    assert outgoing.entry_id == row[0]
    assert ("XACK", b"s", b"web", row[0]) in hand.pass_time(0.25)
    hand.endpoint.send(b"2", "stock", 5.0, hand.now)
    assert hand.names_sent(hand.write_all()) == ["XADD"]


def test_a_batch_whose_replies_got_lost_is_followed_by_two_looks_at_the_own_list() -> None:
    hand = Hand().up()
    hand.endpoint.send(b"1", "stock", 60.0, hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, True, "cut", hand.now)
    looks = [
        command for command in hand.pass_time(6.5) if command[0] == "XPENDING" and b"dispatcher" in bytes(command[-1])
    ]
    assert len(looks) >= 2


def test_a_reply_of_the_blocked_read_that_comes_late_does_not_move_the_last_entry_back() -> None:
    hand = Hand().up()
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    early, late = hand.request(b"e" * 21), hand.request(b"l" * 21)
    outgoing = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    beside(hand, late, own(hand, outgoing.id))
    hand.write_all()
    last = hand.endpoint.shared.last_read
    hand.endpoint.read_done(read, [[b"s", [early]]], hand.now)
    assert hand.endpoint.shared.last_read == last
    hand.drain()
    assert {start.incoming.id for start in hand.started()} == {b"e" * 21, b"l" * 21}


def test_with_siblings_no_more_is_read_than_was_written() -> None:
    hand = Hand().up()
    hand.endpoint.wiring.own_entries.alone = lambda: False
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    hand.endpoint.send(b"2", "stock", 5.0, hand.now)
    [read] = reads(hand.write_all())
    assert read[read.index("COUNT") + 1] == 2


def test_nothing_is_read_where_no_request_may_be_taken() -> None:
    hand = Hand().up()
    hand.endpoint.shared.pauses.forbidden("read", Failure("NOPERM", "NOPERM"), hand.now)
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    assert hand.names_sent(hand.write_all()) == ["XADD"]


def test_after_a_refusal_of_writes_only_the_blocked_read_tries_again() -> None:
    hand = Hand().up()
    hand.endpoint.shared.pauses.writes.refused(hand.now)
    hand.now += 1.0
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    assert hand.names_sent(hand.write_all()) == ["XADD"]
