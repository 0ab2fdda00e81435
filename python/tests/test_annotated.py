"""A public attribute that is set in two places says its type: pyright takes it for unknown otherwise.

``tests/typed`` asks pyright itself, which takes half a minute; this finds the usual cause at once.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "redisipc"
FILES = [path for path in sorted(SOURCE.rglob("*.py")) if "cli" not in path.parts]


def of_self(target: ast.expr) -> Iterator[str]:
    """The public attributes that an assignment sets."""
    if isinstance(target, ast.Tuple):
        for each in target.elts:
            yield from of_self(each)
    elif isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self" and not target.attr.startswith("_"):
        yield target.attr


def untyped(text: str) -> list[str]:
    """The attributes that should say their type, and do not."""
    found = []
    for kind in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)):
        if kind.name.startswith("_"):
            continue
        nodes = [*ast.walk(kind)]
        methods = {node.name for node in kind.body if isinstance(node, ast.FunctionDef)}
        typed = {ast.unparse(node.target).removeprefix("self.") for node in nodes if isinstance(node, ast.AnnAssign)}
        counts = Counter(
            name
            for node in nodes
            if isinstance(node, ast.Assign)
            for target in node.targets
            for name in of_self(target)
        )
        found += [f"{kind.name}.{name}" for name, times in counts.items() if times > 1 and name not in typed | methods]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_what_is_set_in_two_places_says_its_type(path: Path) -> None:
    assert untyped(path.read_text(encoding="utf-8")) == []


def test_what_says_no_type_is_found() -> None:
    text = (
        "class A:\n    def __init__(self):\n        self.on = False\n        self.at: int = 1\n"
        "    def go(self):\n        self.on, self.at = True, 2\n"
    )
    assert untyped(text) == ["A.on"]
