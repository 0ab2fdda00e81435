"""A name has one meaning: in each part of the project, constants of the same name have the same value."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_house import is_test, listed

from spec import ROOT

PARTS = {
    "the library": listed("python/src/*.py"),
    "the Node port": listed("interop/node/src/*.ts"),
    "the suite": [path for path in listed("conformance/*.py", "interop/*.py") if not is_test(path)],
    "the proof": listed("python/tests/simulation/*.py", "python/tests/exhaustive/*.py", "python/chaos/*.py"),
}
OPERATORS: dict[type, Any] = {
    ast.Mult: operator.mul,
    ast.LShift: operator.lshift,
    ast.Sub: operator.sub,
    ast.Add: operator.add,
}


def number(node: ast.expr) -> float | None:
    """The value of a number as it is written: ``1 << 13``, ``12 * 3_600_000``."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(str(node.value))
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left, right = number(node.left), number(node.right)
        if left is not None and right is not None:
            shifted = isinstance(node.op, ast.LShift)
            return float(int(left) << int(right)) if shifted else float(OPERATORS[type(node.op)](left, right))
    return None


def of_python(text: str) -> Iterator[tuple[str, float]]:
    for node in ast.parse(text).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = number(node.value) if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value else None
        for target in targets:
            if isinstance(target, ast.Name) and target.id.isupper() and value is not None:
                yield target.id.lstrip("_"), value


def of_typescript(text: str) -> Iterator[tuple[str, float]]:
    for found in re.finditer(
        r"^(?:export )?const ([A-Z][A-Z0-9_]*) = ([\d_.e*]+(?: \* [\d_.e]+)*);", text, re.MULTILINE
    ):
        factors = [float(each.replace("_", "")) for each in found[2].split(" * ")]
        value = 1.0
        for factor in factors:
            value *= factor
        yield found[1], value


def meanings(paths: list[str]) -> dict[str, dict[float, list[str]]]:
    """For each name its values, and where each stands."""
    found: dict[str, dict[float, list[str]]] = {}
    for path in paths:
        text = (ROOT / path).read_text(encoding="utf-8")
        for name, value in of_python(text) if Path(path).suffix == ".py" else of_typescript(text):
            found.setdefault(name, {}).setdefault(value, []).append(path)
    return found


@pytest.mark.parametrize("part", PARTS)
def test_a_constant_has_one_value(part: str) -> None:
    found = meanings(PARTS[part])
    assert len(found) > 30
    assert {name: values for name, values in found.items() if len(values) > 1} == {}


def test_a_second_value_is_found() -> None:
    python, other = "_LOOK = 0.5\nMOST: int = 1 << 4\nNAMES = ('a',)", "LOOK = 0.6\nMOST = 2 * 8\n"
    assert [*of_python(python), *of_python(other)] == [("LOOK", 0.5), ("MOST", 16), ("LOOK", 0.6), ("MOST", 16)]
    assert [*of_typescript("export const MOST = 2 * 1_000;\nconst of = 3;\n")] == [("MOST", 2000)]
