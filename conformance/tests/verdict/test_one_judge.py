"""A verdict is made in one place: `verdict/judge.py`. Everything else passes on what was decided there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import redisipc_conformance

ROOT = Path(redisipc_conformance.__file__).parent
JUDGE = "verdict/judge.py"
READS = "report/json_report.py"
"""It makes results again of a report that was written."""
NAMELESS = ("verdict/run.py", "failure_outside_checks")
"""It shows a scenario as a check, with the verdict that the scenario has."""
MADE = {"ScenarioResult", "CheckResult"}


def made(source: str) -> Iterator[tuple[str, str]]:
    """The function, and what it makes: a result, or another verdict for one."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name in MADE:
                yield function.name, name
            elif any(keyword.arg == "verdict" for keyword in call.keywords):
                yield function.name, "a verdict"


PLACES = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.rglob("*.py"))}


def test_no_other_file_makes_a_verdict():
    found = {(place, *each) for place, path in PLACES.items() for each in made(path.read_text(encoding="utf-8"))}
    elsewhere = {each for each in found if each[0] not in (JUDGE, READS) and each[:2] != NAMELESS}
    assert elsewhere == set()
    assert {place for place, *_ in found} == {JUDGE, READS, NAMELESS[0]}, "the search finds those that may"


def test_one_function_makes_it_final():
    """The engine gives out what the judge made; nothing marks a check as known or late besides."""
    judge = ast.parse(PLACES[JUDGE].read_text(encoding="utf-8"))
    marking = {
        function.name
        for function in ast.walk(judge)
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and {"late", "known"} & {keyword.arg for keyword in call.keywords}
    }
    assert marking == {"_judged"}
    engine = ast.parse(PLACES["engine/run.py"].read_text(encoding="utf-8"))
    ended = [
        ast.unparse(call.args[0])
        for call in ast.walk(engine)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "_ended"
    ]
    assert len(ended) == 3
    makers = ("self.judge.result(", "self.judge.left_out(", "self.judge.farewell(")
    assert all(each.startswith(makers) for each in ended)


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return ScenarioResult(1)",
        "def f():\n    return results.CheckResult(verdict=Verdict.PASS)",
        "def f(result):\n    return replace(result, verdict=Verdict.KNOWN)",
        "async def f(result):\n    await g(replace(result, verdict=worst([])))",
    ],
)
def test_the_search_sees_it(source: str):
    assert list(made(source))
