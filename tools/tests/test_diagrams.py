"""The drawings follow the tables, and SPEC.md shows what they hold."""

from __future__ import annotations

import pytest

from diagrams import cell, drawings, faults, machine, markdown, table
from spec import SPEC, drawn, markers, with_drawn
from tables import load

MACHINE = {
    "initial": "queued",
    "final": ["all gone"],
    "states": [{"id": "queued"}, {"id": "running"}, {"id": "all gone"}],
    "transitions": [
        {"from": "queued", "to": "running", "text": "it goes"},
        {"from": "queued", "to": "running", "text": "it jumps"},
        {"from": "running", "to": "all gone", "text": "it ends"},
    ],
}


def test_arrows_between_the_same_states_are_one_and_names_with_spaces_get_a_short_one() -> None:
    assert machine(MACHINE).splitlines() == [
        "```mermaid",
        "stateDiagram-v2",
        '    state "all gone" as all_gone',
        "    [*] --> queued",
        "    queued --> running : it goes<br/>it jumps",
        "    running --> all_gone : it ends",
        "    all_gone --> [*]",
        "```",
    ]


def test_a_table_shows_its_columns_and_nothing_else() -> None:
    content = {
        "columns": [{"key": "name", "heading": "the name", "code": True}, {"key": "on", "heading": "is on"}],
        "rows": [{"id": "a", "name": "x", "on": True, "hidden": 1}, {"id": "b", "name": "", "on": False}],
    }
    assert table(content) == "| the name | is on |\n| --- | --- |\n| `x` | yes |\n| | no |\n"


def test_a_cell_that_would_break_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="neither a bar nor"):
        cell("a | b")
    assert markdown(["a"], [[cell(["x", "y"])]]).endswith("| x, y |\n")


def test_each_row_of_the_routing_table_is_drawn_with_its_statements() -> None:
    rows = drawings()["routing"].splitlines()[2:]
    for text, row in zip(rows, load("routing")["rows"], strict=True):
        assert text.endswith(f"| {', '.join(row['requirements'])} |")


def test_the_spec_shows_what_the_tables_hold() -> None:
    text = SPEC.read_text(encoding="utf-8")
    assert faults(text, drawings()) == [], "run make requirements"
    assert {*markers(text)} == drawings().keys()


def test_another_drawing_and_a_marker_without_one_are_found() -> None:
    text = "a\n<!-- begin x: drawn by tools/diagrams.py -->\nold\n<!-- end x -->\nb\n"
    assert faults(text, {"x": "old\n", "y": "not shown\n"}) == []
    assert faults(text, {"x": "new\n"}) == ["x"]
    with pytest.raises(ValueError, match="the marker 'x'"):
        faults(text, {})


def test_a_drawing_goes_between_its_markers_and_nowhere_else() -> None:
    text = "a\n<!-- begin x: drawn by tools/diagrams.py -->\nold\n<!-- end x -->\nb\n"
    assert with_drawn(text, "x", "new\n") == text.replace("old", "new")
    with pytest.raises(ValueError, match="begin y"):
        drawn(text, "y")
