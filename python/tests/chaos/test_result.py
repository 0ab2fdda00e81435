"""Results of runs: a line each, added up again to the same figures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from chaos.lab.lab import Load
from chaos.report.result import Result, append, result_of, results
from chaos.report.summary import Summary, totals
from chaos.run import Done, Wanted

from .history import ASK, Rows


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    (tmp_path / "run").mkdir()
    return Rows(tmp_path / "run")


def result(rows: Rows, *, alone: bool = True, struck: int = 1) -> Result:
    wanted = Wanted("redis-server", "plain", ["restart"], "7:0", 100, int(alone), Load(), 20.0)
    done = Done("Redis 7", "plain", 60.0, 2, Counter({"restart": struck}), [], 0.5, 1000, "abc1234")
    return result_of(wanted, done, rows.folder)


def ran(rows: Rows) -> Rows:
    rows.good(10.0)
    rows.fault("restart", 20.0, 21.0, redis="restart")
    rows.add(0, "told", 20.1, "connection", "connection lost")
    rows.good(21.4, ask=ASK + 1)
    rows.rest(100.0)
    return rows


def test_a_line_is_read_back_as_it_was(rows: Rows, tmp_path: Path) -> None:
    found = result(ran(rows))
    append(tmp_path / "results.jsonl", found)
    assert results(tmp_path) == [found]
    assert (found.commit, found.requests, found.struck["restart"]) == ("abc1234", 2, 1)
    assert found.recoveries[0].fault == "restart"
    assert found.seen["restart"].told == 1


def test_mixed_faults_tell_nothing_about_recovery(rows: Rows) -> None:
    found = result(ran(rows), alone=False)
    assert found.recoveries == []
    assert found.seen == {}


def test_runs_add_up_and_what_struck_too_rarely_is_named(rows: Rows, tmp_path: Path) -> None:
    found = result(ran(rows), struck=6)
    for _ in range(2):
        append(tmp_path / "deep" / "results-a.jsonl", found)
    read = results(tmp_path)
    summary = Summary(read)
    assert (summary.requests, summary.struck["restart"], summary.seen["restart"].times) == (4, 12, 2)
    assert len(summary.recoveries) == 2
    text = totals(read)
    assert "4 requests, 4 runs, 12 faults of 1 kinds" in text
    rare = next(line for line in text.splitlines() if line.startswith("Struck fewer"))
    assert "cut-reset 0" in rare
    assert "restart 12" not in rare


def test_a_violation_comes_with_what_happened_to_its_request(rows: Rows, tmp_path: Path) -> None:
    rows.send(10.0)
    rows.rest(100.0)
    found = result(rows)
    append(tmp_path / "results.jsonl", found)
    assert found.broken["G1"] == 1
    (read,) = results(tmp_path / "results.jsonl")
    assert not Summary([read]).good
    assert "VIOLATION G1" in totals([read])
    assert read.violations[0].about.startswith(f"request {ASK} of process 1")


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text('{"commit": "x"}\n')
    with pytest.raises(ValueError, match="not a result"):
        results(tmp_path)
