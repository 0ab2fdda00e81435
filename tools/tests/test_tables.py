"""The tables of the protocol are consistent: ids, references, statements, and the order of their conditions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from spec import ROOT, SPEC, read
from tables import load, names

SCHEMA = json.loads((ROOT / "schemas" / "1.0" / "files" / "table.json").read_text(encoding="utf-8"))
STATEMENTS = {statement.id for statement in read(SPEC.read_text(encoding="utf-8")).statements}
TABLES = [(name, table) for name in names() for table in load(name).get("tables", ())]
MACHINES = load("states")["machines"]


def requirements(part: Any) -> list[str]:
    """Every statement that is named anywhere in it."""
    if isinstance(part, list):
        return [id for each in part for id in requirements(each)]
    if isinstance(part, dict):
        return list(part.get("requirements", ())) + [id for each in part.values() for id in requirements(each)]
    return []


@pytest.mark.parametrize("name", names())
def test_a_file_is_what_its_schema_says(name: str) -> None:
    assert [error.message[:200] for error in Draft202012Validator(SCHEMA).iter_errors(load(name))] == []


@pytest.mark.parametrize("name", names())
def test_a_file_names_statements_that_there_are(name: str) -> None:
    assert set(requirements(load(name))) <= STATEMENTS


@pytest.mark.parametrize(("name", "table"), TABLES, ids=lambda each: each if isinstance(each, str) else each["id"])
def test_a_table_has_a_value_for_each_column_and_no_id_twice(name: str, table: dict[str, Any]) -> None:
    ids = [row["id"] for row in table["rows"]]
    assert len(ids) == len(set(ids))
    for row in table["rows"]:
        assert {column["key"] for column in table["columns"]} <= row.keys()


def test_no_drawing_has_the_name_of_another() -> None:
    drawn = [table["id"] for _, table in TABLES] + [machine["id"] for machine in MACHINES] + ["routing"]
    assert len(drawn) == len(set(drawn))


@pytest.mark.parametrize("machine", MACHINES, ids=lambda each: each["id"])
def test_a_machine_names_its_own_states_and_its_rows_follow_from_state_and_event(machine: dict[str, Any]) -> None:
    states = {state["id"] for state in machine["states"]}
    assert {machine["initial"], *machine["final"]} <= states
    for row in machine["transitions"]:
        assert {row["from"], row["to"]} <= states
        assert row["id"] == f"{row['from']} {row['event']}".replace(" ", "-")


def test_the_rows_of_the_routing_table_decide_each_case_once() -> None:
    table = load("routing")
    columns = {column["key"]: column["values"] for column in table["columns"]}
    actions = {action["id"] for action in table["actions"]}
    rows = table["rows"]
    assert {row["action"] for row in rows} == actions
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert all(row[key] in values for key, values in columns.items())
    for kind in ("request", "response", "malformed"):
        for destination in ("own", "other"):
            for instance in ("own", "registered", "unregistered"):
                for ledger in ("yes", "no"):
                    case = {"destination": destination, "kind": kind, "instance": instance, "ledger": ledger}
                    fits = [row["id"] for row in rows if all(row[key] in (value, "any") for key, value in case.items())]
                    # Redis may delete any body, so that row is independent of the others.
                    assert len([id for id in fits if id != "no-body"]) == 1, case
