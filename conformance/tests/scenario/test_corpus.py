"""Habits of the scenarios that ship, which the grammar cannot ask for."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

from redisipc_conformance.files import scenarios_folder
from redisipc_conformance.scenario import Scenario, load_all
from redisipc_conformance.scenario.demands import roles_of
from redisipc_conformance.testee.claims import needs


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


SPOKEN_OF = re.compile(r"\$\{(\w+)\.(?:id|entry|instance_id)\}")
WAITS_FOR = frozenset({"entry", "read", "received", "handed"})
"""Words that wait until the entry that they are asked `of` was written."""


def early(scenario: Scenario) -> list[str]:
    """Steps that speak of a send's request before any step has waited for it to be written."""
    found: list[str] = []
    unwritten: set[str] = set()
    for step in scenario.walk():
        arguments = step.arguments if isinstance(step.arguments, dict) else {}
        if step.word in ("send", "trigger") and step.bind:
            unwritten.add(step.bind)
        if step.word in WAITS_FOR:
            unwritten.discard(str(arguments.get("of")))
        elif not step.blocks and step.word not in ("outcome", "cancel"):
            labels = {str(arguments.get(key)) for key in ("answer", "entry", "has", "lacks", "of")}
            spoken = labels | set(SPOKEN_OF.findall(json.dumps(step.arguments)))
            found += [f"{scenario.file}:{step.line}: {name}" for name in sorted(spoken & unwritten)]
    return found


def test_no_step_speaks_of_a_request_that_no_step_has_waited_for() -> None:
    """A slow testee has not written it yet."""
    assert [line for scenario in load_all(scenarios_folder()) for line in early(scenario)] == []


def stands_in(other: Scenario, scenario: Scenario) -> bool:
    """Whether every testee and server that plays `scenario` plays `other`, too."""
    return (
        (other.profile == scenario.profile or other.profile in needs().get(scenario.profile, ()))
        and set(other.features) <= set(scenario.features)
        and roles_of(other) <= roles_of(scenario)
        and other.server in ("", scenario.server)
        and (scenario.own_server or not other.own_server)
    )


def test_the_default_run_decides_every_statement() -> None:
    """A thorough run only asks again. No testee is conformant in a default run because a statement was not tried."""
    scenarios = load_all(scenarios_folder())
    asked = [(each, {id for check in each.checks for id in check.requirements}) for each in scenarios]
    undecided = {
        f"{scenario.id}: {statement}"
        for scenario, statements in asked
        if scenario.thorough
        for statement in statements
        if not any(statement in others and not other.thorough and stands_in(other, scenario) for other, others in asked)
    }
    assert undecided == set()
    assert any(scenario.thorough for scenario in scenarios)


FAULTS = frozenset({"cut", "half-open", "silence", "process", "server", "fault", "slow", "limit"})


def test_a_fault_that_comes_again_and_again_comes_at_a_phase_that_the_seed_draws() -> None:
    """At one fixed phase of a period in five, a mistake passes four runs of five."""
    fixed, drawn = [], 0
    for scenario in load_all(scenarios_folder()):
        for again in (step for step in scenario.walk() if step.word == "repeat"):
            inside = list(again.walk())
            if FAULTS.isdisjoint(step.word for step in inside):
                continue
            waits = [step for step in inside if step.word == "wait"]
            drawn += sum(isinstance(step.arguments, dict) for step in waits)
            fixed += [f"{scenario.file}:{step.line}" for step in waits if not isinstance(step.arguments, dict)]
    assert fixed == [], "wait: {$between: [least, most]}"
    assert drawn >= 3


def test_only_a_server_of_its_own_is_held_up_by_a_command_that_blocks():
    """The scenarios that share a server share the suite's connection to it: such a command would hold all of them up."""
    blocking = re.compile(r"redis: \[(BL|BR|BZ|WAIT|XREAD[A-Z]*, .*BLOCK)")
    found = [each.id for each in load_all(scenarios_folder()) if blocking.search(each.text) and not each.own_server]
    assert found == []
