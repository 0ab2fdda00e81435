"""Scenario files: what is read from them, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from redisipc_conformance.files import scenarios_folder
from redisipc_conformance.scenario import Scenario, ScenarioError, load_all, load_file

GOOD = """\
id: entry/good
title: Good
requirements: [RIPC-ENTRY-1]
checks:
  one: The first
  two: {text: The second, requirements: [RIPC-ENTRY-2]}
steps:
  - connect: a
  - peer: b
  - send: {from: a, to: b, content: x}
    as: s
  - entry: {of: s}
    check: [one, two]
"""


def load(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "scenario.yaml"
    path.write_text(dedent(text))
    return load_file(path)


def refused(tmp_path: Path, text: str) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path, text)
    return caught.value


def test_a_scenario_says_what_the_file_says(tmp_path: Path) -> None:
    scenario = load(tmp_path, GOOD)
    assert (scenario.id, scenario.area, scenario.profile) == ("entry/good", "entry", "base")
    assert [check.requirements for check in scenario.checks] == [("RIPC-ENTRY-1",), ("RIPC-ENTRY-2",)]
    assert [(step.word, step.line) for step in scenario.walk()] == [
        ("connect", 8),
        ("peer", 9),
        ("send", 10),
        ("entry", 12),
    ]
    assert scenario.steps[3].checks == ("one", "two")
    assert scenario.steps[2].bind == "s"


def test_steps_inside_steps_have_their_lines(tmp_path: Path) -> None:
    steps = "  - repeat:\n      times: 2\n      do:\n        - wait: 0\n  - together:\n      - [{wait: 1}]\n      - - wait: 2\n"
    scenario = load(tmp_path, GOOD + steps)
    assert [(step.word, step.line) for step in scenario.walk()][4:] == [
        ("repeat", 14),
        ("wait", 17),
        ("together", 18),
        ("wait", 19),
        ("wait", 20),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "problem", "expected"),
    [
        ("  - connect: a", "  - conect: a", 8, "'conect' means nothing here (did you mean 'connect'?)", "connect"),
        ("to: b, content", "too: b, content", 10, "too", "from, to, content, timeout"),
        ("from: a, to: b, ", "from: a, ", 10, "'send' lacks to", "the keys from, to"),
        ("check: [one, two]", "check: [one, three]", 12, "the check 'three' is not declared", "one, two"),
        ("check: [one, two]", "check: one", 6, "no step decides the check 'two'", "check:"),
        ("entry: {of: s}", "entry: {of: t}", 12, "nothing is called 't'", "a, b, request, s"),
        ("title: Good\n", "", 1, "the scenario lacks title", "title"),
        ("title: Good", "title: 7", 2, "title is 7", "string"),
        ("title: Good", "title: Good\nprofile: bass", 3, "profile is 'bass'", "one of base, ask, group"),
        ("title: Good", "title: Good\ntitle: Better", 3, "the key 'title' stands here twice", "once"),
        ("  - peer: b", "  - as: b", 9, "this step has no word", "connect"),
        ("  - peer: b", "  - peer: b\n    connect: c", 9, "this step has 2 words: peer, connect", "one word"),
        ("  - peer: b", "  - peer: [b", 10, "this is not YAML", ""),
        ("RIPC-ENTRY-1", "ENTRY-1", 3, "ENTRY-1", "RIPC-"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_what_was_expected(
    tmp_path: Path, old: str, new: str, line: int, problem: str, expected: str
) -> None:
    assert old in GOOD
    error = refused(tmp_path, GOOD.replace(old, new))
    assert problem in error.problem
    assert expected in error.expected
    assert error.line == line
    assert str(error).startswith(f"{error.file}:{line}: ")


def test_yaml_values_are_those_of_the_json_schema(tmp_path: Path) -> None:
    steps = "  - set: {a: yes, b: on, c: 2001-01-01, d: 1e3, e: '1', f: ~, g: 0x10, h: 1_000, i: .5, on: 1}\n"
    arguments = load(tmp_path, GOOD + steps).steps[-1].arguments
    assert arguments == {
        "a": "yes", "b": "on", "c": "2001-01-01", "d": 1000.0, "e": "1", "f": None, "g": "0x10", "h": "1_000",
        "i": 0.5, "on": 1,
    }  # fmt: skip


def test_rows_may_be_written_or_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(
        '{"deep": {"cases": [{"name": "a", "use": ["x", "y"]}, {"name": "b", "use": ["y"]}]}}'
    )
    rows = "rows: {file: rows.json, at: deep.cases, where: {use: [x, z]}}\nchecks:"
    assert [row["name"] for row in load(tmp_path, GOOD.replace("checks:", rows)).rows] == ["a"]
    written = "rows: [{name: a}, {name: a}]\nchecks:"
    assert "two rows are called 'a'" in refused(tmp_path, GOOD.replace("checks:", written)).problem
    nowhere = "rows: {file: nowhere.json}\nchecks:"
    assert "there is no nowhere.json" in refused(tmp_path, GOOD.replace("checks:", nowhere)).problem


def test_each_row_needs_rows_and_a_row_check_too(tmp_path: Path) -> None:
    assert "there are no rows" in refused(tmp_path, GOOD + "  - each-row: [{wait: 0}]\n").problem
    text = GOOD.replace("one: The first", '"one-${row.name}": The first').replace(
        "[one, two]", '["one-${row.name}", two]'
    )
    assert "names a row" in refused(tmp_path, text).problem


def test_an_id_is_its_place_and_is_there_once(tmp_path: Path) -> None:
    place = tmp_path / "entry" / "good.yaml"
    place.parent.mkdir()
    place.write_text(GOOD)
    assert [scenario.id for scenario in load_all(tmp_path)] == ["entry/good"]
    other = tmp_path / "entry" / "other.yaml"
    other.write_text(GOOD)
    with pytest.raises(ScenarioError, match="entry/other"):
        load_all(tmp_path)
    other.write_text(GOOD.replace("id: entry/good", "id: entry/other\nformerly: [entry/good]"))
    with pytest.raises(ScenarioError, match="is taken by"):
        load_all(tmp_path)


def test_the_scenarios_that_ship_are_all_good() -> None:
    assert load_all(scenarios_folder())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{$match: '('}", "not a regular expression"),
        ("{$match: '^(a+)+$'}", "take for ever"),
        ("[" * 3000 + "]" * 3000, "too much"),
        ("!!binary aGVsbG8=", "the tag tag:yaml.org,2002:binary means nothing here"),
        ("!!python/object/apply:os.getcwd []", "means nothing here"),
        ("!foo bar", "the tag !foo means nothing here"),
        ("&a [*a]", "too much"),
    ],
)
def test_an_odd_value_is_refused_with_its_line(tmp_path: Path, content: str, problem: str) -> None:
    error = refused(tmp_path, GOOD.replace("content: x", f"content: {content}"))
    assert problem in error.problem
    assert error.line == 10


def test_a_file_that_grows_without_end_is_refused_at_once(tmp_path: Path) -> None:
    laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
    )
    assert "too much" in refused(tmp_path, GOOD + laughs).problem
