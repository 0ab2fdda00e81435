"""Every schema is valid and self-contained, and gives each example the right verdict. So does ajv in strict mode."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mutations import mutations
from oddities import ODDITIES, WHITE_SPACE

import nodejs
from schemas import FOLDER, VERSIONS, SchemaFile, read, schema_files
from spec import PROFILES, ROLES, ROOT, SPEC, examples
from tables import load

FILES = schema_files()
EXAMPLES = [(file, example) for file in FILES.values() for example in file.examples]
VECTORS = sorted((ROOT / "conformance" / "vectors").glob("*.json"))
SHOWN = examples(SPEC.read_text(encoding="utf-8"))
OF_THE_SHIM = ["block", "postpone", "disconnect-limit", "raise-cancelled"]
"""Features of a testee that do not describe its port. The protocol's registry has none of them."""
WIRE = (
    "1.0/entry", "1.0/entry-read", "1.0/channel-request", "1.0/channel-request-read", "1.0/announcement", "1.0/announcement-read",
    "1.0/names",
)  # fmt: skip
# Keywords that mean the same in draft 4 to draft 2020-12, and "$defs", which older readers take for a name like any other.
COMMON = frozenset(
    ("$schema", "$id", "$ref", "$defs", "title", "description", "examples", "type", "required", "properties",
     "additionalProperties", "enum", "const", "items", "pattern", "minLength", "maxLength", "minItems", "minimum", "not", "anyOf")
)  # fmt: skip


def validator(file: SchemaFile) -> Draft202012Validator:
    return Draft202012Validator(file.content)


