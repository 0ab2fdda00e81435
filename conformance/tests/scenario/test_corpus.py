"""Habits of the scenarios that ship, which the grammar cannot ask for."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from redisipc_conformance.files import scenarios_folder
from redisipc_conformance.scenario import Scenario, load_all


def timeouts(scenario: Scenario) -> dict[str, set[Any]]:
    """The timeouts that each endpoint's sends are given; None for a send without."""
    found: dict[str, set[Any]] = defaultdict(set)
    for step in (inner for outer in scenario.steps for inner in outer.walk()):
        if step.word in ("send", "trigger") and isinstance(step.arguments, dict):
            found[str(step.arguments["from"])].add(step.arguments.get("timeout"))
    return found


def test_a_timeout_that_all_sends_of_an_endpoint_share_is_given_where_it_connects() -> None:
    """So that a library without a timeout for each send fails what asks for one, and not all the rest."""
    shared = {
        f"{scenario.id}: {name}"
        for scenario in load_all(scenarios_folder())
        for name, given in timeouts(scenario).items()
        if len(given) == 1 and isinstance(next(iter(given)), (int, float))
    }
    assert shared == set()
