"""A request received: started, queued or given back; kept alive; answered in one MULTI; at most three starts."""

from __future__ import annotations

import pytest

from redisipc.errors import AlreadyAnswered
from redisipc.protocol.commands import Failure
from redisipc.protocol.entry import build
from redisipc.protocol.events import Cancelled, Problem

from ..support_core import Hand

SIBLING = [[b"name", b"consumer_51b110_0", b"pending", 0, b"idle", 10]]


def with_sibling(hand: Hand) -> Hand:
    hand.special["XINFO CONSUMERS"] = SIBLING
    hand.special["LRANGE"] = [b"consumer_51b110_0"]
    hand.special["GET"] = b'{"spec":"1.0","features":["wakeup"]}'
    hand.pass_time(21)
    return hand


def test_an_answer_is_one_multi_of_response_acknowledge_and_delete() -> None:
    hand = Hand().up()
    row = hand.request()
    hand.read(row)
    [start] = hand.started()
    hand.endpoint.answer(start.incoming, "fulfilled", b"8", hand.now)
    hand.endpoint.handler_done(start.incoming, hand.now)
    assert hand.write_all() == [
        ("MULTI",),
        ("XADD", b"s", "NOMKSTREAM", "*", *build(b"r" * 21, b"peer01", b"fulfilled", b"8", b"web", b"peer")),
        ("XACK", b"s", b"web", row[0]),
        ("XDEL", b"s", row[0]),
        ("XREADGROUP", "GROUP", b"web", b"dispatcher_%b_0" % hand.instance, "COUNT", 35, "STREAMS", b"s", ">"),
        ("EXEC",),
    ]
    assert hand.endpoint.inflight == 0


def test_answers_that_wait_leave_as_one_multi() -> None:
    hand = Hand().up()
    rows = [hand.request(b"%021d" % n) for n in range(3)]
    hand.read(*rows)
    for start in hand.started():
        hand.endpoint.answer(start.incoming, "fulfilled", b"8", hand.now)
    assert hand.names_sent(hand.write_all()) == [
        "MULTI", "XADD", "XADD", "XADD", "XACK", "XDEL", "XREADGROUP", "EXEC"
    ]  # fmt: skip


def test_a_second_answer_is_an_error() -> None:
    hand = Hand().up()
    hand.read(hand.request())
    [start] = hand.started()
    hand.endpoint.answer(start.incoming, "rejected", b"8", hand.now)
    with pytest.raises(AlreadyAnswered):
        hand.endpoint.answer(start.incoming, "fulfilled", b"8", hand.now)


def test_no_more_handlers_run_than_concurrency_allows() -> None:
    hand = Hand(concurrency=2).up()
    hand.read(*[hand.request(b"%021d" % n) for n in range(5)])
    assert len(hand.started()) == 2
    hand.endpoint.handler_done(hand.started()[0].incoming, hand.now)
    hand.drain()
    assert len(hand.started()) == 3


def test_beyond_the_queue_a_request_is_rejected_as_overloaded() -> None:
    hand = Hand(concurrency=1, max_queue=1).up()
    hand.read(*[hand.request(b"%021d" % n) for n in range(3)])
    sent = hand.write_all()
    answers = [command for command in sent if command[0] == "XADD"]
    assert len(answers) == 1
    assert b"rejected" in answers[0]
    assert any(isinstance(part, bytes) and part.startswith(b"overloaded: ") for part in answers[0])


def test_what_cannot_run_is_given_back_while_there_are_siblings() -> None:
    hand = with_sibling(Hand(concurrency=1).up())
    first, second = hand.request(b"%021d" % 1), hand.request(b"%021d" % 2)
    hand.read(first, second)
    sent = hand.write_all()
    dispatcher = b"dispatcher_%b_0" % hand.instance
    assert ("XCLAIM", b"s", b"web", dispatcher, 0, second[0], "IDLE", 315_360_000_000, "JUSTID") in sent
    assert ("PUBLISH", b"s:web:wakeup", b"") in sent


def test_beside_siblings_a_read_brings_more_once_handlers_are_done() -> None:
    hand = with_sibling(Hand().up())
    hand.read(*(hand.request(b"%021d" % number) for number in range(10)))
    assert hand.endpoint.wiring.makes_room
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    assert read.command[5] == 8
    hand.endpoint._reading = None
    for start in hand.started():
        hand.endpoint.answer(start.incoming, "fulfilled", b"1", hand.now)
        hand.endpoint.handler_done(start.incoming, hand.now)
    hand.write_all()
    assert not hand.endpoint.wiring.makes_room
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    assert read.command[5] == 16


def test_what_was_given_back_is_taken_at_the_first_look() -> None:
    hand = Hand().up()
    row = hand.request()
    hand.special["XPENDING"] = [[row[0], b"dispatcher_51b110_0", 315_360_000_100, 1]]
    hand.special["XRANGE"] = [row]
    hand.endpoint.woken(b"s:web:wakeup", hand.now)
    sent = hand.write_all()
    dispatcher = b"dispatcher_%b_0" % hand.instance
    assert ("XCLAIM", b"s", b"web", dispatcher, 157_680_000_000, row[0], "JUSTID") in sent
    [start] = hand.started()
    assert start.incoming.starts == 1
    assert not start.incoming.redelivered