def wrong(name: str, value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(FILES[name]).iter_errors(value)]


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_a_schema_is_a_valid_one_named_after_its_place_and_a_type(file: SchemaFile) -> None:
    content = file.content
    assert content["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(content)
    assert content["$id"] == file.id
    assert re.fullmatch(r"([A-Z][a-z]+)+", content["title"])
    assert re.fullmatch(r"[A-Z].*\.", content["description"])


def test_no_two_schemas_have_one_title() -> None:
    titles = [file.content["title"] for file in FILES.values()]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_a_schema_needs_no_other_file(file: SchemaFile) -> None:
    assert all(reference.startswith("#/$defs/") for reference in references(file.content))


def references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [each for item in part for each in references(item)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [each for key, item in part.items() if key != "examples" for each in references(item)]


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_a_schema_has_examples_of_both_kinds_and_one_inside(file: SchemaFile) -> None:
    assert {example.valid for example in file.examples} == {True, False}
    inside = file.content["examples"]
    assert inside
    for value in inside:
        assert wrong(file.name, value) == []


def test_every_example_belongs_to_a_schema() -> None:
    paths = {path for version in VERSIONS for path in (FOLDER / version / "examples").rglob("*.json")}
    assert paths == {example.path for _, example in EXAMPLES}
    assert all(re.match(r"(in)?valid-", path.name) for path in paths)


@pytest.mark.parametrize(
    ("file", "example"),
    [pytest.param(file, example, id=f"{file.name}/{example.path.stem}") for file, example in EXAMPLES],
)
def test_an_example_is_what_its_name_says(file: SchemaFile, example: Any) -> None:
    assert validator(file).is_valid(example.value) is example.valid


@pytest.mark.parametrize(
    "oddity", ODDITIES, ids=lambda oddity: f"{oddity.schema}: {oddity.about}".encode("ascii", "replace").decode()
)
def test_an_oddity_has_its_verdict(oddity: Any) -> None:
    assert (wrong(oddity.schema, oddity.value) == []) is oddity.valid


def test_ajv_compiles_every_schema_in_strict_mode_and_gives_the_same_verdicts() -> None:
    if nodejs.missing():
        pytest.skip(nodejs.missing())
    nodejs.install()
    cases = [(file.id, example.value, example.valid, example.path.stem) for file, example in EXAMPLES]
    cases += [(FILES[each.schema].id, each.value, each.valid, each.about) for each in ODDITIES]
    found = nodejs.opinion([file.content for file in FILES.values()], [(id, value) for id, value, _, _ in cases])
    assert found.refused == {}
    other = [
        (id, about)
        for (id, _, valid, about), verdict in zip(cases, found.verdicts, strict=True)
        if verdict is not valid
    ]
    assert other == []


def test_ajv_and_jsonschema_agree_on_every_example_with_a_part_changed() -> None:
    if nodejs.missing():
        pytest.skip(nodejs.missing())
    nodejs.install()
    changed = [each for file in FILES.values() for each in mutations(file)]
    validators = {file.name: validator(file) for file in FILES.values()}
    mine = [validators[each.schema.name].is_valid(each.value) for each in changed]
    found = nodejs.opinion(
        [file.content for file in FILES.values()], [(each.schema.id, each.value) for each in changed]
    )
    differ = [
        f"{each.schema.name} {each.about}: jsonschema {here}, ajv {there}"
        for each, here, there in zip(changed, mine, found.verdicts, strict=True)
        if here is not there
    ]
    assert differ == []
    assert 0 < sum(mine) < len(mine)


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_a_pattern_means_the_same_in_every_language(file: SchemaFile) -> None:
    for part in parts(file.content):
        pattern = part.get("pattern")
        if isinstance(pattern, str):
            plain = re.sub(r"\[[^\]]*\]", "", pattern.replace(r"[\s\S]", ""))
            assert not re.search(r"\\[sSdDwWbB]|(?<!\\)\.", plain), (
                f"{pattern} holds a class that languages read differently"
            )
            if pattern.endswith("$") and pattern != "\n$":
                guard = {"type": "string", "pattern": "\n$"}
                assert "maxLength" in part or part.get("not") == guard, (
                    f"{pattern} takes a line feed at the end in Python"
                )


def parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(each)


def test_the_schemas_of_the_wire_use_what_all_drafts_have() -> None:
    for name in WIRE:
        assert keywords(FILES[name].content) <= COMMON, name


def keywords(schema: Any) -> set[str]:
    """The keywords of a schema and of those inside it; names of properties and definitions do not count."""
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for key in ("properties", "$defs"):
        for part in schema.get(key, {}).values():
            found |= keywords(part)
    for key in ("items", "not", "additionalProperties"):
        found |= keywords(schema.get(key))
    return found


def test_blank_is_what_the_spec_calls_white_space() -> None:
    patterns = {
        definition["pattern"]
        for name in WIRE
        for definition in FILES[name].content.get("$defs", {}).values()
        if "Not blank" in definition.get("description", "")
    }
    [pattern] = patterns
    listed = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000 and not re.search(pattern, chr(code))]
    assert listed == WHITE_SPACE
    text = SPEC.read_text(encoding="utf-8")
    shown = re.search(r"property White_Space: ([^.]*)\.", text)
    assert shown
    ends = [re.findall(r"U\+([0-9A-F]{4})", part) for part in shown.group(1).split(",")]
    assert [code for end in ends for code in range(int(end[0], 16), int(end[-1], 16) + 1)] == WHITE_SPACE


def test_what_two_files_define_is_the_same() -> None:
    """Schemas are self-contained, so several have the same definitions."""
    seen: dict[tuple[str, str], Any] = {}
    for file in FILES.values():
        for name, definition in file.content.get("$defs", {}).items():
            if name not in ("params", "result") and file.name != "1.0/testee/message":
                key = (file.name.split("/")[1] if "testee" in file.name else file.name, name)
                assert seen.setdefault(key, definition) == definition, (file.name, name)
    request = FILES["1.0/channel-request"].content
    inside = FILES["1.0/files/vectors"].content["$defs"]
    assert inside["Meta"] == request["$defs"]["Meta"]
    assert all(request[key] == value for key, value in inside["ChannelRequest"].items())
    entry, names = FILES["1.0/entry"].content["$defs"], FILES["1.0/names"].content["$defs"]
    for one, other in (("RequestId", "RequestId"), ("InstanceId", "Instance"), ("Group", "Stream")):
        first, second = ({k: v for k, v in each.items() if k != "description"} for each in (entry[one], names[other]))
        assert first == second


def test_the_words_of_the_registries_are_those_of_the_schemas() -> None:
    tables = {table["id"]: table["rows"] for name in ("registries", "profiles") for table in load(name)["tables"]}
    entry, announcement = FILES["1.0/entry"].content, FILES["1.0/announcement"].content
    assert entry["properties"]["status"]["enum"] == [row["value"] for row in tables["status"]]
    assert list(announcement["properties"]) == [row["key"] for row in tables["announcement"]]
    assert announcement["required"] == [row["key"] for row in tables["announcement"] if row["needed"]]
    meta = FILES["1.0/channel-request"].content["$defs"]["Meta"]
    assert list(meta["properties"]) == [row["key"] for row in tables["meta"]]
    claimed = FILES["1.0/testee/answers/hello"].content["$defs"]["result"]["properties"]
    assert claimed["features"]["items"]["enum"] == [*(row["name"] for row in tables["features"]), *OF_THE_SHIM]
    assert claimed["profiles"]["items"]["enum"] == [row["id"] for row in tables["profiles"]]
    statement = FILES["1.0/files/requirements"].content["$defs"]["Requirement"]["properties"]
    assert {*statement["role"]["enum"]} == {row["id"] for row in tables["roles"]} == {*ROLES}
    assert statement["profile"]["enum"] == [row["id"] for row in tables["profiles"]] == [*PROFILES]


def test_the_spec_shows_examples_of_what_is_exchanged_as_json() -> None:
    assert {name for name, _, _ in SHOWN} == {"entry", "channel-request", "announcement"}


@pytest.mark.parametrize(("name", "text", "line"), SHOWN, ids=lambda each: str(each)[:20])
def test_an_example_in_the_spec_is_valid(name: str, text: str, line: int) -> None:
    assert wrong(f"1.0/{name}", json.loads(text)) == [], f"SPEC.md:{line}"


def test_the_list_of_requirements_is_what_its_schema_says() -> None:
    assert wrong("1.0/files/requirements", read(FOLDER / "requirements.json")) == []


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_file_of_vectors_is_valid_and_uses_its_words(path: Path) -> None:
    vectors = read(path)
    assert wrong("1.0/files/vectors", vectors) == []
    cases = [*vectors["cases"], *vectors.get("large", [])]
    names = [case["name"] for case in cases]
    assert len(names) == len(set(names))
    assert {use for case in cases for use in case["use"]} == vectors["uses"].keys()
    assert {flag for case in cases for flag in case["flags"]} == vectors["flags"].keys()


@pytest.mark.parametrize(
    ("path", "area"), [(path, path.stem.upper()[:4]) for path in VECTORS], ids=lambda x: str(x)[-12:]
)
def test_the_vectors_reach_each_statement_of_their_section(path: Path, area: str) -> None:
    known = {r["id"] for r in read(FOLDER / "requirements.json")["requirements"]}
    vectors = read(path)
    cited = {id for case in [*vectors["cases"], *vectors.get("large", [])] for id in case["requirements"]}
    assert cited <= known
    ids = {id for id in known if id.startswith(f"RIPC-{area}")}
    # What a table of cases cannot show: what the handler returns, what it may look at, and what a sender adds in `meta`.
    beyond = {"RIPC-CHAN-9", "RIPC-CHAN-10", "RIPC-CHAN-14", "RIPC-CHAN-15", "RIPC-CHAN-17", "RIPC-CHAN-18"}
    assert ids - beyond <= cited
