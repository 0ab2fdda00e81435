"""Each name that the library imports from another package exists there, even where the import is rare and its absence is caught."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from pathlib import Path

import pytest

import redisipc

LIBRARY = Path(redisipc.__file__).parent


def others() -> list[str]:
    """Each module of another package that a source file imports."""
    found: set[str] = set()
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
                found.add(node.module)
            elif isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
    return sorted(name for name in found if name.partition(".")[0] not in ("redisipc", "__future__"))


@pytest.mark.parametrize("name", others())
def test_a_module_that_is_imported_exists_where_its_package_is_installed(name: str) -> None:
    package = name.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    importlib.import_module(name)
