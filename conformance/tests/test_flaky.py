"""The runs of `make flaky` are spread evenly, continue where they stopped, and are summed up."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from redisipc_conformance.engine.run import Engine

FILE = Path(__file__).parents[1] / "flaky.py"


@pytest.fixture
def flaky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    spec = importlib.util.spec_from_file_location("flaky", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["flaky"] = module
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "STORED", tmp_path / "out" / "flaky.json")
    return module


def test_every_condition_comes_up_as_often_as_any_other(flaky: Any):
    found = [cell for cell in flaky.cells(["threads", "node"], ["a", "b:1"], 12) if not cell.tenth]
    for name, values in (("scale", 3), ("jobs", 2), ("delay", 2), ("burden", 2), ("server", 2), ("testee", 2)):
        assert set(Counter(getattr(cell, name) for cell in found).values()) == {24 // values}, name
    assert len({cell.seed for cell in found}) == 24


def test_a_later_call_continues_and_the_table_sums_up_all(flaky: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any):
    ran: list[Any] = []

    def run(cell: Any, loaded: bool) -> dict[str, Any]:
        ran.append(cell)
        bad = {"entry/a/b": "fail: it does not hold"} if len(ran) == 3 else {}
        return {**flaky.asdict(cell), "seconds": 1, "load": 0.5, "checks": 10, "bad": bad, "notes": []}

    monkeypatch.setattr(flaky, "run", run)
    for times, code, count in (("2", 0, 2), ("3", 1, 3), ("3", 1, 3)):
        monkeypatch.setattr(sys, "argv", ["flaky.py", "--testees", "threads", "--times", times, "--bounded", "0"])
        assert flaky.main() == code
        assert len(ran) == count
    out = capsys.readouterr().out
    assert "| all | 3 | 30 | 1 | 0 |" in out
    assert "- 1 of 3: entry/a/b: fail: it does not hold (first with testee threads" in out
    assert len(json.loads(flaky.STORED.read_text())) == 3


def test_a_call_that_has_no_time_begins_nothing(flaky: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flaky, "run", lambda cell, loaded: pytest.fail("it began one"))
    monkeypatch.setattr(sys, "argv", ["flaky.py", "--testees", "threads", "--seconds", "-1"])
    assert flaky.main() == 1, "nothing is stored, so nothing is shown"


def test_the_relay_passes_every_line_later_and_ends_as_the_testee_does():
    program = "import sys, time; [print(time.time(), l.strip(), flush=True) for l in sys.stdin]; sys.exit(3)"
    command = [sys.executable, str(FILE), "--relay", "0.2", "--", sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as done:
        out, _ = done.communicate("a\nb\n", timeout=20)
    assert [line.split()[1] for line in out.splitlines()] == ["a", "b"]
    assert done.returncode == 3


def test_what_has_a_bound_of_time_runs_as_often_as_it_should(flaky: Any):
    found = list(flaky.cells(["threads", "asyncio", "node"], ["a"], 2, bounded=10))
    whole = [cell for cell in found if not cell.tenth and not cell.bounded]
    assert len(whole) == 6
    assert found[: len(whole)] == whole, "whole runs come first"
    assert Counter(cell.testee for cell in found) == {"threads": 4, "asyncio": 4, "node": 4}, "12 runs are 10 at least"
    assert len({cell.seed for cell in found}) == len(found)


def test_runs_with_second_trials_and_what_is_inconclusive_are_counted(flaky: Any):
    run = {**flaky.asdict(flaky.Cell("node", 1, 1, 4, 0.0, 0, "a")), "checks": 3, "bad": {}, "notes": []}
    engine = Engine.__new__(Engine)
    engine._again = ["entry/request"]
    unclear = {**run, "bad": {"a/b": "inconclusive: late"}, "notes": list(engine._lags())}
    told = "\n".join(flaky.table([run, unclear]))
    assert "| all | 2 | 6 | 1 | 1 |" in told
    assert told.endswith("a second time: 1")


def test_only_scenarios_with_a_bound_of_time_are_counted(flaky: Any):
    known = {scenario.id: flaky.timed(scenario) for scenario in flaky.corpus()}
    assert known["timeout/on-time"]
    assert not known["entry/six-fields"]
    run = {**flaky.asdict(flaky.Cell("node", 1, 1, 4, 0.0, 0, "a")), "checks": 3, "bad": {}, "notes": []}
    every = sorted(id for id, one in known.items() if one)
    told = "\n".join(flaky.table([{**run, "timed": every}, {**run, "timed": every[1:]}, run]))
    assert f"Each of {len(every)} scenarios with a bound of time ran at least 1 times ({every[0]})" in told
