"""Leaving: what closing waits for, writes and deletes."""

from __future__ import annotations

import itertools

import pytest

from redisipc.protocol.commands import Failure
from redisipc.protocol.events import Closed, Finished, State, Unblock

from ..support_core import Hand


def test_closing_waits_for_what_runs_then_deregisters_and_deletes_its_consumers() -> None:
    hand = Hand().up()
    hand.read(hand.request())
    [start] = hand.started()
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.endpoint.close(hand.now, 5.0)
    hand.pass_time(1)
    assert hand.endpoint.state is State.CLOSING
    hand.endpoint.answer(start.incoming, "fulfilled", b"1", hand.now)
    hand.endpoint.handler_done(start.incoming, hand.now)
    hand.pass_time(0.1)
    assert any(isinstance(event, Unblock) for event in hand.events)
    hand.endpoint.read_done(read, None, hand.now)
    sent = hand.write_all()
    names = [command[:2] for command in sent]
    assert ("LREM", b"s:web:%b:consumers" % hand.instance) in names
    assert names.count(("XGROUP", "DELCONSUMER")) == 2
    assert hand.endpoint.state is State.CLOSED
    assert any(isinstance(event, Closed) for event in hand.events)


def test_closing_gives_back_what_has_not_started_and_ends_own_requests() -> None:
    hand = Hand(concurrency=1).up()
    hand.read(hand.request(b"%021d" % 1), hand.request(b"%021d" % 2))
    hand.endpoint.send(b"1", "stock", 60.0, hand.now)
    hand.write_all()
    hand.endpoint.close(hand.now, 1.0)
    assert any("IDLE" in command for command in hand.pass_time(0.1))
    hand.pass_time(4)
    assert [e.outcome.status for e in hand.events if isinstance(e, Finished)] == ["closed"]
    assert hand.endpoint.state is State.CLOSED


def test_closing_while_redis_is_away_ends_at_once() -> None:
    hand = Hand().up()
    batch = None
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, False, "away", hand.now)
    hand.endpoint.close(hand.now, 5.0)
    hand.drain()
    assert hand.endpoint.state is State.CLOSED
    assert [e.outcome.status for e in hand.events if isinstance(e, Finished)] == ["closed"]


@pytest.mark.parametrize("again", [False, True], ids=["joining", "recovering"])
@pytest.mark.parametrize("grace", [0.0, 5.0])
def test_closing_while_redis_executes_what_joins_leaves_nothing(again: bool, grace: float) -> None:
    """RIPC-LIFE-19: the registration that is under way is executed, whoever reads its reply."""
    for batches in itertools.count(1):
        hand = Hand()
        if again:
            hand.up().lose_read()
            hand.now += 10
        else:
            hand.endpoint.start(hand.now)
        for _ in range(batches):
            hand.write()
        if hand.endpoint.state is State.UP:
            break
        batch = hand.begin()
        hand.sent += batch.commands
        hand.endpoint.close(hand.now, grace)
        hand.now += 0.01
        hand.endpoint.batch_done(batch, hand.answers(batch), hand.now)
        hand.pass_time(0.1)
        assert hand.endpoint.state is State.CLOSED
        registration = b"s:web:%b:consumers" % hand.instance
        last = [command[0] for command in hand.sent if registration in command][-1]
        assert last == "LREM", batches
    assert batches > 2


def test_closing_while_it_joins_waits_no_longer_than_its_limit() -> None:
    hand = Hand()
    hand.endpoint.start(hand.now)
    hand.write()
    hand.special["XGROUP CREATE"] = Failure("LOADING", "LOADING")
    batch = hand.begin()
    hand.endpoint.close(hand.now, 0.5)
    assert hand.endpoint.state is State.CLOSING
    hand.endpoint.batch_done(batch, hand.answers(batch), hand.now)
    assert hand.write() is None
    assert hand.endpoint.state is State.CLOSED


def test_a_look_at_its_own_list_that_is_due_while_it_leaves_does_not_keep_it_busy() -> None:
    """It leaves as soon as its read has ended, and looks at its list then."""
    hand = Hand().up()
    assert hand.endpoint.next_read(hand.now) is not None
    hand.endpoint.lifecycle._look_at(hand.now + 0.2)
    hand.endpoint.close(hand.now, 0.0)
    hand.write_all()
    hand.now += 0.2
    hand.endpoint.tick(hand.now)
    hand.write_all()
    assert hand.endpoint.state is State.CLOSING
    due = hand.endpoint.deadline()
    assert due is not None
    assert due > hand.now
