"""The statements whose checks rest on the testee's word alone are listed, each with its reason."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

from redisipc_conformance.files import scenarios_folder
from redisipc_conformance.scenario import load_all

LISTED = Path(__file__).parents[1] / "word-alone.yaml"
TOLD = frozenset(
    {
        "received", "outcome", "errors", "cancelled", "done", "connect", "send", "trigger", "fulfill", "reject", "raise",
        "ignore", "disconnect", "fork", "value", "elapsed", "cancel",
    }
)  # fmt: skip
"""Words that look at nothing but answers and notifications of the testee, and at their times."""


def seen_on_the_wire() -> dict[str, bool]:
    """Of each statement, whether a step of a check of it looks at Redis or at the tap."""
    found: dict[str, bool] = {}
    for scenario in load_all(scenarios_folder()):
        for check in scenario.checks:
            wire = any(check.name in step.checks and step.word not in TOLD for step in scenario.walk())
            for statement in check.requirements:
                found[statement] = found.get(statement, False) or wire
    return found


def test_what_rests_on_the_testee_s_word_alone_is_listed_with_the_reason() -> None:
    groups = YAML(typ="safe").load(LISTED.read_text("utf-8"))
    listed = [statement for group in groups for statement in group["statements"]]
    assert sorted(listed) == sorted(statement for statement, wire in seen_on_the_wire().items() if not wire)
    assert all(group["why"].strip() for group in groups)
