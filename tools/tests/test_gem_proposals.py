"""Every deviation of the gem in SPEC.md's appendix A has a proposal to the gem's maintainer, and no other has one."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_row_of_appendix_a_has_a_proposal_of_its_own() -> None:
    rows = re.findall(r"^\| GEM-(\d+) ", (ROOT / "SPEC.md").read_text("utf-8"), re.MULTILINE)
    proposals = (ROOT / "interop/ruby/patches.md").read_text("utf-8")
    assert re.findall(r"^## .*\(GEM-(\d+)\)$", proposals, re.MULTILINE) == rows
    assert proposals.count("\n## ") == len(rows)


def test_every_proposal_says_what_goes_wrong_an_example_and_a_remedy() -> None:
    parts = (ROOT / "interop/ruby/patches.md").read_text("utf-8").split("\n## ")[1:]
    assert parts
    for part in parts:
        assert re.findall(r"^\*\*(.+?)\*\*", part, re.MULTILINE) == ["What goes wrong.", "Example.", "Remedy."], part
