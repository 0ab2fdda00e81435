"""The judge: each promise that is broken is seen, and what is in order is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos.judge.judge import Judge, printed_causes

from tests.simulation.causes import CAUSES

from .history import ASK, Rows


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return Rows(tmp_path)


def names(rows: Rows) -> list[str]:
    return [name for name, _ in rows.broken()]


def test_a_request_that_goes_as_it_should_breaks_nothing(rows: Rows) -> None:
    rows.good(10.0)
    rows.leave(0, 20.0)
    rows.leave(1, 20.0)
    assert rows.broken() == []


@pytest.mark.parametrize("waited", [True, False])
def test_a_machine_that_lets_a_process_wait_is_not_calm(rows: Rows, waited: bool) -> None:
    rows.send(10.0)
    rows.run(10.01, ends=10.02)
    rows.answered(10.03)
    rows.outcome(11.0, "fulfilled")
    if waited:
        rows.add(0, "still", 12.0, 11.0, "processor")
    assert ("RIPC-GROUP-3" in names(rows)) is not waited


@pytest.mark.parametrize(("stored", "end", "broken"), [(10.01, 15.3, True), (15.2, 15.3, False), (10.01, 15.5, False)])
def test_the_deletion_comes_before_the_last_look_where_the_sender_knew_the_entry_and_the_look_was_written(
    rows: Rows, stored: float, end: float, broken: bool
) -> None:
    rows.send(10.0, kind="ignore", stored=False)
    rows.add(None, "stored", stored, ASK, f"id{ASK}", f"{ASK}-0")
    rows.outcome(end, "timeout")
    rows.add(None, "deleted", 15.6, f"{ASK}-0")
    assert ("RIPC-TIME-13" in names(rows)) is broken


@pytest.mark.parametrize("away", [True, False])
def test_what_belongs_to_one_that_left_while_redis_was_away_has_the_time_of_the_dead(rows: Rows, away: bool) -> None:
    rows.send(10.0, timeout=30.0)
    rows.run(10.01, ends=39.0)
    rows.answered(39.1)
    if away:
        rows.fault("redis-frozen", 19.0, 31.0, redis="away")
    rows.add(1, "closing", 20.0)
    rows.outcome(29.9, "closed")
    rows.add(1, "closed", 30.0)
    rows.process(2, "web", at=12.0)
    fields = ["id", f"id{ASK}", "instance_id", "000001", "status", "fulfilled", "", "", "", "", "", "web"]
    rows.rest(60.0, [["entry", f"{ASK}-1", fields]])
    record = rows.record()
    Judge(record).check()
    assert ("G8" in [name for name, _, _ in record.history.violations]) is not away


@pytest.mark.parametrize(
    ("kind", "deleted", "broken"), [("group", 20.0, False), ("group", 9.0, True), ("clock", 20.0, True)]
)
def test_a_request_whose_pending_entry_was_deleted_stays_though_nobody_saw_it_stored(
    rows: Rows, kind: str, deleted: float, broken: bool
) -> None:
    rows.good(10.0)
    rows.fault("consumer-deleted", deleted, deleted, redis=kind)
    fields = ["id", "unseen", "instance_id", "000001", "status", "pending", "", "", "", "", "", "stock"]
    rows.rest(60.0, [["entry", f"{ASK - 1}-0", fields]])
    record = rows.record()
    Judge(record).check()
    assert ("G8" in [name for name, _, _ in record.history.violations]) is broken


@pytest.mark.parametrize(("clock", "killed"), [(True, True), (False, True), (True, False)])
def test_a_clock_that_was_set_back_keeps_what_was_pending_for_the_dead(rows: Rows, clock: bool, killed: bool) -> None:
    rows.send(10.0, kind="ignore")
    rows.run(10.01, ends=10.02)
    rows.outcome(15.0, "timeout")
    rows.process(2, "stock", at=12.0)
    if killed:
        rows.add(None, "killed", 11.0, 0)
    rows.fault("clock-back" if clock else "flushall", 12.0, 12.0, redis="clock" if clock else "memory")
    rows.rest(200.0, [["pending", "7-0", ["stock", "dispatcher_000000_0", 0, 1]]])
    rows.leave(0, 202.0)
    record = rows.record()
    Judge(record).check()
    assert ("G8" in [name for name, _, _ in record.history.violations]) is not (clock and killed)


@pytest.mark.parametrize(
    ("died", "came", "broken"),
    [
        pytest.param(9.0, 12.0, False, id="it came while the group was gone"),
        pytest.param(9.8, 12.0, True, id="a member lived that makes the group again"),
        pytest.param(9.0, 8.9, True, id="the newcomer was there by then"),
    ],
)
def test_what_came_before_its_group_was_made_again_stays(rows: Rows, died: float, came: float, broken: bool) -> None:
    rows.add(None, "killed", died, 0)
    rows.fault("flushall", 9.4, 9.5, redis="empty")
    rows.send(10.0, timeout=30.0)
    rows.outcome(40.0, "timeout")
    rows.process(2, "stock", at=came)
    fields = ["id", f"id{ASK}", "instance_id", "000001", "status", "pending", "", "", "", "", "", "stock"]
    rows.rest(200.0, [["entry", f"{ASK}-0", fields]])
    record = rows.record()
    Judge(record).check()
    assert ("G8" in [name for name, _, _ in record.history.violations]) is broken


class TestG1:
    def test_a_request_without_an_outcome(self, rows: Rows) -> None:
        rows.send(10.0)
        assert "G1" in names(rows)

    def test_one_whose_sender_was_killed_is_excused(self, rows: Rows) -> None:
        rows.send(10.0)
        rows.add(None, "killed", 11.0, 1)
        assert "G1" not in names(rows)

    @pytest.mark.parametrize(("late", "broken"), [(0.9, False), (1.1, True)])
    def test_one_second_of_grace(self, rows: Rows, late: float, broken: bool) -> None:
        rows.send(10.0, kind="ignore")
        rows.run(10.01, ends=10.02)
        rows.outcome(15.0 + late, "timeout")
        assert ("G1" in names(rows)) is broken

    def test_a_process_that_stood_still_has_more(self, rows: Rows) -> None:
        rows.send(10.0, kind="ignore")
        rows.run(10.01, ends=10.02)
        rows.outcome(18.0, "timeout")
        rows.add(1, "still", 17.8, 14.9, "process")
        assert "G1" not in names(rows)

    @pytest.mark.parametrize(("begun", "broken"), [(10.01, False), (10.06, False), (10.3, True)])
    def test_one_that_stood_still_before_it_could_ask_asked_later(self, rows: Rows, begun: float, broken: bool) -> None:
        rows.send(10.0, kind="ignore")
        rows.run(13.01, ends=13.02)
        rows.outcome(18.4, "timeout")
        rows.add(1, "still", 13.0, begun, "process")
        assert ("G1" in names(rows)) is broken

    def test_a_pause_at_its_beginning_makes_no_timeout_early(self, rows: Rows) -> None:
        rows.send(10.0, kind="ignore")
        rows.run(13.01, ends=13.02)
        rows.outcome(15.0, "timeout")
        rows.add(1, "still", 13.0, 10.01, "process")
        assert "G1" not in names(rows)

    def test_an_early_timeout(self, rows: Rows) -> None:
        rows.send(10.0, kind="ignore")
        rows.run(10.01, ends=10.02)
        rows.outcome(14.9, "timeout")
        assert "G1" in names(rows)

    @pytest.mark.parametrize("there", [True, False])
    def test_no_responders_is_for_a_group_that_is_not_there(self, rows: Rows, there: bool) -> None:
        rows.send(10.0)
        rows.outcome(11.1, "no responders")
        if not there:
            rows.fault("group-destroyed", 9.5, 9.5, redis="group")
        assert ("G1" in names(rows)) is there

    def test_an_exception_that_nobody_announced(self, rows: Rows) -> None:
        rows.send(10.0)
        rows.outcome(10.1, "raised:KeyError", text="'x'")
        assert "G1" in names(rows)

    @pytest.mark.parametrize("leaves", [True, False])
    def test_a_refusal_is_for_those_who_leave(self, rows: Rows, leaves: bool) -> None:
        rows.send(10.0, stored=False)
        rows.outcome(10.1, "refused:ClosedError", text="closing")
        if leaves:
            rows.leave(1, 10.0)
        assert ("G1" in names(rows)) is not leaves

    @pytest.mark.parametrize("kind", ["rights", "away"])
    def test_failing_needs_a_right_that_is_missing(self, rows: Rows, kind: str) -> None:
        rows.send(10.0, stored=False)
        rows.outcome(10.1, "failed", text="NOPERM")
        rows.fault("right-taken", 9.0, 12.0, redis=kind)
        assert ("G1" in names(rows)) is (kind != "rights")


class TestG2:
    def test_the_answer_of_another_request(self, rows: Rows) -> None:
        rows.send(10.0)
        rows.run(10.01, ends=10.02)
        rows.answered(10.03)
        rows.outcome(10.04, answer=[ASK + 1, 0, 1])
        assert "G2" in names(rows)

    def test_the_answer_of_a_run_that_nobody_made(self, rows: Rows) -> None:
        rows.send(10.0)
        rows.run(10.01, ends=10.02)
        rows.answered(10.03)
        rows.outcome(10.04, answer=[ASK, 0, 7])
        assert "G2" in names(rows)

    def test_two_outcomes(self, rows: Rows) -> None:
        rows.good(10.0)
        rows.outcome(10.5)
        assert "G2" in names(rows)

    @pytest.mark.parametrize(("text", "broken"), [(f"boom {ASK}", False), ("this endpoint is closing", True)])
    def test_a_rejection_says_what_the_handler_said(self, rows: Rows, text: str, broken: bool) -> None:
        rows.send(10.0, kind="raise")
        rows.run(10.01, ends=10.02)
        rows.answered(10.03)
        rows.outcome(10.04, "rejected", text=text)
        assert ("G2" in names(rows)) is broken

    @pytest.mark.parametrize(
        ("text", "broken"),
        [
            ("not_encodable: an answer broke the connection 3 times", False),
            ("no_handler: there is none", False),
            ("overloaded: 16 handlers run", False),
            ("not_encoded: nobody says this", True),
        ],
    )
    def test_the_words_of_an_endpoint_itself_are_known(self, rows: Rows, text: str, broken: bool) -> None:
        rows.send(10.0)
        rows.run(10.01, ends=10.02)
        rows.answered(10.03)
        rows.outcome(10.04, "rejected", text=text)
        assert ("G2" in names(rows)) is broken


class TestSecondRuns:
    def again(self, rows: Rows, at: float, timeout: float = 30.0) -> None:
        rows.process(2, "stock")
        rows.send(10.0, timeout=timeout, kind="long")
        rows.run(10.01)
        rows.run(at, process=2, starts=2, ends=at + 0.5)
        rows.answered(at + 0.6)
        rows.outcome(at + 0.7, answer=[ASK, 2, 1])

    def test_one_without_a_cause(self, rows: Rows) -> None:
        rows.fault("cut-listener", 5.0, 5.0)
        self.again(rows, 22.0)
        assert "G6" in names(rows)

    def test_refused_writes_are_none(self, rows: Rows) -> None:
        rows.fault("misconf-long", 10.5, 21.0, redis="no writes")
        self.again(rows, 22.0)
        assert "G6" in names(rows)

    def test_a_dead_owner_is_one_and_is_named_as_it_is_printed(self, rows: Rows) -> None:
        rows.add(None, "killed", 11.0, 0)
        rows.fault("responder-killed", 11.0, 12.0, who=(0,))
        self.again(rows, 22.0)
        rows.rest(100.0)
        judge = Judge(rows.record())
        judge.check()
        assert judge.history.violations == []
        assert list(judge.causes) == ["owner-silent"]

    @pytest.mark.parametrize(("seconds", "broken"), [(9.0, False), (3.0, True)])
    def test_a_stopped_owner_is_one_if_it_stood_still_for_long_enough(
        self, rows: Rows, seconds: float, broken: bool
    ) -> None:
        rows.fault("member-stopped", 10.5, 10.5 + seconds, members="paused", who=(0,))
        self.again(rows, 22.0)
        assert ("G6" in names(rows)) is broken

    @pytest.mark.parametrize(("silence", "cut", "broken"), [(7.5, 3, False), (6.5, 3, True), (7.5, 0, True)])
    def test_an_owner_cut_off_by_several_short_faults_is_one_if_the_claim_found_it_silent(
        self, rows: Rows, silence: float, cut: int, broken: bool
    ) -> None:
        for number in range(cut):
            rows.fault("silent-short", 15.0 + 2 * number, 16.0 + 2 * number, members="cut off", who=(0,))
        self.again(rows, 22.0)
        rows.add(None, "moved", 21.9, f"{ASK}-0", "consumer_000000_0", "consumer_000002_0", silence)
        assert ("G6" in names(rows)) is broken

    @pytest.mark.parametrize(("step", "broken"), [(15.0, False), (-60.0, False), (0.4, True)])
    def test_a_step_of_the_clock_is_one_by_the_seconds_that_it_was_seen_to_take(
        self, rows: Rows, step: float, broken: bool
    ) -> None:
        rows.fault("clock", 15.0, 15.0, redis="clock", proof=f"TIME stepped by {step:.1f} s")
        self.again(rows, 22.0)
        assert ("G6" in names(rows)) is broken

    @pytest.mark.parametrize(("kind", "broken"), [("full", False), ("away", True)])
    def test_where_redis_serves_some_the_others_are_cut_off(self, rows: Rows, kind: str, broken: bool) -> None:
        rows.fault("maxclients", 13.0, 21.0, redis=kind)
        rows.add(0, "down", 21.5, 13.0)
        self.again(rows, 22.0)
        rows.add(None, "moved", 21.0, f"{ASK}-0", "consumer_000000_0", "consumer_000002_0", 8.0)
        assert ("G6" in names(rows)) is broken

    def test_with_a_short_timeout_there_is_no_excuse_but_redis(self, rows: Rows) -> None:
        rows.add(None, "killed", 11.0, 0)
        self.again(rows, 14.0, timeout=8.0)
        assert "G4" in names(rows)

    def test_every_cause_of_the_checker_is_printed(self) -> None:
        assert set(CAUSES) == printed_causes()


class TestLosses:
    def test_a_response_that_was_stored_in_time_is_taken(self, rows: Rows) -> None:
        rows.send(10.0)
        rows.run(10.01, ends=10.02)
        rows.answered(10.03)
        rows.outcome(15.0, "timeout")
        assert "G9" in names(rows)

    @pytest.mark.parametrize(("fault", "broken"), [("", True), ("no writes", False)])
    def test_an_answer_that_was_given_is_stored(self, rows: Rows, fault: str, broken: bool) -> None:
        rows.send(10.0)
        rows.run(10.01, ends=10.02)
        rows.outcome(15.0, "timeout")
        if fault:
            rows.fault("misconf", 10.0, 14.0, redis=fault)
        assert ("ANSWER" in names(rows)) is broken

    @pytest.mark.parametrize(("ended", "broken"), [(9.2, False), (8.5, True)])
    def test_after_a_refusal_it_has_a_second_to_write(self, rows: Rows, ended: float, broken: bool) -> None:
        rows.fault("right-taken", 5.0, ended, redis="rights")
        rows.send(10.0, timeout=0.5)
        rows.run(10.01, ends=10.02)
        rows.outcome(10.5, "timeout")
        assert ("ANSWER" in names(rows)) is broken

    def test_also_by_one_who_leaves(self, rows: Rows) -> None:
        rows.send(10.0, kind="later")
        rows.run(10.01, ends=10.5)
        rows.leave(0, 10.2)
        rows.outcome(15.0, "timeout")
        assert "ANSWER" in names(rows)

    def test_who_leaves_takes_what_was_stored_before(self, rows: Rows) -> None:
        rows.send(10.0)
        rows.run(10.01, ends=10.02)
        rows.answered(10.03)
        rows.add(1, "closing", 10.01)
        rows.outcome(15.0, "timeout")
        rows.add(1, "closed", 15.5)
        assert "LEAVING" in names(rows)

    def test_a_request_that_nobody_ran_though_all_were_well(self, rows: Rows) -> None:
        rows.send(10.0, timeout=2.0)
        rows.outcome(12.0, "timeout")
        assert "TIMEOUT" in names(rows)

    def test_a_fault_of_redis_excuses_it(self, rows: Rows) -> None:
        rows.send(10.0, timeout=2.0)
        rows.outcome(12.0, "timeout")
        rows.fault("flushall", 9.0, 9.0, redis="empty")
        assert "TIMEOUT" not in names(rows)


class TestConnections:
    def test_who_is_cut_off_without_a_fault(self, rows: Rows) -> None:
        rows.add(1, "down", 12.0, 11.0)
        assert "AWAY" in names(rows)

    def test_who_was_cut_by_a_fault_is_back_in_time(self, rows: Rows) -> None:
        rows.fault("cut-reset", 11.0, 11.0, members="cut off", who=(1,))
        rows.add(1, "down", 12.0, 11.0)
        assert "AWAY" not in names(rows)

    def test_who_is_not_back_in_time(self, rows: Rows) -> None:
        rows.fault("cut-reset", 11.0, 11.0, members="cut off", who=(1,))
        rows.add(1, "down", 30.0, 11.0)
        assert "AWAY" in names(rows)

    @pytest.mark.parametrize("still", [0, 10])
    def test_the_time_in_which_all_links_stood_still_does_not_count(self, rows: Rows, still: int) -> None:
        rows.fault("cut-reset", 11.0, 11.0, members="cut off", who=(1,))
        for second in range(still):
            rows.add(None, "still", 13.0 + second, 12.0 + second, "harness")
        rows.add(1, "down", 30.0, 11.0)
        assert ("AWAY" in names(rows)) is not bool(still)

    def test_the_fault_of_another_is_no_excuse(self, rows: Rows) -> None:
        rows.fault("cut-reset", 11.0, 11.0, members="cut off", who=(0,))
        rows.add(1, "down", 12.0, 11.0)
        assert "AWAY" in names(rows)

    def test_who_does_not_end_on_sigterm(self, rows: Rows) -> None:
        rows.add(0, "closing", 50.0)
        rows.add(None, "hung", 64.0, 0)
        assert {"HUNG", "G8"} <= set(names(rows))


class TestProcesses:
    @pytest.mark.parametrize(
        ("code", "killed", "broken"), [(0, False, False), (1, False, True), (-9, False, True), (-9, True, False)]
    )
    def test_a_process_that_ended_by_itself(self, rows: Rows, code: int, killed: bool, broken: bool) -> None:
        if killed:
            rows.add(None, "killed", 49.9, 0)
        rows.add(None, "exit", 50.0, 0, code)
        assert ("WORKER" in names(rows)) is broken

    def test_an_exception_that_reached_the_worker(self, rows: Rows) -> None:
        rows.add(0, "note", 50.0, "uncaught")
        assert "WORKER" in names(rows)

    def test_who_was_out_of_time_to_leave_rejects_what_it_started_itself(self, rows: Rows) -> None:
        rows.send(10.0, kind="long", timeout=20.0)
        rows.run(10.01)
        rows.add(0, "closing", 11.0)
        rows.answered(21.1)
        rows.outcome(21.2, "rejected", text="closing: the instance disconnected before its handler ended")
        rows.add(0, "closed", 21.3)
        rows.process(2, "stock", at=22.0)
        rows.leave(2, 90.0)
        assert names(rows) == []

    @pytest.mark.parametrize(
        ("closing", "away", "broken"),
        [
            pytest.param(49.9, 49.95, False, id="it gave up leaving"),
            pytest.param(49.9, 60.0, True, id="Redis was there"),
            pytest.param(51.0, 49.95, True, id="nobody left"),
        ],
    )
    def test_a_later_answer_that_is_refused(self, rows: Rows, closing: float, away: float, broken: bool) -> None:
        rows.fault("user-off", away, away + 3.0, redis="away")
        rows.add(0, "closing", closing)
        rows.add(0, "note", 50.0, "an answer that came later was refused: it is not connected any longer")
        rows.add(0, "closed", closing + 0.2)
        assert ("WORKER" in names(rows)) is broken

    def test_a_gem_promises_nothing_and_its_answers_are_its_own(self, rows: Rows) -> None:
        rows.process(2, "gem", runtime="gem")
        rows.add(1, "send", 10.0, ASK, "gem", 5.0, "quick", 0.0)
        rows.run(10.1, process=2, ends=10.2)
        rows.run(12.1, process=2, run=2, ends=12.2)
        rows.outcome(15.0, "timeout")
        assert names(rows) == []
        rows.add(1, "send", 20.0, ASK + 1, "gem", 5.0, "quick", 0.0)
        rows.outcome(20.1, answer=[ASK, 2, 1], ask=ASK + 1)
        assert names(rows) == ["G2"]


class TestResidue:
    ENTRY = ("entry", f"{ASK}-0", ["id", "x", "instance_id", "y", "status", "pending", "content", "", "source_group", "web",
                                   "destination_group", "stock"])  # fmt: skip

    def test_an_entry_that_is_left(self, rows: Rows) -> None:
        rows.good(10.0)
        rows.rest(50.0, [self.ENTRY])
        record = rows.record()
        Judge(record).check()
        assert [name for name, _, _ in record.history.violations] == ["G8"]

    @pytest.mark.parametrize("still", [0.2, 0.7])
    def test_where_the_harness_stood_still_nobody_could_come_to_rest(self, rows: Rows, still: float) -> None:
        rows.good(10.0)
        rows.add(None, "still", 50.1 + still, 50.1, "harness")
        rows.rest(50.0, [self.ENTRY])
        judge = Judge(rows.record())
        judge.check()
        broken = [name for name, _, _ in judge.history.violations]
        assert (broken, len(judge.unjudged)) == ((["G8"], 0) if still == 0.2 else ([], 1))

    def test_a_pending_entry_that_is_left(self, rows: Rows) -> None:
        rows.good(10.0)
        rows.rest(50.0, [["pending", f"{ASK}-0", ["stock", "dispatcher_x_0", 5000, 1]]])
        record = rows.record()
        Judge(record).check()
        assert [name for name, _, _ in record.history.violations] == ["G8"]

    def test_what_was_sent_before_the_group_was_destroyed_is_excused(self, rows: Rows) -> None:
        rows.good(10.0)
        rows.fault("group-destroyed", 11.0, 11.0, redis="group")
        rows.rest(50.0, [self.ENTRY])
        record = rows.record()
        Judge(record).check()
        assert record.history.violations == []

    @pytest.mark.parametrize("rewind", [10.5, 9.0])
    def test_an_entry_whose_xadd_had_no_reply_is_known_by_who_ran_it(self, rows: Rows, rewind: float) -> None:
        rows.send(10.0, stored=False)
        rows.run(10.01, ends=10.02)
        rows.outcome(15.0, "timeout")
        rows.fault("restart-aof", rewind - 0.1, rewind, redis="rewind")
        rows.rest(50.0, [self.ENTRY])
        record = rows.record()
        Judge(record).check()
        assert ("G8" in [name for name, _, _ in record.history.violations]) is (rewind < 10.0)

    @pytest.mark.parametrize("ends", [49.0, 53.0])
    def test_what_a_handler_still_runs_is_pending_until_it_ends(self, rows: Rows, ends: float) -> None:
        rows.send(10.0, timeout=30.0)
        rows.run(39.0, ends=ends)
        rows.outcome(40.0, "timeout")
        rows.rest(50.0, [self.ENTRY, ["pending", f"{ASK}-0", ["stock", "dispatcher_000000_0", 2000, 1]]])
        record = rows.record()
        Judge(record).check()
        assert ("G8" in [name for name, _, _ in record.history.violations]) is (ends < 50.0)

    def test_what_a_dead_requester_left_has_its_time(self, rows: Rows) -> None:
        rows.send(10.0)
        rows.add(None, "killed", 10.1, 1)
        rows.process(2, "web")
        rows.rest(50.0, [self.ENTRY])
        record = rows.record()
        Judge(record).check()
        assert [name for name, _, _ in record.history.violations if name == "G8"] == []

    @pytest.mark.parametrize("killed", [True, False])
    def test_a_response_whose_xadd_had_no_reply_belongs_to_its_requester(self, rows: Rows, killed: bool) -> None:
        rows.send(10.0)
        rows.outcome(15.0, "timeout")
        if killed:
            rows.add(None, "killed", 15.1, 1)
        rows.process(2, "web")
        fields = ["id", f"id{ASK}", "instance_id", "000001", "status", "fulfilled", "", "", "", "", "", "web"]
        rows.rest(50.0, [["entry", "77-0", fields], ["pending", "77-0", ["web", "consumer_000001_0", 1400, 9]]])
        record = rows.record()
        Judge(record).check()
        assert ("G8" in [name for name, _, _ in record.history.violations]) is not killed


@pytest.mark.parametrize("killed", [True, False])
def test_an_unknown_entry_is_of_the_dead_if_its_consumer_is(rows: Rows, killed: bool) -> None:
    rows.good(10.0)
    if killed:
        rows.add(None, "killed", 15.1, 1)
    rows.process(2, "web")
    rows.rest(50.0, [["pending", "77-0", ["web", "consumer_000001_0", 1400, 9]]])
    record = rows.record()
    Judge(record).check()
    assert ("G8" in [name for name, _, _ in record.history.violations]) is not killed


@pytest.mark.parametrize("late", [0.5, 0.1])
def test_a_last_look_that_came_to_the_end_of_its_time_may_miss_a_response(rows: Rows, late: float) -> None:
    rows.send(10.0)
    rows.run(10.01, ends=14.0)
    rows.answered(14.5)
    rows.outcome(15.0 + late, "timeout")
    record = rows.record()
    judge = Judge(record)
    judge.check()
    assert ("G9" in [name for name, _, _ in record.history.violations]) is (late < 0.4)
    assert judge.excused == ({} if late < 0.4 else {"G9": 1})


@pytest.mark.parametrize("count", [9, 10])
def test_last_looks_that_run_out_of_time_are_counted_and_may_not_become_the_rule(rows: Rows, count: int) -> None:
    for number in range(count):
        start = 10.0 + number
        rows.send(start, ask=ASK + number)
        rows.run(start + 0.01, ask=ASK + number, ends=start + 4.0)
        rows.answered(start + 4.5, ask=ASK + number)
        rows.outcome(start + 5.5, "timeout", ask=ASK + number)
    record = rows.record()
    judge = Judge(record)
    judge.check()
    assert judge.excused == {"G9": count}
    assert ("LOOKS" in [name for name, _, _ in record.history.violations]) is (count >= 10)


@pytest.mark.parametrize("written", [15.1, 15.9])
def test_a_deletion_counts_from_when_it_was_written(rows: Rows, written: float) -> None:
    rows.send(10.0)
    rows.outcome(15.4, "timeout")
    rows.add(None, "deleted", 16.0, f"{ASK}-0", written)
    record = rows.record()
    Judge(record).check()
    assert ("RIPC-TIME-13" in [name for name, _, _ in record.history.violations]) is (written > 15.4)
