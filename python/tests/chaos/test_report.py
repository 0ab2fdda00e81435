"""The tables: what recovered when, and what the user learnt."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos.report import recovery, seen, used
from chaos.report.tables import table

from .history import ASK, Rows


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return Rows(tmp_path)


def recoveries(rows: Rows) -> dict[str, recovery.Recovery]:
    rows.rest(100.0)
    return {one.fault: one for one in recovery.Recoveries(rows.record()).all()}


def test_recovery_counts_from_the_end_of_the_fault_to_each_endpoints_first_success(rows: Rows) -> None:
    rows.good(10.0)
    rows.fault("restart", 20.0, 21.0, redis="restart")
    rows.good(21.4, ask=ASK + 1)
    rows.add(0, "down", 21.3, 20.1)
    found = recoveries(rows)["restart"]
    assert found.first == pytest.approx(0.402)
    assert found.every == pytest.approx(0.41)
    assert found.connected == pytest.approx(0.3)
    assert found.by_runtime == {"threads": found.every}


def test_a_silent_death_counts_from_its_beginning_and_for_those_whom_it_hit(rows: Rows) -> None:
    rows.fault("half-open", 20.0, 29.0, members="cut off", who=(1,))
    rows.good(25.5)
    found = recoveries(rows)["half-open"]
    assert found.every == pytest.approx(5.51)


def test_who_has_no_success_before_the_next_fault_has_not_recovered(rows: Rows) -> None:
    rows.fault("restart", 20.0, 21.0, redis="restart")
    rows.fault("flushall", 24.0, 24.0, redis="empty")
    rows.good(24.2)
    found = recoveries(rows)
    assert found["restart"].every is None
    assert found["flushall"].every is not None


def test_an_outage_that_the_next_fault_made_is_not_this_ones(rows: Rows) -> None:
    rows.fault("cut-reset", 20.0, 20.0, members="cut off", who=(0,))
    rows.good(20.1)
    rows.fault("restart", 23.0, 24.0, redis="restart")
    rows.add(0, "down", 24.5, 22.95)
    rows.good(24.6, ask=ASK + 1)
    found = recoveries(rows)
    assert found["cut-reset"].connected == 0.0
    assert found["restart"].connected == pytest.approx(0.5)


def test_the_place_of_a_killed_process_recovers_with_the_next_one(rows: Rows) -> None:
    rows.add(None, "killed", 20.0, 0)
    rows.fault("responder-killed", 20.0, 21.5, who=(0,))
    rows.process(2, "stock", at=20.2)
    rows.send(21.9)
    rows.run(22.0, process=2, ends=22.1)
    found = recoveries(rows)["responder-killed"]
    assert found.every == pytest.approx(0.5)


def test_the_table_says_how_many_were_over_the_aim(rows: Rows) -> None:
    rows.fault("restart", 20.0, 21.0, redis="restart")
    rows.good(23.5)
    rows.rest(100.0)
    (row,) = recovery.table(recovery.Recoveries(rows.record()).all())
    assert row[0] == "restart"
    assert row[-1] == "1"


def test_what_was_told_is_counted_once_an_endpoint_and_without_what_differs(rows: Rows) -> None:
    rows.fault("restart", 20.0, 21.0, redis="restart")
    for process, port in ((0, 1234), (1, 5678)):
        rows.add(process, "told", 20.1, "connection", f"connection lost: 127.0.0.1:{port} refused for 3.20 s")
    rows.add(0, "told", 20.2, "handler", "the handler raised")
    rows.add(0, "told", 30.0, "connection", "something of another time")
    rows.add(1, "log", 20.3, "WARNING", "<shop:web:a1b2c3> trying again")
    found: dict[str, seen.Seen] = {}
    seen.gather(rows.record(), found)
    restart = found["restart"]
    assert (restart.told, restart.endpoints, restart.most, restart.logged) == (2, 2, 1, 1)
    assert restart.texts["connection: connection lost: HOST:PORT refused for N s"] == 2
    assert any("restart (1 times): 2 reports by 2 endpoints" in line for line in seen.lines(found))


def test_a_table_has_columns() -> None:
    assert table(["a", "bb"], [["x", "1"], ["long", "22"]]).splitlines() == [
        "a     bb",
        "----  --",
        "x      1",
        "long  22",
    ]


class TestUsed:
    def sampled(self, rows: Rows, memory: list[int], threads: int = 9) -> dict[str, used.Course]:
        for number, each in enumerate(memory):
            rows.add(0, "sample", float(number), each * used.MIB, 20, threads, 12, 3)
            rows.add(None, "redis", float(number), 5 * used.MIB, 30, 8, 4, 14, 2)
        found = used.courses(rows.record(), rows.folder)
        return {f"{course.who.split()[0]} {course.kind.name}": course for course in found}

    def test_what_stays_flat_is_flat_though_it_warms_up_first(self, rows: Rows) -> None:
        found = self.sampled(rows, [20, 25, 30, 40, *[50] * 26])
        assert found["stock memory, MiB"].flat
        assert all(course.flat for course in found.values())
        assert len(found) == len(used.OF_PROCESSES) + len(used.OF_REDIS)

    def test_what_grows_to_the_end_is_not(self, rows: Rows) -> None:
        found = self.sampled(rows, list(range(40, 70)))
        memory = found["stock memory, MiB"]
        assert not memory.flat
        assert (memory.begin / used.MIB, memory.end / used.MIB, memory.most / used.MIB) == (47, 67, 69)
        assert memory.row()[-1] == "GROWS"

    def test_one_that_lived_for_a_short_time_only_is_not_judged(self, rows: Rows) -> None:
        assert self.sampled(rows, [20] * 5) == {}
