"""All packages share a licence and pinned actions, the workflow calls nothing but make, and issue forms have no stray keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
FORM = {"name", "description", "labels", "body"}
FIELD = {"type", "id", "attributes", "validations"}
ATTRIBUTES = {"label", "description", "placeholder", "render"}
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


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_an_issue_form_has_the_keys_that_github_knows(form: Path) -> None:
    """In a flow mapping, a comma ends the sentence, and the rest becomes a key. GitHub refuses such a form."""
    content = YAML(typ="safe", pure=True).load(form.read_text("utf-8"))
    assert set(content) == FORM
    assert [field["id"] for field in content["body"] if not set(field) <= FIELD] == []
    assert {key for field in content["body"] for key in field["attributes"]} <= ATTRIBUTES


def test_there_is_a_form_for_each_kind_of_report() -> None:
    assert {form.stem for form in FORMS} == {"bug", "disputed-check", "failing-port", "spec-question"}
