"""The list of mutants, ``mutants.yaml``, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

HERE = Path(__file__).parent
FILE = HERE / "mutants.yaml"


@dataclass(frozen=True)
class Mutant:
    """One fault. ``breaks``: requirement ids. ``caught_by``: ``area/scenario/check``, each of which must fail."""

    name: str
    breaks: tuple[str, ...]
    fault: str
    caught_by: tuple[str, ...]
    server: str = ""

    @property
    def area(self) -> str:
        """The middle word of the requirement that it was made for: ROUTE."""
        return self.breaks[0].split("-")[1]

    @property
    def scenarios(self) -> frozenset[str]:
        """The ids of the scenarios that hold the named checks."""
        return frozenset(check.rpartition("/")[0] for check in self.caught_by)


def load(file: Path = FILE) -> list[Mutant]:
    """All of them, in the order of the file. Raises ValueError for a name that stands there twice."""
    rows: list[dict[str, Any]] = YAML(typ="safe").load(file.read_text("utf-8"))
    mutants = [
        Mutant(row["name"], tuple(row["breaks"]), row["fault"], tuple(row["caught-by"]), row.get("server", ""))
        for row in rows
    ]
    names = [mutant.name for mutant in mutants]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{file}: twice: {', '.join(sorted(twice))}")
    return mutants


def write_caught_by(found: dict[str, list[str]], file: Path = FILE) -> None:
    """Puts these check names into the file and keeps everything else, comments included."""
    text = file.read_text("utf-8")
    for name, checks in found.items():
        row = re.compile(rf"(^- name: {re.escape(name)}\n(?:  .*\n)*?  caught-by:)( \[\])?\n(  - .*\n)*", re.MULTILINE)
        lines = "".join(f"\n  - {check}" for check in checks)
        text = row.sub(lambda match, lines=lines: f"{match.group(1)}{lines}\n", text)  # type: ignore[misc]
    file.write_text(text, "utf-8")
