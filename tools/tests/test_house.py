"""In every folder with programs or tests, imports have no circle, and no source file is too long."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from spec import ROOT

ROOTS = [
    "python/src", "python/testee", "python/examples/shop", "python/examples", "python",
    "conformance/src", "conformance/mutants", "conformance",
    "interop/ruby", "interop", "fuzz", "tools",
]  # fmt: skip
"""The folders at which imports begin, for the files below them: the first that fits."""
MOST_LINES = 350


def listed(*patterns: str) -> list[str]:
    """Files of the repository, also those that git does not know yet, without packages of others."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in sorted(set(told.splitlines())) if (ROOT / path).exists()]


def is_test(path: str) -> bool:
    return "tests" in path.split("/")


def root_of(path: str) -> str:
    return next(root for root in ROOTS if path.startswith(f"{root}/"))


def modules(paths: list[str], root: str) -> dict[str, Path]:
    """The modules that are imported from one folder, by their full names."""
    found = {}
    for path in paths:
        if root_of(path) == root:
            parts = Path(path).relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ROOT / path
    return found


def imports(path: Path, name: str) -> Iterator[tuple[str, list[str]]]:
    """Each import of a file, also in a function or for a type checker alone: a module, and the names out of it."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*base, *([node.module] if node.module else [])]), [alias.name for alias in node.names]


def arrows(found: dict[str, Path]) -> dict[str, set[str]]:
    """For each module the others that it imports. A file ``tests`` can be imported without that name."""
    graph: dict[str, set[str]] = {}
    for name, path in found.items():
        graph[name] = set()
        for imported, names in imports(path, name):
            module = f"tests.{imported}" if f"tests.{imported}" in found and imported not in found else imported
            inner = {f"{module}.{each}" for each in names} & set(found)
            # ``from . import module`` uses only the module, and no name of the package itself.
            graph[name] |= inner if len(inner) == len(names) > 0 else inner | ({module} & set(found))
        graph[name].discard(name)
    return graph


def circles(graph: dict[str, set[str]]) -> list[str]:
    """The modules that are left after the ends of chains are removed, again and again."""
    left = {name: set(targets) for name, targets in graph.items()}
    while True:
        imported = set().union(*left.values()) if left else set()
        ends = {name for name, targets in left.items() if not targets or name not in imported}
        if not ends:
            return sorted(left)
        left = {name: targets - ends for name, targets in left.items() if name not in ends}


PROGRAMS = listed("*.py")


def test_both_tests_and_programs_are_looked_at() -> None:
    assert {is_test(path) for path in PROGRAMS} == {True, False}


@pytest.mark.parametrize("root", ROOTS)
def test_no_module_imports_itself_by_way_of_others(root: str) -> None:
    found = modules(PROGRAMS, root)
    assert found, "there is nothing here any longer: say so in ROOTS"
    assert circles(arrows(found)) == []


def test_a_circle_is_found(tmp_path: Path) -> None:
    seen = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import b"
    for name, text in (("a", "import b"), ("b", "from c import d"), ("c", seen), ("e", "import a")):
        (tmp_path / f"{name}.py").write_text(text)
    assert circles(arrows({path.stem: path for path in tmp_path.glob("*.py")})) == ["b", "c"]
    in_tests = {path.stem if path.stem != "c" else "tests.c": path for path in tmp_path.glob("*.py")}
    assert circles(arrows(in_tests)) == ["b", "tests.c"]


SOURCES = [path for path in listed("*.py", "*.ts", "*.mjs", "*.js", "*.rb") if not is_test(path)]


@pytest.mark.parametrize("path", SOURCES)
def test_no_source_is_longer_than_a_reader_keeps_in_mind(path: str) -> None:
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= MOST_LINES
