"""``requirements``: what a port has to do, in the order in which to build it."""

from __future__ import annotations

import json

import pytest

from cli.conftest import Run
from redisipc_conformance.guide import ORDER, phases, roles_in, with_needed
from redisipc_conformance.requirements import Requirements
from redisipc_conformance.scenario.corpus import corpus


def test_every_area_has_a_phase():
    areas = {each.id.split("-")[1] for each in Requirements.load()}
    assert areas == {area for _, named in ORDER for area in named}


def test_all_roles_and_profiles_together_are_bound_by_everything_but_what_binds_the_operator():
    profiles = with_needed(("ask", "channel", "resilient"))
    found = phases(Requirements.load(), profiles, ("requester", "responder", "caller"))
    bound = [each.id for phase in found for each in phase.statements]
    assert len(bound) == len(set(bound))
    assert set(bound) == {each.id for each in Requirements.load() if each.role != "operator"}


def test_a_requester_of_the_base_is_not_asked_what_responders_and_groups_are():
    found = {
        each.id: each for phase in phases(Requirements.load(), ("base",), ("requester",)) for each in phase.statements
    }
    assert {"RIPC-REQ-2", "RIPC-ENTRY-1", "RIPC-LIFE-1", "RIPC-CONTENT-4"} <= found.keys()
    assert {each.profile for each in found.values()} == {"base"}
    assert "responder" not in {each.role for each in found.values()}


def test_a_caller_is_bound_by_what_the_table_of_section_8a_names():
    found = {each.id for phase in phases(Requirements.load(), ("ask",), ("caller",)) for each in phase.statements}
    assert {"RIPC-ASK-1", "RIPC-REQ-2", "RIPC-TIME-8", "RIPC-LIFE-17"} <= found
    assert not {"RIPC-LIFE-1", "RIPC-REQ-8"} & found


def test_a_profile_brings_those_that_it_builds_on():
    assert with_needed(("resilient",)) == ("base", "group", "resilient")


def test_it_prints_phases_with_the_scenarios_that_try_them(run: Run):
    ran = run("requirements", "--profile", "base", "--role", "requester")
    assert ran.code == 0
    assert ran.out.startswith("To claim base as requester, in the order in which to build it:\n\n1. names and keys\n")
    assert "RIPC-ENTRY-1 MUST: " in ran.out
    assert "      tested by entry/a, entry/b\n" in ran.out
    assert ran.out.index("2. the entry") < ran.out.index("RIPC-REQ-2 MUST")


def test_as_json_each_statement_has_its_anchor(run: Run):
    data = json.loads(run("requirements", "--json").out)
    first = data[0]["statements"][0]
    assert (data[0]["stage"], first["anchor"]) == ("names and keys", first["id"].lower())


def test_what_there_is_not_is_named(run: Run):
    assert "there is no profile wide; there are base, ask" in run("requirements", "--profile", "wide").err
    ran = run("requirements", "--profile", "ask", "--role", "responder")
    assert ran.code == 4
    assert "the profiles ask have no role responder; they have caller" in ran.err


def test_a_statement_is_printed_without_the_marks_of_a_link(run: Run):
    shown = run("requirements", "--profile", "base")
    assert "Such names belong to callers (8a)." in " ".join(shown.out.split())
    assert "](" not in shown.out


UNTESTED: dict[str, set[str]] = {
    # A port of `base` or `channel` alone reads no own list, so it meets no entry without a body.
    "base": {"RIPC-ROUTE-12"},
    "channel": {"RIPC-ROUTE-12"},
    # A caller skips an entry with two destinations as malformed, and its own ids always have one form.
    "ask": {"RIPC-ENTRY-12", "RIPC-ODD-11"},
    # Members of `group` delete no consumer of their own: RIPC-LIFE-21 belongs to `resilient`.
    "group": {"RIPC-LIFE-25"},
    "resilient": set(),
}


@pytest.mark.parametrize("profile", list(UNTESTED))
def test_a_scenario_of_the_profile_itself_tests_each_mandatory_statement(profile: str) -> None:
    profiles = with_needed((profile,))
    tested = {id for each in corpus() if each.profile in profiles for check in each.checks for id in check.requirements}
    found = phases(Requirements.load(), profiles, roles_in(profiles))
    musts = {each.id for phase in found for each in phase.statements if each.level == "MUST" and not each.reason}
    assert musts - tested == UNTESTED[profile]
