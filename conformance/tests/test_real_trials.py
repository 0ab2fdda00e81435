"""The judgement of one patch may take several runs: each continues, and a failure in an earlier one counts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from redisipc_conformance.files import scenarios_folder
from redisipc_conformance.results import CheckResult, Verdict
from redisipc_conformance.scenario import Scenario, load_all

MUTANTS = Path(__file__).parents[1] / "mutants"
sys.path.insert(0, str(MUTANTS))

import fates  # noqa: E402
import patches  # noqa: E402
import real  # noqa: E402

REQUIREMENT = "RIPC-REQ-4"
PATCH = patches.Patch("one", "threads", "k", (REQUIREMENT,), "f", "README.md", (("x", "y"),))
NEVER = float("inf")


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    every = load_all(scenarios_folder())
    quick = [each for each in every if "slow" not in each.needs and each.profile != "ask"]
    return [each for each in quick if any(REQUIREMENT in check.requirements for check in each.checks)][:3]


class Played:
    """Runs in which a check of these scenarios fails, or the time is over after one; and which were played."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, scenarios: Sequence[Scenario]) -> None:
        self.monkeypatch = monkeypatch
        self.scenarios = scenarios

    def run(
        self, fails: Sequence[str] = (), over_after: str = "", then: Literal["", "busy", "cut", "late"] = ""
    ) -> tuple[fates.Fate, list[str]]:
        """``then``: what the second trial of a scenario that failed comes to, if it does not pass."""
        hunt = real.Hunt(None, self.scenarios, NEVER, again=True)  # type: ignore[arg-type]
        hunt._known = {}
        played: list[str] = []
        left = list(fails)

        async def caught(
            _patch: patches.Patch, _command: object, some: Sequence[Scenario], *, likely: bool = False
        ) -> real.Caught:
            found = real.Caught()
            for scenario in some:
                name = f"{scenario.id}/c"
                again = scenario.id in played
                played.append(scenario.id)
                if again and then == "cut":
                    continue
                found.ended.add(scenario.id)
                if again and then == "busy":
                    found.undecided.append(name)
                elif again and then == "late":
                    found.late[name] = CheckResult("c", "", (REQUIREMENT,), "MUST", Verdict.FAIL, "nothing came")
                if scenario.id == over_after:
                    hunt.until = 0.0
                if scenario.id in left:
                    left.remove(scenario.id)
                    wrong = CheckResult("c", "", (REQUIREMENT,), "MUST", Verdict.FAIL, "it is wrong")
                    found.named[name] = wrong
                    break
            return found

        self.monkeypatch.setattr(hunt, "_caught", caught)
        return asyncio.run(hunt._tried(PATCH, [])), played


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scenarios: list[Scenario]) -> Played:
    monkeypatch.setattr(fates, "_KEPT", tmp_path / "kept.json")
    monkeypatch.setattr(real, "_AT_ONCE", 1)
    return Played(monkeypatch, scenarios)


def test_the_next_run_continues_where_the_time_was_over(played: Played, scenarios: list[Scenario]):
    one, two, three = [each.id for each in scenarios]
    fate, met = played.run(over_after=two)
    assert (fate.verdict, met) == (fates.UNDECIDED, [one, two])
    fate, met = played.run()
    assert (fate.verdict, met) == ("survived", [three])


def test_a_failure_counts_in_the_next_run(played: Played, scenarios: list[Scenario]):
    two = scenarios[1].id
    fate, _ = played.run(fails=[two], over_after=two)
    assert fate.verdict == fates.UNDECIDED
    fate, met = played.run(fails=[two])
    # What caught it before comes first, and once.
    assert (fate.verdict, fate.by, met) == ("killed", (f"{two}/c",), [two])


def test_what_failed_once_only_is_no_kill_and_hides_no_other(
    played: Played, scenarios: list[Scenario], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(real, "_AT_ONCE", 3)
    one, two, three = [each.id for each in scenarios]
    fate, met = played.run(fails=[one])
    assert (fate.verdict, met) == ("survived", [one, one, two, three])


@pytest.mark.parametrize(
    ("then", "verdict"), [("busy", fates.UNDECIDED), ("cut", fates.UNDECIDED), ("late", "by-timeout")]
)
def test_what_the_second_trial_left_open_has_not_survived(
    played: Played, scenarios: list[Scenario], then: Literal["busy", "cut", "late"], verdict: str
):
    one = scenarios[0].id
    fate, _ = played.run(fails=[one], then=then)
    assert fate.verdict == verdict
    fate, _ = played.run(fails=[one])
    assert (fate.verdict, fate.by) == ("killed", (f"{one}/c",))
