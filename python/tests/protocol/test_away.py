"""Losing the connection and coming back: what is reported, how often, and what comes first."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from redisipc.protocol.commands import Batch, Failure
from redisipc.protocol.events import Problem, State, StateChanged

from ..support_core import Hand


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
