"""The section of the HTML report that shows implementations against each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from redisipc_conformance.cli import main
from redisipc_conformance.report import json_report
from redisipc_conformance.report.errors import ReportError
from redisipc_conformance.report.interop import read
from synthetic import report

CELLS = [
    {"scene": "asks", "who": ["a", "a"], "held": True, "lines": ["12 contents"]},
    {"scene": "asks", "who": ["a", "b"], "held": False, "lines": ["'x' came back as 1"]},
    {"scene": "killed", "who": ["a", "b"], "held": True, "lines": ["after 11 s"]},
    {"scene": "rolling restart", "who": ["a", "b"], "held": True, "lines": ["none lost"]},
]


@pytest.fixture
def result(tmp_path: Path) -> Path:
    path = tmp_path / "interop.json"
    path.write_text(json.dumps({"absent": {"c": "not built"}, "requests": 3, "cells": CELLS}))
    return path


def test_what_was_not_tried_is_no_cell(result: Path) -> None:
    found = read(result)
    asks, killed = found.squares
    assert asks.cells["a"]["a"] is not None
    assert asks.cells["b"]["a"] is None
    assert killed.names == ("a", "b")
    assert (found.held, found.total) == (3, 4)


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[]")
    with pytest.raises(ReportError, match=r"x\.json is not a result of make interop"):
        read(path)


def test_the_page_shows_who_held_and_who_was_absent(result: Path, tmp_path: Path) -> None:
    page, run = tmp_path / "page.html", tmp_path / "run.json"
    json_report.write(report(rows=20), run)
    assert main(["report", "merge", str(run), "--interop", str(result), "--report", f"html={page}"]) == 0
    text = page.read_text()
    assert "3 of 4 scenes held" in text
    assert "c (not built)" in text
    assert "&#39;x&#39; came back as 1" in text
