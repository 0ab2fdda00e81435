"""The tables of the protocol as data (``schemas/1.0/tables``), for tests that compare the core with them row by row."""

from __future__ import annotations

import json
from typing import Any

from .support_shared import SHARED

FOLDER = SHARED / "schemas" / "1.0" / "tables"


def load(name: str) -> dict[str, Any]:
    """One file, unchanged."""
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


def machine(id: str) -> dict[str, Any]:
    """One state machine."""
    found: dict[str, Any] = next(each for each in load("states")["machines"] if each["id"] == id)
    return found


def rows(name: str, table: str) -> dict[str, dict[str, Any]]:
    """The rows of one table of a file, by their ids."""
    found = next(each for each in load(name)["tables"] if each["id"] == table)
    return {row["id"]: row for row in found["rows"]}
