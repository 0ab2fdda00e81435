"""Imports in chaos go one way, and the workers know nothing but the library's face."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "chaos"
LAYERS = ["workers", "lab", "faults", "plan", "injector", "run", "judge", "report", "options", "turns", "__main__"]
FOREIGN = {
    "redisipc_conformance": {"server", "wire"},
    "redisipc": {"", "asyncio"},
    "tests": {"simulation"},
}
"""The parts of our other packages that may be imported: those right below them."""
FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def imports(path: Path) -> list[list[str]]:
    """The names of all modules that a file imports, in full, as lists of their parts."""
    package = ["chaos", *path.relative_to(ROOT).parts[:-1]]
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = [*base, *(node.module.split(".") if node.module else [])]
            found += [name] if node.module else [[*name, alias.name] for alias in node.names]
    return found


def layer(parts: list[str]) -> str:
    return parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    own = layer(list(path.relative_to(ROOT).parts))
    for name in imports(path):
        if name[0] == "chaos" and len(name) > 1:
            assert LAYERS.index(name[1]) <= LAYERS.index(own), f"imports {'.'.join(name)}"
        elif name[0] in FOREIGN:
            part = name[1] if len(name) > 1 else ""
            assert part in FOREIGN[name[0]], f"imports {'.'.join(name)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_workers_know_the_library_and_only_the_judge_the_simulation(path: Path) -> None:
    own = layer(list(path.relative_to(ROOT).parts))
    names = {name[0] for name in imports(path)}
    assert "redisipc" not in names or own == "workers"
    assert "tests" not in names or own in ("judge", "report")


def test_the_worker_for_node_draws_the_same_kinds_of_work() -> None:
    from chaos.workers.asking import _SECONDS

    (line,) = (
        line for line in (ROOT / "workers" / "node.mjs").read_text().splitlines() if line.startswith("const SECONDS")
    )
    told = line.partition("{")[2].partition("}")[0]
    pairs = dict(part.split(": [") for part in told.strip().rstrip("]").split("], "))
    there = {name.strip(): tuple(float(each) for each in span.rstrip("] ").split(", ")) for name, span in pairs.items()}
    assert there == _SECONDS