def test_what_runs_is_claimed_again_every_three_seconds() -> None:
    hand = Hand().up()
    row = hand.request()
    hand.read(row)
    sent = hand.pass_time(10)
    keeps = [c for c in sent if c[0] == "XCLAIM"]
    assert len(keeps) == 3
    assert set(keeps) == {("XCLAIM", b"s", b"web", b"dispatcher_%b_0" % hand.instance, 0, row[0], "JUSTID")}


def test_the_handler_learns_that_its_requester_gave_up() -> None:
    hand = Hand().up()
    hand.read(hand.request())
    [start] = hand.started()
    hand.special["XCLAIM"] = []
    hand.pass_time(3.5)
    assert [event.incoming for event in hand.events if isinstance(event, Cancelled)] == [start.incoming]
    assert start.incoming.cancelled
    hand.endpoint.answer(start.incoming, "fulfilled", b"late", hand.now)
    assert "XADD" not in hand.names_sent(hand.write_all())


def test_on_redis_6_the_body_is_looked_at_since_a_deleted_entry_is_still_claimed() -> None:
    hand = Hand(version="6.2.14").up()
    hand.read(hand.request())
    hand.special["XRANGE"] = []
    hand.pass_time(3.5)
    assert any(isinstance(event, Cancelled) for event in hand.events)


def test_after_a_pause_it_looks_who_owns_a_request_before_claiming_it() -> None:
    hand = Hand().up()
    hand.read(hand.request())
    hand.special["XPENDING"] = []
    hand.now += 12
    hand.endpoint.tick(hand.now)
    sent = hand.write_all()
    assert "XCLAIM" not in hand.names_sent(sent)
    assert any(isinstance(event, Cancelled) for event in hand.events)


def test_a_request_that_waited_over_a_second_is_checked_before_it_starts() -> None:
    hand = Hand(concurrency=1).up()
    hand.read(hand.request(b"%021d" % 1), hand.request(b"%021d" % 2))
    [first] = hand.started()
    hand.pass_time(2)
    hand.endpoint.answer(first.incoming, "fulfilled", b"1", hand.now)
    hand.endpoint.handler_done(first.incoming, hand.now)
    hand.special["XRANGE"] = []
    assert "XRANGE" in hand.names_sent(hand.write_all())
    assert len(hand.started()) == 1
    assert hand.endpoint.inflight == 0


def test_an_answer_of_which_nobody_knows_is_repeated_only_while_the_body_is_there_and_nobody_else_s() -> None:
    for body, owner, repeated in (
        (False, None, False),
        (True, None, True),
        (True, b"dispatcher_51b110_0", False),
        (True, b"", True),
    ):
        hand = Hand().up()
        row = hand.request()
        hand.read(row)
        [start] = hand.started()
        hand.endpoint.answer(start.incoming, "fulfilled", b"8", hand.now)
        batch = hand.begin()
        hand.endpoint.batch_lost(batch, True, "cut", hand.now)
        held = [] if owner is None else [[row[0], owner or b"dispatcher_%b_0" % hand.instance, 1, 1]]
        hand.special["XPENDING"] = lambda command, held=held: held if command[3] == command[4] else []
        hand.special["XRANGE"] = [row] if body else []
        assert ("XADD" in hand.names_sent(hand.pass_time(2))) is repeated
        assert hand.endpoint.inflight == 0


def test_an_answer_that_memory_refuses_is_kept_and_nothing_new_is_taken() -> None:
    hand = Hand().up()
    hand.read(hand.request())
    [start] = hand.started()
    hand.special["XADD"] = Failure("OOM", "OOM")
    hand.endpoint.answer(start.incoming, "fulfilled", b"8", hand.now)
    hand.write_all()
    assert hand.endpoint.next_read(hand.now) is None
    hand.now += 1
    batch = hand.begin()
    assert "XADD" in [command[0] for command in batch.commands]
    assert hand.endpoint.next_read(hand.now) is None, "the second attempt is on its way"
    hand.endpoint.batch_done(batch, [hand.reply(command) for command in batch.commands], hand.now)
    del hand.special["XADD"]
    assert "XADD" in hand.names_sent(hand.pass_time(1))
    assert hand.endpoint.next_read(hand.now) is not None


def test_the_fourth_start_is_refused_and_reported() -> None:
    hand = Hand(look=1.0).up()
    row = hand.request()
    owner = b"dispatcher_51b110_0"
    hand.special["XPENDING"] = lambda command: [[row[0], owner, 20_000, 9]] if "IDLE" in command else []
    hand.special["XRANGE"] = [row]
    hand.pass_time(14)
    assert hand.started() == []
    assert any(isinstance(event, Problem) and event.kind == "given_up" for event in hand.events)
    assert any(command[0] == "XADD" and b"rejected" in command for command in hand.sent)


