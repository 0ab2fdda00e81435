"""A fault that hits one acknowledgement or deletion must not hit that of a fence.

An answered fence ends when its request is acknowledged. The deletion of that request, and the acknowledgement of its answer,
may come later: then the fault is spent, and the check passes for a port that repeats nothing.
"""

from __future__ import annotations

from typing import Any

from redisipc_conformance.files import scenarios_folder
from redisipc_conformance.scenario import Scenario, Step, load_all

SETTLES = ("XACK ...", "XDEL ...")
QUIET = frozenset({"fault", "mark"})
"""Words behind which the testee may still settle the fence."""


def arguments(step: Step) -> dict[str, Any]:
    return step.arguments if isinstance(step.arguments, dict) else {"endpoint": step.arguments, "on": step.arguments}


def hits_a_fence(scenario: Scenario) -> list[str]:
    """The lines of the faults that the settling of a fence may use up."""
    found: list[str] = []
    answered: set[str] = set()
    for step in scenario.walk():
        said = arguments(step)
        if step.word == "fence":
            answered |= {said["endpoint"]} if said.get("kind") != "read" else set()
        elif step.word == "fault" and said["command"] in SETTLES and said.get("times") != 0:
            found += [f"{scenario.id}, line {step.line}: {said['command']}"] if said["on"] in answered else []
        elif step.word not in QUIET:
            answered.clear()
    return found


def test_no_fault_for_one_settling_follows_an_answered_fence() -> None:
    assert [line for scenario in load_all(scenarios_folder()) for line in hits_a_fence(scenario)] == []
