"""Every definition is used by a program, and not only by its own test."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from test_house import is_test, listed

from spec import ROOT

TEXTS = listed(
    "*.py", "*.ts", "*.mjs", "*.md", "*.yaml", "*.yml", "*.toml", "*.rb", "*.j2", "Makefile", "schemas/*.json"
)
BY_OTHERS = {
    "_fill_text": "argparse calls it",
    "check_connection": "redis-py reads it of a pool",
    "get_master_address": "redis-py calls it",
    "get_protocol": "asyncio calls it",
    "pytest_addoption": "pytest calls it",
}
"""Names that other programs use."""
FOUND_BY_NAME = re.compile(r"_?do_\w+|__\w+__")
"""Functions whose names are composed at run time: words of the testee protocol, statements of Lua."""


def words(path: str) -> list[str]:
    return re.findall(r"\w+", (ROOT / path).read_text(encoding="utf-8", errors="replace"))


def definitions(text: str) -> Iterator[tuple[int, str]]:
    """Each function, class and constant with its line. A decorator counts as a use."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if not node.decorator_list:
                yield node.lineno, node.name
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    yield node.lineno, target.id
                elif isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
                    yield node.lineno, target.attr


def dead(path: str, text: str, named: Counter[str]) -> list[str]:
    found = [(line, name) for line, name in definitions(text) if named[name] <= 1]
    return [
        f"{path}:{line}: {name}" for line, name in found if name not in BY_OTHERS and not FOUND_BY_NAME.fullmatch(name)
    ]


def test_each_name_of_the_programs_is_used_by_something_besides_tests() -> None:
    named = Counter(word for path in TEXTS if not is_test(path) for word in words(path))
    programs = [
        path
        for path in listed("python/src/*.py", "conformance/src/*.py", "conformance/mutants/*.py")
        if not is_test(path)
    ]
    assert len(programs) > 200
    assert [each for path in programs for each in dead(path, (ROOT / path).read_text(encoding="utf-8"), named)] == []


def test_each_value_that_a_file_of_node_exports_is_used_in_another() -> None:
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in listed("interop/node/*.ts")}
    named = {path: set(re.findall(r"\w+", text)) for path, text in texts.items()}
    exports = [
        (path, name)
        for path, text in texts.items()
        for name in re.findall(r"^export (?:const|function|async function|class) (\w+)", text, re.MULTILINE)
    ]
    assert len(exports) > 150
    assert [
        each for each in exports if not any(each[1] in seen for path, seen in named.items() if path != each[0])
    ] == []


def test_what_nobody_names_is_found() -> None:
    text = "A = 1\n\n\ndef used() -> int:\n    return A\n\n\nclass Idle:\n    now: int = 3\n\n\nused()\n"
    assert dead("a.py", text, Counter(re.findall(r"\w+", text))) == ["a.py:8: Idle", "a.py:9: now"]
