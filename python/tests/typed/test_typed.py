"""The public types: mypy and pyright refuse each wrong call and accept the right ones; nothing public lacks a type."""

from __future__ import annotations

import inspect
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import redisipc
import redisipc.asyncio
from redisipc import Options
from redisipc.runtime import keywords
from redisipc.runtime.options import _GEM_GROUPS, _GEM_NAMES

pytestmark = pytest.mark.slow

FACES = (redisipc, redisipc.asyncio)
HERE = Path(__file__).parent
PYTHON = HERE.parents[1]
RIGHT, WRONG = HERE / "right_calls.py", HERE / "wrong_calls.py"
DOUBLE = PYTHON / "src" / "redisipc" / "testing"
"""In the same run as the calls: most of the time is pyright's start."""
PYRIGHT = shutil.which("pyright", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


def marked() -> set[int]:
    lines = WRONG.read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, 1) if "# wrong" in line}


def lines_of_mypy(path: Path) -> dict[int, str]:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", "--output", "json", str(path)]
    done = subprocess.run(command, cwd=PYTHON, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert all(Path(each["file"]).name == path.name for each in found), found
    return {each["line"]: each["message"] for each in found if each["severity"] == "error"}


def pyright(*arguments: str) -> dict[str, Any]:
    if PYRIGHT is None or not shutil.which("node"):
        pytest.skip("left out: it needs pyright and Node.js")
    environment = os.environ | {
        "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
        # Where there is no project file, it finds the library here.
        "PYTHONPATH": str(PYTHON / "src"),
    }
    command = [PYRIGHT, "--pythonpath", sys.executable, "--outputjson", *arguments]
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        pytest.skip(f"left out: pyright cannot be installed here: {done.stderr.strip()[-200:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_mypy_accepts_right_calls() -> None:
    assert lines_of_mypy(RIGHT) == {}


def test_mypy_refuses_each_wrong_call() -> None:
    assert len(marked()) > 30
    assert set(lines_of_mypy(WRONG)) == marked()


def test_pyright_refuses_each_wrong_call_and_nothing_of_the_double() -> None:
    answer = pyright(str(RIGHT), str(WRONG), str(DOUBLE))
    found: dict[str, set[int]] = {RIGHT.name: set(), WRONG.name: set()}
    for each in answer["generalDiagnostics"]:
        if each["severity"] == "error":
            found.setdefault(Path(each["file"]).name, set()).add(each["range"]["start"]["line"] + 1)
    assert found == {RIGHT.name: set(), WRONG.name: marked()}
    assert answer["summary"]["filesAnalyzed"] > 20, "redisipc.testing was not looked at"


def public() -> dict[str, set[str]]:
    """The public classes and functions with those that they are derived from, as the modules that define them name them."""
    found: dict[str, set[str]] = {}
    for face in FACES:
        for name in face.__all__:
            value = getattr(face, name)
            for each in inspect.getmro(value) if inspect.isclass(value) else (value,):
                if getattr(each, "__module__", "").startswith("redisipc."):
                    found.setdefault(each.__module__, set()).add(each.__name__)
    return found


def test_pyright_knows_the_type_of_everything_public() -> None:
    names = {f"{module}.{name}" for module, names in public().items() for name in names}
    score = pyright("--verifytypes", "redisipc", "--ignoreexternal")["typeCompleteness"]
    seen = set()
    lacking = []
    for symbol in score["symbols"]:
        owner = next((each for each in names if f"{symbol['name']}.".startswith(f"{each}.")), None)
        if owner is None and symbol["name"].rpartition(".")[0] not in {face.__name__ for face in FACES}:
            continue
        seen.add(owner)
        if not symbol["isTypeKnown"]:
            lacking.append(f"{symbol['name']}: {[each['message'] for each in symbol['diagnostics']]}")
    assert names <= seen
    assert lacking == [], "\n".join(lacking)
    assert score["completenessScore"] == 1, "a module without an underscore has something without a type"


def test_the_keywords_are_the_options_and_the_gems_names() -> None:
    kinds = get_type_hints(Options)
    ours = {name: kinds[name] for name in kinds if not name.startswith("_")}
    named = get_type_hints(keywords.OptionKeywords)
    assert {name: kind for name, kind in named.items() if name in ours} == ours
    assert set(named) - set(ours) == set(_GEM_NAMES) | set(_GEM_GROUPS)
    for name, inner in _GEM_GROUPS.items():
        assert set(get_type_hints(named[name])) == set(inner)


@pytest.mark.parametrize("twin", [redisipc, redisipc.asyncio])
def test_the_keywords_of_run_and_of_a_caller_are_the_parameters(twin: Any) -> None:
    options = set(get_type_hints(keywords.OptionKeywords))
    connect = set(inspect.signature(twin.Stream.connect).parameters) - {"self", "given"}
    assert set(get_type_hints(keywords.ConnectKeywords)) == options | connect
    caller = set(inspect.signature(twin.Caller).parameters) - {"stream", "url", "client"}
    assert set(get_type_hints(keywords.CallerKeywords)) == caller
