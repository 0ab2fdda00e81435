"""The recorded fixtures and the schema's examples are what schemas/1.0/files/fixture.json says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
FIXTURES = sorted((ROOT / "interop" / "fixtures").rglob("*.json"))
SCHEMA = ROOT / "schemas" / "1.0" / "files" / "fixture.json"
EXAMPLES = sorted((ROOT / "schemas" / "1.0" / "examples" / "files" / "fixture").glob("*.json"))


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    content = load(SCHEMA)
    Draft202012Validator.check_schema(content)
    return Draft202012Validator(content)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_fixture_is_valid(schema: Draft202012Validator, path: Path) -> None:
    assert [f"{error.json_path}: {error.message[:200]}" for error in schema.iter_errors(load(path))] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_what_their_names_say(schema: Draft202012Validator, path: Path) -> None:
    assert schema.is_valid(load(path)) is path.name.startswith("valid-")


def test_there_are_fixtures_and_examples_of_each_kind() -> None:
    kinds = set(load(SCHEMA)["properties"]["kind"]["enum"])
    assert {load(path)["kind"] for path in FIXTURES} == kinds
    assert {load(path)["kind"] for path in EXAMPLES if path.name.startswith("valid-")} == kinds


def test_all_fixtures_were_recorded_on_one_set_of_versions() -> None:
    assert len({json.dumps(load(path)["versions"]) for path in FIXTURES}) == 1
