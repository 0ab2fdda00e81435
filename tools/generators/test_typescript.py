"""TypeScript types, made by quicktype: they compile, accept each valid example, and refuse what lacks a member."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lacking import lacking

import nodejs
from schemas import SchemaFile, schema_files

# Quicktype makes one class from all alternatives of a value, with every member optional. Each part of these has a file
# of its own, or no port reads it.
UNIONS = {
    "1.0/testee/message": "its four kinds have files of their own",
    "1.0/files/table": "its three kinds of files share one schema",
}
FILES = schema_files()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled modules."""
    if nodejs.missing():
        pytest.skip(nodejs.missing())
    nodejs.install(generators=True)
    folder = tmp_path_factory.mktemp("typescript")
    schemas = [{"name": file.name, "content": file.content} for file in FILES.values()]
    nodejs.run(["node", "generate.mjs"], json.dumps({"folder": str(folder), "schemas": schemas}))
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    made = [str(path) for path in sorted(folder.rglob("*.ts"))]
    assert len(made) == len(FILES)
    options = [
        "--strict",
        "--target",
        "es2022",
        "--module",
        "nodenext",
        "--outDir",
        str(folder),
        "--rootDir",
        str(folder),
    ]
    nodejs.run(["node", "node_modules/typescript/bin/tsc", *options, *made])
    return folder


def verdicts(folder: Path, cases: list[tuple[SchemaFile, Any]]) -> list[bool]:
    asked = [{"name": file.name, "type": file.content["title"], "value": value} for file, value in cases]
    found: list[bool] = json.loads(
        nodejs.run(["node", "cases.mjs"], json.dumps({"folder": str(folder), "cases": asked}))
    )
    return found


def test_the_types_compile_and_accept_each_valid_example(compiled: Path) -> None:
    cases = [(file, example) for file in FILES.values() for example in file.examples if example.valid]
    found = verdicts(compiled, [(file, example.value) for file, example in cases])
    refused = [f"{file.name}: {example.path.stem}" for (file, example), ok in zip(cases, found, strict=True) if not ok]
    assert refused == []


def test_the_types_refuse_each_example_that_lacks_a_member(compiled: Path) -> None:
    cases = [(file, each) for file in FILES.values() if file.name not in UNIONS for each in lacking(file)]
    assert {file.name for file, _ in cases} == FILES.keys() - UNIONS.keys()
    found = verdicts(compiled, [(file, each.value) for file, each in cases])
    accepted = [
        f"{file.name}: {e.example} without {e.member}" for (file, e), ok in zip(cases, found, strict=True) if ok
    ]
    assert accepted == []


def test_a_union_is_one_for_a_reason() -> None:
    for name in UNIONS:
        assert "oneOf" in FILES[name].content
