"""A real run, a short one: real processes, a real server, two faults."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos.lab.lab import Load
from chaos.report.result import result_of
from chaos.report.summary import Summary
from chaos.run import Wanted, kept, run


@pytest.mark.slow
async def test_faults_strike_are_proven_and_the_history_is_whole(tmp_path: Path) -> None:
    said: list[str] = []
    load = Load(rate=40.0, kinds={"quick": 8, "short": 2, "reject": 1}, timeouts={"5": 1})
    wanted = Wanted("", "plain", ["cut-all", "member-stopped", "stream-deleted"], "1", 200, 1, load, 20.0)
    done = await run(wanted, tmp_path / "run", said.append)
    assert done.unproven == []
    assert sum(done.struck.values()) == 3
    assert kept(tmp_path / "run") == (wanted, done)
    summary = Summary()
    summary.add(result_of(wanted, done, tmp_path / "run"), said.append)
    assert summary.good, "\n".join(said)
    assert summary.requests >= 200
    assert summary.outcomes["fulfilled"] > 0.7 * summary.requests
    assert {one.fault for one in summary.recoveries} == set(wanted.faults)
    assert all(one.every is not None for one in summary.recoveries)
    assert summary.seen["stream-deleted"].told > 0, "the user is told that the stream is gone"
    assert "cut-all" in str(summary)
