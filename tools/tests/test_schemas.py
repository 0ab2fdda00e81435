"""Every schema is one, its examples are what their names say, and what SPEC.md shows is valid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from spec import ROOT, SPEC, examples

SCHEMAS = ROOT / "schemas"
EXAMPLES = SCHEMAS / "examples"
VECTORS = sorted((ROOT / "conformance" / "vectors").glob("*.json"))
SHOWN = examples(SPEC.read_text(encoding="utf-8"))


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def schema_files() -> dict[str, Path]:
    """All schemas by the name of their folder of examples; what is data (requirements.json) has no ``$schema``."""
    top = {path.stem: path for path in SCHEMAS.glob("*.json") if "$schema" in load(path)}
    return top | {f"testee-{path.stem}": path for path in (SCHEMAS / "testee").glob("*.json")}


FILES = schema_files()
REGISTRY: Registry[Any] = Registry().with_resources(
    [(content["$id"], Resource.from_contents(content)) for content in map(load, FILES.values())]
)


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(load(FILES[name]), registry=REGISTRY)


def wrong(name: str, value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(name).iter_errors(value)]


@pytest.mark.parametrize("name", FILES)
def test_a_schema_is_a_valid_one_and_says_where_it_is(name: str) -> None:
    content = load(FILES[name])
    assert content["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(content)
    place = FILES[name].relative_to(SCHEMAS).as_posix()
    assert content["$id"].endswith(f"/schemas/{place}")


@pytest.mark.parametrize("name", FILES)
def test_a_schema_has_examples_of_both_kinds(name: str) -> None:
    kinds = {path.name.split("-")[0] for path in (EXAMPLES / name).glob("*.json")}
    assert kinds == {"valid", "invalid"}


def test_every_folder_of_examples_has_its_schema() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} <= FILES.keys()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.json")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_example_is_what_its_name_says(path: Path) -> None:
    found = wrong(path.parent.name, load(path))
    if path.name.startswith("valid-"):
        assert found == []
    else:
        assert found != []


def test_the_spec_shows_examples_of_what_is_exchanged_as_json() -> None:
    assert {name for name, _, _ in SHOWN} == {"entry", "channel-request", "announcement"}


@pytest.mark.parametrize(("name", "text", "line"), SHOWN, ids=lambda each: str(each)[:20])
def test_an_example_in_the_spec_is_valid(name: str, text: str, line: int) -> None:
    assert wrong(name, json.loads(text)) == [], f"SPEC.md:{line}"


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_file_of_vectors_is_valid_and_uses_its_words(path: Path) -> None:
    vectors = load(path)
    assert wrong("vectors", vectors) == []
    cases = [*vectors["cases"], *vectors.get("large", [])]
    names = [case["name"] for case in cases]
    assert len(names) == len(set(names))
    assert {use for case in cases for use in case["use"]} == vectors["uses"].keys()
    assert {flag for case in cases for flag in case["flags"]} == vectors["flags"].keys()


@pytest.mark.parametrize(
    ("path", "area"), [(path, path.stem.upper()[:4]) for path in VECTORS], ids=lambda x: str(x)[-12:]
)
def test_the_vectors_reach_each_statement_of_their_section(path: Path, area: str) -> None:
    known = {r["id"] for r in load(SCHEMAS / "requirements.json")["requirements"]}
    vectors = load(path)
    cited = {id for case in [*vectors["cases"], *vectors.get("large", [])] for id in case["requirements"]}
    assert cited <= known
    ids = {id for id in known if id.startswith(f"RIPC-{area}")}
    # What a table of cases cannot show: what the handler returns, what it may look at, and what a sender adds in `meta`.
    beyond = {"RIPC-CHAN-9", "RIPC-CHAN-10", "RIPC-CHAN-14", "RIPC-CHAN-15", "RIPC-CHAN-17", "RIPC-CHAN-18"}
    assert ids - beyond <= cited
