"""A request of a caller: written once, waited for by reading, one outcome, and nothing left. No Redis."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.protocol.commands import Failure
from redisipc.protocol.entry import build

from ..support_caller import ID, ME, NAME, Desk


def test_a_request_is_six_fields_written_once_under_the_name_of_a_caller() -> None:
    desk = Desk()
    desk.step()
    assert desk.sent == [
        ("XADD", b"s", "NOMKSTREAM", "*", *build(ID, ME, b"pending", b"1", NAME, b"stock")),
    ]


def test_a_response_is_taken_and_deleted() -> None:
    desk = Desk()
    desk.step()
    answer = desk.respond()
    assert desk.run().outcome == ("fulfilled", b"7")
    assert desk.sent[-1] == ("XDEL", b"s", answer)
    assert desk.count("XINFO") == 0


def test_a_rejection_is_an_outcome_too() -> None:
    desk = Desk()
    desk.step()
    desk.respond(b"rejected", b"no")
    assert desk.run().outcome == ("rejected", b"no")


@pytest.mark.parametrize(
    "other",
    [
        {"id": b"f" * 21},
        {"instance_id": b"ffffff"},
        {"destination_group": b"caller:ffffff"},
        {"destination_group": b"stock"},
        {"source_group": b""},
        {"status": b"pending"},
        {"status": b"done"},
    ],
)
def test_what_is_not_its_response_is_passed_over_and_left_alone(other: dict[str, Any]) -> None:
    desk = Desk(timeout=1.0)
    desk.step()
    entry_id = desk.respond(**other)
    assert desk.run().outcome == ("timeout", None)
    assert entry_id in [row[0] for row in desk.entries]


def test_a_malformed_response_is_passed_over() -> None:
    desk = Desk(timeout=1.0)
    desk.step()
    desk.add(*build(ID, ME, b"fulfilled", b"7", b"stock", NAME), b"more", b"1")
    assert desk.run().outcome == ("timeout", None)


def test_it_reads_on_from_the_last_entry_that_came() -> None:
    desk = Desk()
    desk.step()
    last = [desk.respond(id=b"f" * 21) for _ in range(150)][99]
    desk.step()
    assert desk.turn().commands[0][-1] == last


@pytest.mark.parametrize("late", [0.0, 0.5, 1.0, 30.0])
def test_what_was_never_written_says_so_however_late_the_process_is(late: float) -> None:
    desk = Desk(timeout=1.0)
    desk.call.lost(False, "certificate has expired", desk.now)
    assert desk.call.turn(desk.call.outgoing.deadline + late) is None
    assert desk.call.outcome is not None
    assert desk.call.outcome.status == "failed"
    assert "could not be written within 1 s: certificate has expired" in desk.call.outcome.reason


def test_without_a_stream_it_has_failed() -> None:
    desk = Desk()
    desk.exists = False
    assert desk.run().outcome == ("failed", None)
    assert len(desk.sent) == 1


@pytest.mark.parametrize("word", ["OOM", "MISCONF", "NOPERM", "WRONGTYPE", "ERR"])
def test_what_redis_refuses_has_failed_at_once(word: str) -> None:
    desk = Desk()
    desk.refusals["XADD"] = Failure(word, f"{word} no")
    assert desk.run().outcome == ("failed", None)
    assert desk.count("XADD") == 1
    assert f"{word} no" in str(desk.call.outcome)


@pytest.mark.parametrize("word", ["LOADING", "READONLY", "CLUSTERDOWN", "MOVED"])
def test_what_another_server_may_take_is_tried_on_a_new_connection(word: str) -> None:
    desk = Desk()
    desk.refusals["XADD"] = Failure(word, f"{word} no")
    desk.step()
    assert desk.turn().fresh
    desk.refusals.clear()
    desk.step()
    desk.respond()
    assert desk.run().outcome == ("fulfilled", b"7")


# time


def test_at_the_timeout_the_request_is_deleted_before_the_last_look() -> None:
    desk = Desk(timeout=0.4)
    desk.step()
    request = desk.call.outgoing.entry_id
    assert request is not None
    desk.step()
    look = [("XDEL", b"s", request), ("XRANGE", b"s", b"(" + request, "+", "COUNT", 100)]
    # Why there is no answer is asked in the same turn.
    assert desk.turn().commands == [*look, ("XINFO", "GROUPS", b"s")]
    assert desk.run().outcome == ("timeout", None)
    assert desk.entries == []
    assert desk.now - 100.0 == pytest.approx(0.4, abs=0.01)


def test_the_last_look_takes_what_came_in_the_last_moment() -> None:
    desk = Desk(timeout=0.4)
    desk.step()
    desk.step()
    desk.respond()
    assert desk.run().outcome == ("fulfilled", b"7")
    assert [row for row in desk.entries if row[1][-1] == NAME] == []


def test_the_last_look_goes_through_a_thousand_entries() -> None:
    desk = Desk(timeout=0.4)
    desk.step()
    desk.step()
    for _ in range(1000):
        desk.respond(id=b"f" * 21)
    desk.respond()
    assert desk.run().outcome == ("fulfilled", b"7")


def test_a_last_look_without_an_end_ends() -> None:
    desk = Desk(timeout=0.4)
    desk.step()
    desk.step()
    for _ in range(100_000):
        desk.add(b"a", b"b")
    while desk.call.turn(desk.now) is not None:
        desk.now += 0.1
        desk.step()
    assert desk.outcome == ("timeout", None)
    assert desk.now - 100.4 < 1.0


def test_a_read_ends_at_the_timeout() -> None:
    desk = Desk(timeout=0.25, early_end=False)
    desk.step()
    assert desk.turn().commands[0][3:5] == ("BLOCK", 250)


# no responders


def test_a_group_that_is_missing_twice_ends_it() -> None:
    desk = Desk(timeout=5.0)
    desk.groups = []
    assert desk.run().outcome == ("no responders", None)
    assert desk.now - 100.0 == pytest.approx(1.0, abs=0.01)
    assert desk.count("XINFO") == 2
    assert desk.entries == []


def test_a_group_that_is_made_again_meanwhile_keeps_its_request() -> None:
    desk = Desk(timeout=5.0)
    desk.groups = []
    while not desk.count("XINFO"):
        desk.step()
    desk.groups = [b"stock"]
    assert desk.run().outcome == ("timeout", None)


def test_a_response_that_is_there_counts_though_the_group_is_gone() -> None:
    desk = Desk(timeout=5.0)
    desk.groups = []
    while desk.count("XINFO") < 2:
        desk.step()
    desk.respond()
    assert desk.run().outcome == ("fulfilled", b"7")


def test_a_group_that_exists_is_looked_for_once_in_five_seconds() -> None:
    desk = Desk(timeout=12.0)
    desk.run()
    # And once more with the last look, which says why there is no answer.
    assert desk.count("XINFO") == 3 + 1


def test_without_the_right_nobody_asks_again() -> None:
    desk = Desk(timeout=12.0)
    desk.refusals["XINFO"] = Failure("NOPERM", "NOPERM no")
    assert desk.run().outcome == ("timeout", None)
    assert desk.count("XINFO") == 1
    assert not desk.call.early_end


# connections that break


def test_an_xadd_whose_reply_did_not_come_is_found_and_waited_for() -> None:
    desk = Desk()
    desk.lose(executed=True)
    desk.step()
    desk.respond()
    assert desk.run().outcome == ("fulfilled", b"7")
    assert desk.count("XADD") == 1


def test_an_answer_to_an_xadd_whose_reply_did_not_come_is_found_without_its_request() -> None:
    desk = Desk()
    desk.lose(executed=True)
    desk.entries.clear()
    desk.respond()
    assert desk.run().outcome == ("fulfilled", b"7")


def test_an_xadd_that_is_not_found_has_failed_and_is_not_repeated() -> None:
    desk = Desk()
    desk.lose(executed=False)
    assert desk.run().outcome == ("failed", None)
    assert desk.count("XADD") == 0


def test_the_look_for_it_begins_behind_what_was_known() -> None:
    desk = Desk(highest=b"1000-0")
    desk.lose(executed=True)
    assert desk.turn().commands == [("XRANGE", b"s", b"(1000-0", "+", "COUNT", 100)]


def test_a_request_that_was_not_sent_is_sent_when_there_is_a_connection() -> None:
    desk = Desk()
    desk.lose(executed=False, sent=False)
    desk.step()
    desk.respond()
    assert desk.run().outcome == ("fulfilled", b"7")


def test_a_lost_read_is_done_again() -> None:
    desk = Desk()
    desk.step()
    desk.lose(executed=False)
    desk.respond()
    assert desk.run().outcome == ("fulfilled", b"7")


def test_a_deletion_that_got_lost_is_tried_once_more() -> None:
    desk = Desk()
    desk.step()
    desk.respond()
    desk.step()
    desk.lose(executed=False)
    assert desk.run().outcome == ("fulfilled", b"7")
    assert [row for row in desk.entries if row[1][-1] == NAME] == []


def test_a_server_that_never_comes_is_told_at_the_timeout() -> None:
    desk = Desk(timeout=2.0)
    while desk.call.turn(desk.now) is not None:
        desk.lose(executed=False, sent=False)
    assert desk.outcome == ("failed", None)
    assert desk.now == pytest.approx(102.0)


def test_a_server_that_refuses_for_good_is_told_at_once() -> None:
    desk = Desk()
    desk.call.lost(False, "WRONGPASS no", desk.now, permanent=True)
    assert desk.outcome == ("failed", None)


def test_attempts_to_connect_have_growing_pauses() -> None:
    desk = Desk()
    desk.step()
    times = []
    for _ in range(4):
        desk.lose(executed=False)
        times.append(desk.now)
        desk.now = desk.turn().at
    assert [round(b - a, 3) for a, b in zip(times, [*times[1:], desk.now], strict=True)] == [0.05, 0.1, 0.2, 0.4]


# giving up


def test_cancelled_it_deletes_its_request() -> None:
    desk = Desk()
    desk.step()
    desk.call.lost(True, "interrupted", desk.now)
    desk.call.cancel(desk.now)
    assert desk.turn().fresh
    assert desk.run().outcome == ("cancelled", None)
    assert desk.entries == []


def test_cancelled_while_it_is_written_it_is_found_and_deleted() -> None:
    desk = Desk()
    desk.lose(executed=True)
    desk.call.cancel(desk.now)
    assert desk.run().outcome == ("cancelled", None)
    assert desk.entries == []


@pytest.mark.parametrize("interrupted", [False, True])
def test_cancelled_it_deletes_a_response_that_is_there_already(interrupted: bool) -> None:
    """Members only acknowledge it: it would stay for ever, one for each call that is interrupted."""
    desk = Desk()
    desk.step()
    desk.entries.clear()  # the responder deletes the request when it answers
    desk.respond()
    if interrupted:
        desk.call.lost(True, "interrupted", desk.now)
    desk.call.cancel(desk.now)
    assert desk.run().outcome == ("cancelled", None)
    assert desk.entries == []


def test_cancelled_before_it_was_written_it_ends() -> None:
    desk = Desk()
    desk.call.cancel(desk.now)
    assert desk.run().outcome == ("cancelled", None)
    assert desk.sent == []


def test_cancelled_while_redis_is_away_it_ends_soon() -> None:
    desk = Desk()
    desk.step()
    desk.call.cancel(desk.now)
    while desk.call.turn(desk.now) is not None:
        desk.lose(executed=False, sent=False)
        desk.now += 0.1
    assert desk.outcome == ("cancelled", None)
    assert desk.now < 101.0
