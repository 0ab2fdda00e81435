"""Finds citations of SPEC.md's statements: in code, scenarios, vectors and documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_SUFFIXES = frozenset(
    (".py", ".md", ".yaml", ".yml", ".json", ".rb", ".js", ".mjs", ".ts", ".go", ".toml", ".txt", ".tmpl", ".j2", ".sh")
)
_NOT_OURS = frozenset(("llms-full.txt", "out", "node_modules", "build", "dist", "data"))
# Tests of the tools, and examples of mistakes, name ids that do not exist, on purpose.
_MADE_UP = frozenset(("tests", "examples"))
_CITED = re.compile(r"RIPC-[A-Z]+(?:-[0-9]+)?")
# "RIPC-ROUTE-5, 6" and "RIPC-ROUTE-9 to 11"; "RIPC-LIFE-13, 25 s" is a time.
_MORE = re.compile(r"(RIPC-[A-Z]+-)([0-9]+)((?:(?:, | to | and )[0-9]+(?![0-9])(?! ?(?:m?s|%|bytes)\b))+)")


class Citation(NamedTuple):
    path: Path
    line: int
    id: str


def files(root: Path) -> Iterator[Path]:
    """Every text file that may cite a statement."""
    for path in sorted(root.iterdir()):
        if path.name.startswith(".") or path.name in _NOT_OURS or path.is_symlink():
            continue
        if path.is_dir():
            if path.name not in _MADE_UP:
                yield from files(path)
            elif path.name == "tests" and path.parent.name == "python":
                # The library's tests cite what they show.
                yield from files(path)
        elif path.suffix in _SUFFIXES or path.name == "Makefile":
            yield path


def citations(path: Path) -> Iterator[Citation]:
    """Every id in a file, short forms written out."""
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        for id in _CITED.findall(line):
            yield Citation(path, number, id)
        for found in _MORE.finditer(line):
            last = int(found.group(2))
            for word, digits in re.findall(r"(, | to | and )([0-9]+)", found.group(3)):
                first = last + 1 if word == " to " else int(digits)
                last = int(digits)
                for each in range(first, last + 1):
                    yield Citation(path, number, f"{found.group(1)}{each}")
