"""The JSON Schemas of the repository, each with its examples.

A folder ``schemas/<version>`` holds schemas, and ``schemas/<version>/examples/<path>/`` the examples of ``<path>.json``: files
whose names begin with ``valid-`` or ``invalid-``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from spec import ROOT

FOLDER = ROOT / "schemas"
VERSIONS = ("1.0", "cli-1", "report-1")
_DATA = frozenset(("examples", "tables"))


class Example(NamedTuple):
    """A value that a schema must accept or refuse."""

    path: Path
    valid: bool

    @property
    def value(self) -> Any:
        return read(self.path)


class SchemaFile(NamedTuple):
    """One schema. ``name`` is its path below ``schemas/`` without the suffix."""

    name: str
    path: Path

    @property
    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = read(self.path)
        return found

    @property
    def id(self) -> str:
        """The ``$id`` that the name asks for."""
        return "urn:redisipc:schema:" + self.name.replace("/", ":")

    @property
    def examples(self) -> list[Example]:
        version, _, inner = self.name.partition("/")
        folder = FOLDER / version / "examples" / inner
        return [Example(path, path.name.startswith("valid-")) for path in sorted(folder.glob("*.json"))]


def read(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def schema_files() -> dict[str, SchemaFile]:
    """All schemas, by name."""
    paths = sorted(path for version in VERSIONS for path in (FOLDER / version).rglob("*.json"))
    files = [path for path in paths if not _DATA & set(path.relative_to(FOLDER).parts)]
    names = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in files]
    return {name: SchemaFile(name, path) for name, path in zip(names, files, strict=True)}
