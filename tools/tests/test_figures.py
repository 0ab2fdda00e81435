"""docs/trust.md has the figures of the stored results, and its sums are correct."""

from __future__ import annotations

import json
import re

import pytest

from spec import ROOT

PAGE = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")


def row(line: str) -> list[str]:
    return [cell.strip(" *") for cell in line.strip("|").split("|")]


def sums() -> list[tuple[list[str], list[list[str]], list[str]]]:
    """Each table with a last row named *all*: its head, its rows, and that row."""
    tables = re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE)
    cut = [[row(line) for line in table.splitlines()] for table in tables]
    return [(head, rest, last) for head, _, *rest, last in cut if last[0] == "all"]


def test_the_verdicts_of_the_mutants_are_the_stored_ones() -> None:
    stored = json.loads((ROOT / "conformance" / "mutants" / "results.json").read_text(encoding="utf-8"))["mutants"]
    killed = sum(mutant["verdict"] == "killed" for mutant in stored)
    assert f"has {len(stored)} verdicts: all {killed} are *killed*" in PAGE
    assert killed == len(stored), "docs/trust.md says that all are killed"


@pytest.mark.parametrize("figure", ["requests", "proven faults"])
def test_the_sums_of_chaos_are_the_sums_of_their_rows(figure: str) -> None:
    assert len(sums()) == 1
    for head, rows, last in sums():
        column = head.index(figure)
        numbers = [int(each[column].replace(",", "")) for each in rows]
        assert sum(numbers) == int(last[column].replace(",", "")), head
