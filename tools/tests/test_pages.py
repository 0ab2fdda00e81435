"""The two self-contained pages cite each statement that binds their reader."""

from __future__ import annotations

import re
from typing import Any

from schemas import FOLDER, read
from spec import ROOT
from tables import load

STATEMENTS: dict[str, dict[str, Any]] = {
    each["id"]: each for each in read(FOLDER / "requirements.json")["requirements"]
}
ASK = [
    id
    for table in load("profiles")["tables"]
    if table["id"] == "ask"
    for row in table["rows"]
    for id in row["requirements"]
]
RESPONDS = ("endpoint", "responder", "sender", "reader", "member")


def cited(page: str) -> set[str]:
    """The ids on a page; `RIPC-ODD-1 to 5` are five."""
    found = re.finditer(r"RIPC-([A-Z]+)-(\d+)(?:\s+to\s+(\d+))?", (ROOT / "docs" / page).read_text(encoding="utf-8"))
    return {f"RIPC-{area}-{n}" for area, first, last in (each.groups() for each in found)
            for n in range(int(first), int(last or first) + 1)}  # fmt: skip


def test_the_requesters_page_has_each_must_of_a_caller() -> None:
    own = [id for id, each in STATEMENTS.items() if each["profile"] == "ask"]
    assert [
        id for id in [*ASK, *own] if STATEMENTS[id]["level"] == "MUST" and id not in cited("requester-in-one-page.md")
    ] == []


def test_the_responders_page_has_each_must_of_a_responder_of_the_profile_base() -> None:
    bound = [id for id, each in STATEMENTS.items() if each["profile"] == "base" and each["role"] in RESPONDS]
    assert [
        id for id in bound if STATEMENTS[id]["level"] == "MUST" and id not in cited("responder-in-one-page.md")
    ] == []


def test_the_pages_cite_only_statements_that_there_are() -> None:
    assert (cited("requester-in-one-page.md") | cited("responder-in-one-page.md")) - STATEMENTS.keys() == set()
