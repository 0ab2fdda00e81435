"""Joining, staying findable, coming back after a fault, leaving."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from redisipc.protocol.commands import Batch, Failure
from redisipc.protocol.events import Closed, Finished, Problem, State, StateChanged, Unblock

from ..support_core import Hand


def test_joining_makes_group_consumers_and_registration_before_anything_is_written() -> None:
    hand = Hand()
    hand.endpoint.start(hand.now)
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    names = hand.names_sent(hand.write_all())
    assert names.index("LPUSH") < names.index("XADD")
    registration = b"s:web:%b:consumers" % hand.instance
    consumer = b"consumer_%b_0" % hand.instance
    at = hand.sent.index(("LREM", registration, 0, consumer))
    assert hand.sent[at - 1 : at + 4] == [
        ("MULTI",),
        ("LREM", registration, 0, consumer),
        ("LPUSH", registration, consumer),
        ("EXPIRE", registration, 100),
        ("EXEC",),
    ]


def test_a_taken_instance_id_is_given_up_for_another() -> None:
    hand = Hand()
    taken = hand.instance
    answers = {f"dispatcher_{taken.decode()}_0".encode(): 0}
    original = hand.reply
    hand.reply = lambda command: answers.get(command[-1], original(command))  # type: ignore[method-assign, arg-type]
    hand.endpoint.start(hand.now)
    hand.write_all()
    assert hand.endpoint.state is State.UP
    assert hand.instance != taken


def test_an_idle_endpoint_sends_less_than_two_commands_a_second_and_stays_registered() -> None:
    hand = Hand().up()
    hand.pass_time(1)
    sent = hand.pass_time(3600)
    assert len(sent) < 2 * 3600
    registration = b"s:web:%b:consumers" % hand.instance
    assert sent.count(("EXPIRE", registration, 100)) >= 3600 / 30


def test_a_known_sibling_is_asked_for_twice_a_minute_however_many_there_are() -> None:
    """RIPC-GROUP-8 asks for a look within 30 s: what an idle group sends grows with its square, and no faster."""
    hand = Hand().up()
    names = [b"%06x" % number for number in range(1, 51)]
    hand.special["XINFO CONSUMERS"] = [
        [b"name", b"%s_%s_0" % (kind, name), b"pending", 0, b"idle", 10]
        for name in names
        for kind in (b"dispatcher", b"consumer")
    ]
    lists = {b"s:web:%b:consumers" % name: [b"consumer_%b_0" % name] for name in names}
    hand.special["LRANGE"] = lambda command: lists.get(command[1], [])
    hand.pass_time(40.0)
    sent = hand.pass_time(120.0)
    asked = [sum(command[:2] == ("LRANGE", key) for command in sent) for key in lists]
    assert 4 <= min(asked) <= max(asked) <= 5
    assert len(sent) - 2 * sum(asked) < 2 * 120


def test_a_missing_registration_is_made_again() -> None:
    hand = Hand().up()
    hand.special["EXPIRE"] = 0
    assert "LPUSH" in hand.names_sent(hand.pass_time(11))


def test_the_own_list_is_polled_while_requests_are_outstanding_and_others_are_there() -> None:
    hand = Hand().up()
    hand.special["XINFO CONSUMERS"] = [[b"name", b"consumer_51b110_0", b"pending", 0, b"idle", 10]]
    hand.special["LRANGE"] = [b"consumer_51b110_0"]
    hand.pass_time(21)
    assert hand.names_sent(hand.pass_time(1)).count("XREADGROUP") <= 1
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    assert hand.names_sent(hand.pass_time(1)).count("XREADGROUP") >= 50


def test_a_lost_read_is_followed_by_a_look_at_the_own_list_before_the_next() -> None:
    hand = Hand().up()
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.endpoint.read_lost(read, "cut", hand.now)
    assert hand.endpoint.next_read(hand.now) is None
    row = hand.request()
    dispatcher = b"dispatcher_%b_0" % hand.instance
    hand.special["XPENDING"] = lambda command: [[row[0], dispatcher, 5, 1]] if command[-1] == dispatcher else []
    hand.special["XRANGE"] = [row]
    hand.pass_time(0.5)
    assert len(hand.started()) == 1
    assert hand.endpoint.next_read(hand.now) is not None


def test_an_entry_seen_in_the_own_list_and_in_a_late_reply_runs_once() -> None:
    hand = Hand().up()
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    row = hand.request()
    dispatcher = b"dispatcher_%b_0" % hand.instance
    hand.special["XPENDING"] = lambda command: [[row[0], dispatcher, 5, 1]] if command[-1] == dispatcher else []
    hand.special["XRANGE"] = [row]
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, True, "cut", hand.now)
    hand.pass_time(0.5)
    [start] = hand.started()
    hand.endpoint.answer(start.incoming, "fulfilled", b"1", hand.now)
    hand.endpoint.handler_done(start.incoming, hand.now)
    hand.write_all()
    hand.endpoint.read_done(read, [[b"s", [row]]], hand.now)
    hand.drain()
    assert len(hand.started()) == 1


def test_a_lost_group_is_made_again_at_the_last_id_read() -> None:
    hand = Hand().up()
    row = hand.request(to=b"other")
    hand.read(row)
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.special["XINFO GROUPS"] = []
    hand.special["XINFO STREAM"] = [b"last-generated-id", b"9999999999999-0"]
    hand.endpoint.read_done(read, Failure("NOGROUP", "NOGROUP no such group"), hand.now)
    sent = hand.write_all()
    assert ("XGROUP", "CREATE", b"s", b"web", row[0]) in sent
    assert hand.endpoint.state is State.UP


def test_a_group_whose_stream_is_gone_is_made_again_though_nothing_was_ever_read_of_it() -> None:
    hand = Hand().up()
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.endpoint.shared.last_read = b"0-0"
    hand.special["XINFO GROUPS"] = hand.special["XINFO STREAM"] = Failure("ERR", "ERR no such key")
    hand.endpoint.read_done(read, Failure("UNBLOCKED", "UNBLOCKED the stream key no longer exists"), hand.now)
    assert ("XGROUP", "CREATE", b"s", b"web", b"0", "MKSTREAM") in hand.write_all()


def test_a_group_on_a_new_stream_starts_at_its_beginning() -> None:
    hand = Hand().up()
    hand.read(hand.request(to=b"other"))
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.special["XINFO GROUPS"] = hand.special["XINFO STREAM"] = Failure("ERR", "ERR no such key")
    hand.endpoint.read_done(read, Failure("UNBLOCKED", "UNBLOCKED the stream key no longer exists"), hand.now)
    sent = hand.write_all()
    assert ("XGROUP", "CREATE", b"s", b"web", b"0", "MKSTREAM") in sent
    assert not any("SETID" in command for command in sent)


def test_what_is_in_progress_is_claimed_before_anything_else_after_a_reconnect() -> None:
    hand = Hand().up()
    row = hand.request()
    hand.read(row)
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    dispatcher = b"dispatcher_%b_0" % hand.instance
    hand.special["XPENDING"] = lambda command: [[row[0], dispatcher, 5, 1]] if command[3] == command[4] else []
    hand.special["XRANGE"] = [row]
    hand.endpoint.read_lost(read, "cut", hand.now)
    sent = hand.pass_time(0.5)
    claim = sent.index(("XCLAIM", b"s", b"web", dispatcher, 0, row[0], "JUSTID"))
    assert claim < hand.names_sent(sent).index("LPUSH")


def test_a_change_of_state_is_told_once_and_not_once_per_attempt() -> None:
    hand = Hand().up()
    assert len(attempts(hand, 20)) > 5
    assert [event.state for event in hand.events if isinstance(event, StateChanged)] == [State.DOWN]


def attempts(hand: Hand, seconds: float, reason: str = "away") -> list[float]:
    """When it tried to reach a Redis that is away for so long."""
    hand.endpoint.send(b"1", "stock", 600.0, hand.now)
    end = hand.now + seconds
    found = []
    while hand.now < end:
        hand.now += 0.01
        hand.endpoint.tick(hand.now)
        batch = hand.endpoint.next_batch(hand.now)
        if batch is not None:
            found.append(hand.now)
            hand.endpoint.batch_lost(batch, False, f"{reason}, {len(found)}", hand.now)
    hand.drain()
    return found


def test_a_connection_that_is_back_for_a_moment_and_lost_again_is_told_once() -> None:
    """RIPC-RECOV-14."""
    hand = Hand().up()
    hand.pass_time(5.0)
    for _ in range(20):
        # One connection stands, the other one is refused each time.
        read = hand.endpoint.next_read(hand.now)
        assert read is not None
        hand.endpoint.read_lost(read, "max number of clients reached", hand.now)
        hand.pass_time(1.0)
        hand.write_all()
        assert hand.endpoint.state is State.UP
        hand.now = hand.endpoint.shared.up_since + 0.1
    hand.drain()
    lost = [event for event in hand.events if isinstance(event, StateChanged) and event.state is State.DOWN]
    assert [event.told for event in lost] == [False] + [True] * 19
    problems = [event.message for event in hand.events if isinstance(event, Problem)]
    assert len(problems) == 1
    assert "still no connection to Redis after" in problems[0]


def test_attempts_are_spaced_and_a_redis_that_is_back_is_seen_within_a_second() -> None:
    """RIPC-RECOV-2."""
    found = attempts(Hand().up(), 60)
    pauses = [later - before for before, later in itertools.pairwise(found)]
    assert pauses[0] < 0.2
    assert 0.4 <= max(pauses) < 0.65
    assert len([time for time in found if time > found[0] + 30]) < 80


def test_another_reason_why_it_stays_away_is_told_at_once_and_each_once() -> None:
    hand = Hand().up()
    for text in ("max number of clients reached", "connection refused", "max number of clients reached"):
        attempts(hand, 12, text)
    told = [event.message for event in hand.events if isinstance(event, Problem)]
    assert [text.rpartition(": ")[2].rstrip(", 0123456789") for text in told] == [
        "max number of clients reached",
        "connection refused",
    ]


def test_reasons_that_never_end_are_told_a_few_times() -> None:
    hand = Hand().up()
    for letter in "abcdefghijkl":
        attempts(hand, 4, letter)
    assert len([event for event in hand.events if isinstance(event, Problem)]) == 4


def test_why_it_stays_away_is_told_after_5_s_and_then_every_minute() -> None:
    hand = Hand().up()
    attempts(hand, 130)
    told = [event.message for event in hand.events if isinstance(event, Problem)]
    assert all(text.startswith("still no connection to Redis after ") for text in told)
    # At the first attempt that fails from then on.
    after = [int(text.removeprefix("still no connection to Redis after ").split()[0]) for text in told]
    assert [round(seconds / 60) for seconds in after] == [0, 1, 2]
    assert 5 <= after[0] <= 6
    assert "away, " in told[0]


def test_after_a_group_that_was_lost_the_time_away_runs_from_then() -> None:
    """Redis became a replica: it ends the read in the words of a lost group, and refuses to make the group."""
    hand = Hand().up()
    hand.now += 3600.0
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.endpoint.read_done(read, Failure("UNBLOCKED", "UNBLOCKED instance state changed"), hand.now)
    attempts(hand, 10)
    told = [event.message for event in hand.events if isinstance(event, Problem)]
    assert len(told) == 1
    assert 5 <= int(told[0].removeprefix("still no connection to Redis after ").split()[0]) <= 6


@pytest.mark.parametrize(("word", "says"), [("OOM", "has no memory left"), ("MISCONF", "takes no writes")])
def test_what_redis_lacks_is_told_once_and_in_its_words(word: str, says: str) -> None:
    hand = Hand().up()
    hand.special["XADD"] = Failure(word, f"{word} no")
    hand.endpoint.send(b"1", "stock", 60.0, hand.now)
    hand.endpoint.send(b"2", "stock", 60.0, hand.now)
    hand.pass_time(5)
    [told] = [event.message for event in hand.events if isinstance(event, Problem)]
    assert told == f"Redis {says}, trying again: {word} no"


def test_rights_that_are_missing_for_a_detail_are_reported_once_and_do_not_stop_anything() -> None:
    hand = Hand().up()
    hand.special["XINFO CONSUMERS"] = Failure("NOPERM", "NOPERM xinfo")
    hand.pass_time(60)
    assert hand.endpoint.state is State.UP
    assert len([event for event in hand.events if isinstance(event, Problem)]) == 1


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
            lose(hand.up())
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


def lose(hand: Hand) -> None:
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.endpoint.read_lost(read, "reset", hand.now)
    hand.drain()


def test_a_refusal_that_does_not_pass_is_told_beside_the_loss_and_once() -> None:
    """A password that was changed: the connection breaks first, and only then Redis says why it takes no new one."""
    hand = Hand().up()
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.endpoint.read_lost(read, "closed", hand.now)
    reasons = ["away", "WRONGPASS invalid", "WRONGPASS invalid"]
    for reason in reasons:
        hand.now += 10
        batch = hand.begin()
        hand.endpoint.batch_lost(batch, False, reason, hand.now, reason.startswith("WRONGPASS"))
    told = [(event.reason, event.permanent) for event in hand.endpoint.events() if isinstance(event, StateChanged)]
    assert told == [("closed", False), ("WRONGPASS invalid", True)]


def test_a_list_that_redis_had_no_memory_for_after_a_loss_holds_requests_back() -> None:
    """RIPC-RECOV-6: the list may have gone with the old connection."""
    hand = Hand().up()
    answers = hand.answers

    def without_memory(batch: Batch) -> list[Any]:
        replies = answers(batch)
        for at, command in enumerate(batch.commands):
            if command[0] == "LPUSH":
                end = batch.commands.index(("EXEC",), at)
                replies[at], replies[end] = Failure("OOM", "OOM no memory"), Failure("EXECABORT", "EXECABORT refused")
        return replies

    hand.endpoint.send(b"1", "stock", 60.0, hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, False, "cut", hand.now)
    hand.answers = without_memory  # type: ignore[method-assign]
    hand.special["EXPIRE"] = 0
    assert "XADD" not in hand.names_sent(hand.pass_time(5.0))
    hand.answers = answers  # type: ignore[method-assign]
    assert "XADD" in hand.names_sent(hand.pass_time(2.0))