def test_a_dead_owners_request_is_claimed_at_the_second_look_with_its_count_raised() -> None:
    hand = Hand(look=1.0).up()
    row = hand.request()
    hand.special["XPENDING"] = lambda command: (
        [[row[0], b"consumer_51b110_0", 20_000, 3]] if "IDLE" in command and not hand.started() else []
    )
    hand.special["XRANGE"] = [row]
    # RIPC-RECOV-7: after its first connect, too.
    early = hand.pass_time(9.9)
    assert "XCLAIM" not in hand.names_sent(early)
    sent = hand.pass_time(3)
    dispatcher = b"dispatcher_%b_0" % hand.instance
    assert ("XCLAIM", b"s", b"web", dispatcher, 10_000, row[0], "RETRYCOUNT", 6, "JUSTID") in sent
    [start] = hand.started()
    assert start.incoming.starts == 2
    assert start.incoming.redelivered


def test_an_answer_to_a_stream_that_is_gone_is_written_to_the_new_one() -> None:
    hand = Hand().up()
    hand.read(hand.request())
    [start] = hand.started()
    hand.special["XADD"] = None
    hand.special["XINFO GROUPS"] = []
    hand.endpoint.answer(start.incoming, "fulfilled", b"7", hand.now)
    hand.endpoint.handler_done(start.incoming, hand.now)
    hand.write()
    del hand.special["XADD"]
    names = hand.names_sent(hand.pass_time(1.0))
    assert names.count("XADD") == 1
    assert names.index("XGROUP") < names.index("XADD")
    assert hand.endpoint.inflight == 0


def test_before_it_rejects_for_overload_it_looks_for_siblings_once_more() -> None:
    hand = Hand(concurrency=1, max_queue=1).up()
    hand.read(*[hand.request(b"%021d" % n) for n in range(2)])
    hand.write_all()
    hand.special |= {"XINFO CONSUMERS": SIBLING, "LRANGE": [b"consumer_51b110_0"], "GET": None}
    beyond = hand.request(b"%021d" % 2)
    hand.read(beyond)
    sent = hand.write_all()
    assert [command for command in sent if command[0] == "XADD"] == []
    given_back = [command for command in sent if command[0] == "XCLAIM" and "IDLE" in command]
    assert any(beyond[0] in command for command in given_back)


def test_many_requests_beyond_the_bound_need_one_look() -> None:
    hand = Hand(concurrency=1, max_queue=1).up()
    hand.read(*[hand.request(b"%021d" % n) for n in range(20)])
    sent = hand.write_all()
    assert hand.names_sent(sent).count("XINFO") == 1
    assert hand.names_sent(sent).count("XADD") == 18
    hand.read(hand.request(b"%021d" % 20))
    sent = hand.write_all()
    assert hand.names_sent(sent).count("XINFO") == 0
    assert hand.names_sent(sent).count("XADD") == 1


def test_overload_is_told_though_the_look_for_siblings_is_refused() -> None:
    hand = Hand(concurrency=1, max_queue=0).up()
    hand.read(*[hand.request(b"%021d" % n) for n in range(2)])
    hand.special["XINFO CONSUMERS"] = Failure("NOPERM", "NOPERM no permission")
    assert "XADD" in hand.names_sent(hand.pass_time(3))


def test_no_request_waits_for_a_look_for_siblings_that_was_lost() -> None:
    hand = Hand(concurrency=1, max_queue=0).up()
    running, beyond = (hand.request(b"%021d" % n) for n in range(2))
    hand.read(running, beyond)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, True, "cut", hand.now)
    hand.special["XPENDING"] = [[row[0], b"dispatcher_%b_0" % hand.instance, 10, 1] for row in (running, beyond)]
    hand.special["XRANGE"] = lambda command: [running if command[2] == running[0] else beyond]
    assert "XADD" in hand.names_sent(hand.pass_time(3))


def test_what_was_given_back_starts_before_what_is_new() -> None:
    hand = with_sibling(Hand(concurrency=1).up())
    old, older, new = (hand.request(b"%021d" % n) for n in range(3))
    hand.read(old, older)
    hand.write_all()
    hand.special["XPENDING"] = [[older[0], b"dispatcher_%b_0" % hand.instance, 315_360_000_100, 1]]
    hand.special["XRANGE"] = [older]
    hand.endpoint.handler_done(hand.started()[0].incoming, hand.now)
    hand.read(new)
    hand.write_all()
    assert [start.incoming.entry_id for start in hand.started()] == [old[0], older[0]]


def test_what_is_new_starts_when_nothing_is_left_of_what_was_given_back() -> None:
    for lost in (False, True):
        hand = with_sibling(Hand(concurrency=1).up())
        old, older, new = (hand.request(b"%021d" % n) for n in range(3))
        hand.read(old, older)
        hand.write_all()
        hand.endpoint.handler_done(hand.started()[0].incoming, hand.now)
        hand.read(new)
        assert len(hand.started()) == 1
        if lost:
            batch = hand.begin()
            hand.endpoint.batch_lost(batch, True, "cut", hand.now)
        hand.write_all()
        hand.drain()
        assert [start.incoming.entry_id for start in hand.started()] == [old[0], new[0]]
