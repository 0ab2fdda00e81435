"""The rows of a table: written in the scenario, or taken from a file of vectors beside the suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..files import suite_folder
from .errors import ScenarioError
from .yaml import Lines, read


def read_rows(written: Any, file: str, lines: Lines, scenario: Path) -> tuple[dict[str, Any], ...]:
    """The rows, each with a name of its own. Raises ScenarioError."""
    line = lines.of(("rows",))
    if written is None:
        return ()
    rows = written if isinstance(written, list) else _from_file(written, file, line, scenario)
    seen: set[str] = set()
    for row in rows:
        name = row.get("name")
        if not isinstance(name, str):
            raise ScenarioError(file, line, "a row has no name", "name: a-b-c")
        if name in seen:
            raise ScenarioError(file, line, f"two rows are called {name!r}", "a name of its own for each row")
        seen.add(name)
    if not rows:
        raise ScenarioError(file, line, "no row is left", "at least one")
    return tuple(rows)


def _from_file(written: dict[str, Any], file: str, line: int, scenario: Path) -> list[dict[str, Any]]:
    places = (suite_folder() / written["file"], scenario.parent / written["file"])
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise ScenarioError(file, line, f"there is no {written['file']} in {suite_folder()}", "a file of vectors")
    if path.suffix == ".json":
        try:
            found: Any = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ScenarioError(file, line, f"{path} is not JSON: {error}") from error
    else:
        found = read(path, str(path))[0]
    for key in filter(None, str(written.get("at", "")).split(".")):
        if not isinstance(found, dict) or key not in found:
            raise ScenarioError(file, line, f"{written['file']} has no {written['at']!r}")
        found = found[key]
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ScenarioError(file, line, f"{written['file']} has no list of mappings there", "the rows")
    where = written.get("where", {})
    return [row for row in found if all(_fits(row.get(key), value) for key, value in where.items())]


def _fits(value: Any, wanted: Any) -> bool:
    """A list of wanted values: any of them. A list in the row: one of its members."""
    alternatives = wanted if isinstance(wanted, list) else [wanted]
    return any(value == each or (isinstance(value, list) and each in value) for each in alternatives)
