"""The drawings follow the code's tables, and a word that nobody explains is an error."""

from __future__ import annotations

import pytest
from redisipc.protocol.routing import ROUTES

from diagrams import drawings, machine, routing
from spec import SPEC, drawn, with_drawn

STATES = {("queued", "go"): "running", ("queued", "jump"): "running", ("running", "end"): "gone"}
WORDS = {"go": "it goes", "jump": "it jumps", "running end": "it ends"}


def test_arrows_between_the_same_states_are_one() -> None:
    assert machine(STATES, WORDS, "gone").splitlines() == [
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> queued",
        "    queued --> running : it goes<br/>it jumps",
        "    running --> gone : it ends",
        "    gone --> [*]",
        "```",
    ]


def test_each_event_needs_words_and_no_word_is_left_over() -> None:
    with pytest.raises(ValueError, match="no words for the event 'jump'"):
        machine(STATES, {"go": "it goes", "end": "it ends"}, "gone")
    with pytest.raises(ValueError, match="there is not: fly"):
        machine(STATES, {**WORDS, "fly": "it flies"}, "gone")


def test_the_routing_table_has_a_row_for_each_cell_with_its_statements() -> None:
    rows = routing().splitlines()[2:]
    assert len(rows) == len(ROUTES)
    for row, cell in zip(rows, ROUTES.values(), strict=True):
        assert row.endswith(f"| {cell.action.value} | {', '.join(cell.requirements)} |")


def test_the_spec_shows_what_the_code_has() -> None:
    text = SPEC.read_text(encoding="utf-8")
    for name, content in drawings().items():
        assert drawn(text, name) == content, "run make requirements"


def test_a_drawing_goes_between_its_markers_and_nowhere_else() -> None:
    text = "a\n<!-- begin x: drawn by tools/diagrams.py -->\nold\n<!-- end x -->\nb\n"
    assert with_drawn(text, "x", "new\n") == text.replace("old", "new")
    with pytest.raises(ValueError, match="begin y"):
        drawn(text, "y")
