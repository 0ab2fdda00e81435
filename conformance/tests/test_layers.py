"""Imports go one way: wire and server, scenario and testee, context, steps and verdict, engine and report, command line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import redisipc_conformance

ROOT = Path(redisipc_conformance.__file__).parent
RANKS = {
    "version": 0, "versions": 0, "files": 0, "jsontext": 0, "jsonrefs": 0, "text": 0, "within": 0, "results": 0, "wire": 0,
    "printable": 0, "standing": 0, "always": 0,
    "server": 1,
    "requirements": 2, "scenario": 2, "testee": 2,
    "context": 3,
    "steps": 4, "verdict": 4,
    "engine": 5, "report": 5, "guide": 5,
    "cli": 6,
    "__main__": 7, "__init__": 7,
}  # fmt: skip
APART = [("steps", "verdict"), ("verdict", "steps"), ("engine", "report"), ("report", "engine")]
"""Rooms that stand side by side and do not know each other."""


def part(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Full names of what a module imports, with the line."""
    package = [ROOT.name, *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *(node.module.split(".") if node.module else [])])
            yield name, node.lineno
            yield from ((f"{name}.{alias.name}", node.lineno) for alias in node.names)


MODULES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_nothing_above_it(path: Path):
    assert part(path) in RANKS, f"say above which layer {part(path)} stands"
    own = RANKS[part(path)]
    for name, line in imports(path):
        pieces = name.split(".")
        assert pieces[0] != "redisipc", f"{path}:{line}: the suite never imports the library that it tests"
        assert pieces[0] not in ("pytest", "_pytest"), f"{path}:{line}: the suite runs without pytest"
        if pieces[0] == ROOT.name and len(pieces) > 1 and pieces[1] in RANKS:
            assert RANKS[pieces[1]] <= own, f"{path}:{line}: {part(path)} is below {pieces[1]}"


def test_rooms_side_by_side_do_not_know_each_other():
    for path in MODULES:
        for name, line in imports(path):
            pieces = name.split(".")
            pair = (part(path), pieces[1] if pieces[0] == ROOT.name and len(pieces) > 1 else "")
            assert pair not in APART, f"{path}:{line}: {pair[0]} imports {pair[1]}"
