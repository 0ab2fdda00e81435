"""A group that reads others' entries only lets a few of them come together, and never keeps a request for long."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.entry import build
from redisipc.protocol.pace import PAUSE_AFTER
from tests.support_core import Hand

GAP = 0.0005


def foreign(hand: Hand) -> list[Any]:
    return [hand.next_id(), list(build(b"r" * 21, b"peer01", b"pending", b"1", b"peer", b"other"))]


def crowded(gap: float = GAP, **options: Any) -> Hand:
    """An endpoint that read others' entries one by one for a while, ``gap`` seconds apart."""
    hand = Hand(**options).up()
    for _ in range(4 * PAUSE_AFTER):
        hand.now += gap
        hand.pass_time(0.0)
        if hand.endpoint.next_read(hand.now) is None:
            return hand
        hand.endpoint._reading = None
        hand.read(foreign(hand))
    return hand


def waits(hand: Hand) -> float:
    """Seconds until it reads again."""
    start = hand.now
    while hand.endpoint.next_read(hand.now) is None:
        due = hand.endpoint.deadline()
        assert due is not None
        assert hand.now < start + 1.0
        hand.now = max(hand.now + 1e-6, due)
        hand.pass_time(0.0)
    hand.endpoint._reading = None
    return hand.now - start


def test_after_many_entries_of_others_it_pauses_for_2_ms_at_most() -> None:
    assert 0.0005 < waits(crowded()) <= 0.002 + 1e-6


def test_the_denser_the_traffic_the_shorter_the_pause() -> None:
    assert waits(crowded(0.0001)) <= 0.001 + 1e-6


def test_where_little_happens_nobody_pauses() -> None:
    assert waits(crowded(0.05)) == 0.0


def test_an_entry_of_its_own_ends_the_pauses() -> None:
    hand = crowded()
    waits(hand)
    hand.read(foreign(hand), hand.request())
    hand.endpoint.answer(hand.started()[0].incoming, "fulfilled", b"8", hand.now)
    hand.endpoint.handler_done(hand.started()[0].incoming, hand.now)
    hand.write_all()
    assert waits(hand) == 0.0


def test_who_waits_for_an_answer_does_not_pause() -> None:
    hand = crowded()
    assert hand.endpoint.next_read(hand.now) is None
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    hand.write_all()
    assert hand.endpoint.next_read(hand.now) is not None


def test_the_option_switches_it_off() -> None:
    assert waits(crowded(read_pause=0.0)) == 0.0


def test_between_two_reads_it_rests_where_nothing_else_is_due_before_the_runtime_comes_anyway() -> None:
    hand = crowded()
    assert hand.now < hand.endpoint.rests(hand.now, hand.now + 0.01) <= hand.now + 0.002 + 1e-6
    assert hand.endpoint.rests(hand.now, hand.now - 5.0) < hand.now, "the runtime is late itself"
    # Entries of others are acknowledged within 0.25 s.
    assert hand.endpoint.rests(hand.now, hand.now + 1.0) < hand.now


def test_who_has_a_request_under_way_does_not_rest() -> None:
    hand = crowded()
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    assert hand.endpoint.rests(hand.now, hand.now + 0.01) < hand.now


def rested() -> Hand:
    """One that may rest, at the moment of its next read."""
    hand = crowded()
    hand.now = hand.endpoint.rests(hand.now, hand.now + 0.01) + 1e-6
    return hand


def test_after_a_rest_the_same_read_is_sent_again() -> None:
    hand = rested()
    before = hand.endpoint._reads._last
    read = hand.endpoint.next_read(hand.now)
    assert before is not None
    assert read is not None
    assert read.command is before.command
    assert (read.epoch, read.taken_at) == (before.epoch, hand.now)


def test_after_a_rest_that_a_call_ended_it_is_looked_whether_it_may_read() -> None:
    hand = rested()
    hand.endpoint.lifecycle.must_relist = True
    hand.endpoint.woken(b"a channel", hand.now)
    assert hand.endpoint.next_read(hand.now) is None


def test_after_large_contents_a_read_asks_for_fewer_entries() -> None:
    hand = crowded()
    waits(hand)
    hand.read([hand.next_id(), list(build(b"r" * 21, b"peer01", b"pending", b"1" * 1_000_000, b"peer", b"other"))])
    hand.now = hand.endpoint.rests(hand.now, hand.now + 0.01) + 1e-6
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    assert read.command[5] == 1
