"""Defects that only came up in the simulation, each cut down to the few steps that matter."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.commands import Batch, Command, Failure

from ..support_core import Hand
from .test_responder import with_sibling


def numbered(hand: Hand, count: int) -> list[list[Any]]:
    return [hand.request(b"%021d" % number) for number in range(count)]


def begin_write(hand: Hand) -> Batch:
    """A batch is under way: what is to be written from now on waits for it."""
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    batch = hand.begin()
    return batch


def lose_connection(hand: Hand, batch: Batch) -> None:
    hand.endpoint.batch_lost(batch, True, "cut", hand.now)
    hand.drain()


def own_pending(rows: list[list[Any]]) -> Any:
    """XPENDING of its own dispatcher lists these, any other look nothing."""
    return lambda command: [[row[0], command[-1], 50, 1] for row in rows] if b"dispatcher" in _last(command) else []


def _last(command: Command) -> bytes:
    return command[-1] if isinstance(command[-1], bytes) else b""


def test_a_give_back_that_was_not_sent_before_an_outage_is_not_sent_after_it() -> None:
    hand = with_sibling(Hand(concurrency=1).up())
    rows = numbered(hand, 2)
    batch = begin_write(hand)
    hand.read(*rows)
    hand.endpoint.handler_done(hand.started()[0].incoming, hand.now)
    lose_connection(hand, batch)
    hand.special["XPENDING"] = own_pending(rows[1:])
    hand.special["XRANGE"] = [rows[1]]
    sent = hand.pass_time(2.0)
    assert [start.incoming.entry_id for start in hand.started()] == [row[0] for row in rows]
    assert not any("IDLE" in command and command[0] == "XCLAIM" for command in sent)


def test_a_claim_that_was_not_sent_before_an_outage_is_not_sent_after_it() -> None:
    hand = Hand().up()
    row = hand.request()
    hand.read(row)
    batch = begin_write(hand)
    hand.now += 3.01
    hand.endpoint.tick(hand.now)
    lose_connection(hand, batch)
    # Another member took it over meanwhile.
    hand.special["XPENDING"] = []
    sent = hand.pass_time(2.0)
    assert not any(command[0] == "XCLAIM" and row[0] in command for command in sent)


def test_a_request_that_was_dropped_before_an_outage_is_not_run_after_it() -> None:
    hand = Hand().up()
    row = hand.request()
    hand.read(row)
    [start] = hand.started()
    hand.endpoint.forget(start.incoming, hand.now)
    hand.endpoint.handler_done(start.incoming, hand.now)
    hand.now += 0.01
    batch = hand.begin()
    lose_connection(hand, batch)
    hand.special["XPENDING"] = own_pending([row])
    hand.special["XRANGE"] = [row]
    sent = hand.pass_time(2.0)
    assert len(hand.started()) == 1
    assert ("XDEL", b"s", row[0]) in sent


def test_an_answer_that_waits_for_memory_keeps_its_claim() -> None:
    hand = Hand().up()
    row = hand.request()
    hand.read(row)
    hand.special["XADD"] = Failure("OOM", "OOM command not allowed")
    hand.endpoint.answer(hand.started()[0].incoming, "fulfilled", b"8", hand.now)
    sent = hand.pass_time(10.0)
    assert sum(command[0] == "XCLAIM" and row[0] in command for command in sent) == 3


def test_who_loses_the_race_for_given_back_work_looks_for_more() -> None:
    hand = Hand().up()
    first, second = numbered(hand, 2)
    rows = {first[0]: first, second[0]: second}
    left = [first, second]

    def claim(command: Command) -> list[Any]:
        if command[5] == first[0]:
            # A sibling was faster.
            left.remove(first)
            return []
        return [command[5]]

    hand.special["XPENDING"] = lambda _command: [
        [row[0], b"dispatcher_51b110_0", 315_360_000_100, 1] for row in left[:1]
    ]
    hand.special["XRANGE"] = lambda command: [rows[command[2]]]
    hand.special["XCLAIM"] = claim
    hand.endpoint.woken(b"s:web:wakeup", hand.now)
    hand.write_all()
    assert [start.incoming.entry_id for start in hand.started()] == [second[0]]


def test_a_request_that_is_given_up_while_it_is_looked_for_frees_its_place() -> None:
    hand = Hand(concurrency=1).up()
    rows = numbered(hand, 3)
    hand.read(*rows)
    hand.now += 2.0
    hand.endpoint.handler_done(hand.started()[0].incoming, hand.now)
    batch = hand.begin()
    assert ("XRANGE", b"s", rows[1][0], rows[1][0]) in batch.commands
    # While the look is under way, a keep-alive would find it gone.
    hand.endpoint.wiring.responder.lost(hand.endpoint.shared.inflight[rows[1][0]])
    hand.special["XRANGE"] = lambda command: [rows[2]] if command[2] == rows[2][0] else []
    hand.endpoint.batch_done(batch, hand.answers(batch), hand.now)
    hand.write_all()
    assert [start.incoming.entry_id for start in hand.started()] == [rows[0][0], rows[2][0]]


def test_many_that_were_given_up_are_looked_for_together() -> None:
    hand = Hand(concurrency=1).up()
    rows = numbered(hand, 200)
    hand.read(*rows)
    hand.now += 2.0
    hand.special["XRANGE"] = lambda command: [rows[-1]] if command[2] == rows[-1][0] else []
    hand.endpoint.handler_done(hand.started()[0].incoming, hand.now)
    batches = 0
    while hand.write() is not None:
        batches += 1
    assert [start.incoming.entry_id for start in hand.started()] == [rows[0][0], rows[-1][0]]
    assert batches < 15


def test_a_deadline_while_the_request_is_on_its_way_to_redis_ends_in_a_look() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 0.5, hand.now)
    batch = hand.begin()
    hand.now += 0.6
    hand.endpoint.tick(hand.now)
    assert outgoing.state == "looking"
    hand.endpoint.batch_done(batch, hand.answers(batch), hand.now)
    assert "XRANGE" in hand.names_sent(hand.write_all())
    assert outgoing.state == "finished"


def test_an_endpoint_past_its_grace_waits_for_the_batch_under_way() -> None:
    hand = Hand().up()
    hand.read(hand.request())
    hand.endpoint.close(hand.now, 0.5)
    hand.endpoint.answer(hand.started()[0].incoming, "fulfilled", b"8", hand.now)
    assert hand.endpoint.next_batch(hand.now) is not None
    hand.now += 1.0
    hand.endpoint.tick(hand.now)
    due = hand.endpoint.deadline()
    assert due is None or due > hand.now


def test_a_suspicion_that_was_not_renewed_counts_for_nothing() -> None:
    hand = Hand().up()
    entry_id = hand.next_id()
    row = [entry_id, b"dispatcher_51b110_0", 11_000, 1]
    hand.special["XRANGE"] = [hand.request()]
    # Redis' clock steps, its owner keeps it alive for a while, the clock steps again.
    hand.special["XPENDING"] = [row]
    hand.pass_time(1.0)
    while not any(command[0] == "XPENDING" for command in hand.sent):
        hand.pass_time(0.1)
    hand.special["XPENDING"] = []
    hand.pass_time(12.0)
    hand.special["XPENDING"] = [row]
    seen = len(hand.sent)
    while not any(command[0] == "XPENDING" for command in hand.sent[seen:]):
        hand.pass_time(0.1)
    assert "XCLAIM" not in hand.names_sent(hand.sent)
