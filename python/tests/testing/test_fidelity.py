"""The conformance suite over the model: the stored number, a part of it each time, and that it is printed as it is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from random import Random

import pytest

from . import fidelity

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PART = ("entry/*", "route/own-*", "requester/one-outcome", "group/hand-over", "recover/flushed")
"""Scenarios of a few seconds together: `make fidelity` runs all of them."""


def test_the_documents_print_the_stored_number() -> None:
    for name in ("README.md", "docs/testing.md"):
        assert fidelity.sentence() in (ROOT / name).read_text("utf-8"), f"{name} must say: {fidelity.sentence()}"


def test_what_fails_over_the_model_is_named_with_its_reason() -> None:
    failed = {scenario for mine in fidelity.stored().values() for scenario in mine["failed"]}
    assert failed <= set(fidelity.LEFT_OUT)
    page = (ROOT / "docs" / "testing.md").read_text("utf-8")
    assert not [scenario for scenario in fidelity.LEFT_OUT if scenario not in page]


def test_a_number_that_falls_is_told() -> None:
    before = {"x": {"checks": 3, "passed": 3, "failed": []}, "y": {"checks": 1, "passed": 1, "failed": []}}
    now = {"x": {"checks": 3, "passed": 2, "failed": ["group/one"]}}
    assert fidelity.fallen(now, before) == ["x: 2 checks pass, 3 did; now fails: group/one"]
    assert fidelity.fallen(before, before) == []


SUITE = (sys.executable, "-m", "redisipc_conformance")
QUICK = (
    "caller", "diagnosis", "dropped", "late_callbacks", "leaving", "messages", "observers", "odd_user_code", "on_state",
    "options", "own_rejections", "reasons", "request", "stream", "user_code", "vitals",
)  # fmt: skip
"""Files of the library's own tests that take seconds over the double."""
FILES_A_DAY = 2
A_DAY = 12
"""So many scenarios are drawn each day: in a month, most of those that are quick have run."""


def passed(scenarios: Sequence[str], runtime: str, report: Path) -> int:
    """Run scenarios over the model, all of whose checks must pass. Returns how many there are."""
    testee = [sys.executable, str(ROOT / "python" / "testee" / "testee.py"), "--runtime", runtime]
    done = subprocess.run(
        [*SUITE, "run", "--redis", "model", *scenarios, "--report", f"json={report}", "--", *testee],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert report.exists(), done.stdout + done.stderr
    [mine] = fidelity.numbers([json.loads(report.read_text("utf-8"))]).values()
    assert mine["failed"] == [], done.stdout
    assert mine["passed"] == mine["checks"]
    return int(mine["passed"])


def test_a_part_of_the_suite_passes_over_the_model(tmp_path: Path) -> None:
    assert passed(PART, "threads", tmp_path / "report.json") > 100


def test_scenarios_that_are_drawn_each_day_pass_over_the_model(tmp_path: Path) -> None:
    """The stored number may fall anywhere: a part that is always the same would not show it."""
    listed = subprocess.run([*SUITE, "list", "--json"], capture_output=True, text=True, timeout=100, check=True)
    quick = [one["id"] for one in json.loads(listed.stdout) if not one["needs"] and not one["parallel"]]
    assert len(quick) > 100
    today = datetime.now(timezone.utc).date().toordinal()
    drawn = Random(today).sample(quick, A_DAY)
    print(f"drawn for day {today}: {' '.join(drawn)}")
    assert passed(drawn, ("threads", "asyncio")[today % 2], tmp_path / "report.json") >= A_DAY


def test_a_part_of_the_library_s_own_tests_passes_over_the_double() -> None:
    """`make double` runs all of them. Those that wait little are drawn, others each day."""
    drawn = Random(datetime.now(timezone.utc).date().toordinal()).sample(QUICK, FILES_A_DAY)
    print(f"drawn: {' '.join(drawn)}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--double", "tests/channel", *[f"tests/runtime/test_{name}.py" for name in drawn]],
        cwd=ROOT / "python", env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"\b(\d+) passed", done.stdout)
    assert found is not None, done.stdout
    assert int(found[1]) > 40 + 3 * FILES_A_DAY, done.stdout
