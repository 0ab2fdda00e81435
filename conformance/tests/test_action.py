"""The composite action passes on exactly what its inputs say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ACTION = Path(__file__).parents[2] / "action.yml"
pytestmark = pytest.mark.skipif(not ACTION.is_file(), reason="needs a checkout")

STUB = """\
#!/usr/bin/env bash
printf '%s\\n' "$@" >arguments
mkdir -p conformance-report && echo '## done' >conformance-report/summary.md
exit "${EXIT:-0}"
"""


@pytest.fixture
def action() -> Any:
    return YAML(typ="safe").load(ACTION.read_text())


def run(action: Any, folder: Path, code: int = 0, **inputs: str) -> tuple[int, list[str]]:
    """Runs the step that runs the suite; its exit code, and the arguments that the suite got."""
    step = next(step for step in action["runs"]["steps"] if step.get("id") == "suite")
    given = {name: str(about.get("default", "")) for name, about in action["inputs"].items()}
    given.update({name.replace("_", "-"): value for name, value in inputs.items()})
    environment = {name: given[text.split("inputs.")[1].split(" ")[0]] for name, text in step["env"].items()}
    stub = folder / "redisipc-conformance/bin/redisipc-conformance"
    stub.parent.mkdir(parents=True)
    stub.write_text(STUB)
    stub.chmod(0o755)
    (stub.parent / "python").symlink_to(sys.executable)
    files = {"RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "EXIT": str(code), **environment, **files},
        check=False,
    )
    written = folder / "arguments"
    return ended.returncode, written.read_text().splitlines() if written.exists() else []


def test_the_command_s_quotes_are_heeded_and_nothing_is_run_by_a_shell(action: Any, tmp_path: Path):
    code, arguments = run(action, tmp_path, command="node 'my testee.mjs' --x=$HOME `id` $(id) *")
    assert code == 0
    at = arguments.index("--")
    assert arguments[at + 1 :] == ["node", "my testee.mjs", "--x=$HOME", "`id`", "$(id)", "*"]
    assert arguments[:1] == ["run"]
    assert arguments[arguments.index("--redis") + 1] == "auto"
    assert (tmp_path / "summary").read_text() == "## done\n"
    assert (tmp_path / "output").read_text() == "exit-code=0\n"


def test_every_input_reaches_the_command_line(action: Any, tmp_path: Path):
    _, arguments = run(
        action,
        tmp_path,
        command="./testee",
        redis_images="redis:6.2 valkey/valkey:8",
        profile="base,group",
        known_failures="known.yaml",
        strict="true",
        arguments="-k 'not slow' --jobs 4",
    )
    line = " ".join(arguments)
    for part in (
        "--redis-image redis:6.2 --redis-image valkey/valkey:8",
        "--profile base,group",
        "--known-failures known.yaml",
        "--strict",
        "--jobs 4 -- ./testee",
    ):
        assert part in line
    assert "--redis auto" not in line
    assert arguments[arguments.index("-k") + 1] == "not slow"


def test_the_suite_s_exit_code_is_the_step_s_and_the_summary_is_there_all_the_same(action: Any, tmp_path: Path):
    code, _ = run(action, tmp_path, code=6, command="./testee")
    assert code == 6
    assert (tmp_path / "output").read_text() == "exit-code=6\n"
    assert (tmp_path / "summary").exists()


def test_every_input_is_used_and_none_is_put_into_a_script(action: Any):
    text = ACTION.read_text()
    for name in action["inputs"]:
        assert f"inputs.{name}" in text, name
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), "an input in a script is a way in"


@pytest.mark.parametrize("given", ["node it's.mjs", 'node "a', "node a\\"])
@pytest.mark.parametrize("name", ["command", "arguments", "redis_images"])
def test_quotes_that_are_not_closed_are_an_error_of_usage(action: Any, tmp_path: Path, name: str, given: str):
    code, arguments = run(action, tmp_path, **{"command": "./testee", name: given})
    assert (code, arguments) == (4, []), "the suite must not run with half of what was meant"


def test_an_empty_word_and_a_backslash_in_quotes_stay(action: Any, tmp_path: Path):
    _, arguments = run(action, tmp_path, command="node '' 'C:\\tools\\x'", arguments="--jobs 2")
    assert arguments[arguments.index("--") + 1 :] == ["node", "", "C:\\tools\\x"]


def test_the_script_runs_in_the_bash_of_macos(action: Any):
    step = next(step for step in action["runs"]["steps"] if step.get("id") == "suite")
    for word in ("mapfile", "readarray", "declare -A", "${name^", "|&"):
        assert word not in step["run"], f"bash 3.2 has no {word}"
