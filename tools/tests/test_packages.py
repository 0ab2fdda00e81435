"""All packages share a licence and pinned actions, and the workflow calls nothing but make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = (ROOT / ".github" / "workflows" / "checks.yml").read_text("utf-8")


@pytest.mark.parametrize("folder", ["python", "conformance", "interop/node"])
def test_each_package_has_the_text_of_the_licence(folder: str) -> None:
    assert (ROOT / folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("file", [".github/workflows/checks.yml", "action.yml"])
def test_actions_of_others_are_pinned_to_a_commit(file: str) -> None:
    used = re.findall(r"uses: (\S+)", (ROOT / file).read_text("utf-8"))
    assert used
    assert [name for name in used if not re.search(r"@[0-9a-f]{40}$", name)] == []


def test_each_job_runs_targets_that_the_makefile_has() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    jobs = re.split(r"^  (?=[a-z]+:$)", WORKFLOW.split("\njobs:\n")[1], flags=re.MULTILINE)
    found = [re.findall(r"run: make ([a-z-]+)", job) for job in jobs if job.strip()]
    assert all(found)
    assert {name for names in found for name in names} <= targets


def test_the_workflow_may_only_read() -> None:
    assert re.findall(r"^permissions:\n((?:  .*\n)+)", WORKFLOW, re.MULTILINE) == ["  contents: read\n"]
    assert WORKFLOW.count("permissions:") == 1
