"""The tables of the protocol: ``schemas/1.0/tables/*.json``, from which SPEC.md is drawn and against which ports are tested."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from spec import ROOT

FOLDER = ROOT / "schemas" / "1.0" / "tables"
Table: TypeAlias = "dict[str, Any]"


def names() -> list[str]:
    """The files, without their suffix."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(name: str) -> Table:
    """One file, unchanged."""
    content: Table = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


def features() -> set[str]:
    """The names of all optional features."""
    found = next(table for table in load("registries")["tables"] if table["id"] == "features")
    return {row["name"] for row in found["rows"]}
