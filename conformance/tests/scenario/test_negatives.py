"""Each negative expectation of the corpus stands behind something that was seen: "did not happen" is known only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from redisipc_conformance.engine.step_runner import ACTS
from redisipc_conformance.files import scenarios_folder
from redisipc_conformance.scenario import Scenario, Step, load_all, load_file

COUNTED = frozenset({"received", "errors", "outcome", "read", "cancelled", "entry"})
STANDING = frozenset({"stream", "pending", "consumers", "groups", "list", "key"})
"""Words for the state of Redis. Without `now` they wait until what the steps before have put there is gone: that was seen."""
SEEN = frozenset(
    {
        "fence", "outcome", "received", "entry", "read", "handed", "struck", "done", "cancelled", "errors", "wait", "pending",
        "stream", "consumers", "list", "groups", "commands", "elapsed", "attempts", "connections", "last-delivered",
    }
)  # fmt: skip
"""Words that end only when the thing was there, or when a period of SPEC.md is over."""


def negative(step: Step) -> bool:
    """Whether it holds at once where nothing was done at all."""
    said = step.arguments if isinstance(step.arguments, dict) else {}
    if step.throughout is not None:
        return False
    if step.word in COUNTED and (said.get("none") or said.get("count") == 0):
        return True
    if step.word == "commands":
        return "none" in said or said.get("count") == 0
    gone = "lacks" in said or said.get("count") == 0 or said.get("exists") is False
    return step.word in STANDING and gone and step.now


def came_back(step: Step) -> bool:
    """Whether it is a call whose end is awaited: the testee has left, or has refused to connect."""
    said = step.arguments if isinstance(step.arguments, dict) else {}
    return (step.word == "disconnect" and said.get("wait", True)) or (
        step.word == "connect" and bool(said.get("refused"))
    )


def behind_nothing(scenario: Scenario) -> list[str]:
    """The negative steps that decide a check with no observation between them and the last act."""
    found, seen = [], False
    for step in scenario.walk():
        if negative(step):
            found += [f"{scenario.id}, line {step.line}: {step.word}"] if step.checks and not seen else []
        elif (step.word in SEEN and not step.now) or came_back(step):
            seen = True
        elif step.word in ACTS and not (step.word == "redis" and step.has_reply):
            seen = False
    return found


def test_no_negative_of_the_corpus_stands_behind_nothing() -> None:
    assert [line for scenario in load_all(scenarios_folder()) for line in behind_nothing(scenario)] == []


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ("- fence: a\n", 0),
        ("- received: {by: a}\n", 0),
        ("- wait: 10\n", 0),
        ("- mark: m\n", 1),
        ("- fence: a\n- add: {from: b, to: a}\n", 1),
        ("- received: {by: a}\n  now: true\n", 1),
    ],
)
def test_the_scan_finds_what_stands_behind_nothing(tmp_path: Path, before: str, told: int) -> None:
    file = tmp_path / "x" / "y.yaml"
    file.parent.mkdir()
    steps = "- connect: a\n- peer: b\n- add: {from: b, to: a}\n  as: e\n" + before
    steps += "- received: {by: a, none: true}\n  now: true\n  check: it\n"
    file.write_text(f"id: x/y\ntitle: t\nchecks: {{it: {{text: t, requirements: [RIPC-ODD-2]}}}}\nsteps:\n{steps}")
    assert len(behind_nothing(load_file(file))) == told
