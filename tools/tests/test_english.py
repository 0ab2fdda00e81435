"""Long sentences and hard phrases are found where they stand, and nothing is found in code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from english import RULES, main, problems, rules
from prose import plain, sentences

RULE = rules()
PHRASES = json.loads(RULES.read_text(encoding="utf-8"))["phrases"]
LONG = " ".join(["word"] * 31)


def found(content: str, name: str = "a.md") -> list[tuple[int, str]]:
    return list(problems(name, content, RULE))


def texts(content: str, name: str = "a.md") -> list[tuple[int, str]]:
    return [(each.line, each.text) for each in sentences(name, content)]


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase["pattern"][:24])
def test_a_phrase_finds_what_is_hard_and_leaves_what_is_good(phrase: dict[str, str]) -> None:
    name = {"docstring": "a.py", "yaml": "a.yaml"}.get(phrase.get("where", ""), "a.md")
    shape = '"""{}"""\n' if name == "a.py" else "{}\n"
    assert [phrase["reason"] in problem for _, problem in found(shape.format(phrase["bad"]), name)] == [True]
    assert found(shape.format(phrase["good"]), name) == []


def test_a_sentence_of_more_than_thirty_words_is_found_on_its_line() -> None:
    [(line, problem)] = found(f"Short.\nAlso short. {LONG}.\n")
    assert line == 2
    assert problem.startswith("31 words, at most 30")
    assert found(f"{LONG.removeprefix('word ')}.\n") == []


def test_each_cell_and_each_item_is_counted_by_itself() -> None:
    half = " ".join(["word"] * 20)
    assert found(f"| a | b |\n| --- | --- |\n| {half} | {half} |\n") == []
    assert found(f"- {half}\n- {half}\n\n{half}\n\n{half}\n") == []
    assert [line for line, _ in found(f"- {half}\n  {half}\n")] == [1]


def test_code_headings_and_the_index_are_left_out() -> None:
    assert found(f"# {LONG} is no heading\n\n```\n{LONG} is no X\n```\n\nIt is `no X`.\n") == []
    assert found(f"~~~~\n~~~\n{LONG}\n~~~~\n") == []
    assert found(f"<!-- begin index -->\n| {LONG} |\n<!-- end index -->\n") == []


def test_code_is_one_word_and_markup_is_none() -> None:
    assert plain('a `b c` [d](e) **f** *g* <a id="x"></a>h') == "a `code` d f g h"
    assert plain("**RIPC-ENTRY-1** (sender, base) An entry.") == "An entry."
    [sentence] = sentences("a.md", "It reads `XREADGROUP GROUP a b` from [the stream](#x).\n")
    assert sentence.words == 6


def test_sentences_end_where_they_end() -> None:
    assert texts("One, e.g. this. Two of\n6.2 items. (three.) four ... on.\n") == [
        (1, "One, e.g. this."), (1, "Two of 6.2 items."), (2, "(three."), (2, "four ... on.")
    ]  # fmt: skip


def test_docstrings_and_comments_of_python_are_prose() -> None:
    docstring = '"""What it does.\n\nA list that is no list.\n"""\n\n'
    code = '# It is told\n# so.\nx = 1\n"""Told."""\ny = lambda: "told"  # noqa: E501\n'
    content = docstring + code
    assert [line for line, _ in found(content, "a.py")] == [1, 3, 9, 6]


def test_titles_texts_of_checks_notes_and_reasons_of_yaml_are_prose() -> None:
    checks = "checks:\n  a: {text: One is told, requirements: [X-1]}\n  ${row.name}: {text: One is told}\n  b: Told\n"
    steps = "steps:\n- outcome: {reason: it is told}\n  note: Told\n- content: {text: told}\n"
    known = "known:\n- id: a\n  reason: >-\n    One is\n    told.\n  spec: b\n"
    assert [line for line, _ in found(f"title: Told\n{checks}{steps}", "a.yaml")] == [1, 3, 5, 8]
    assert [line for line, _ in found(known, "a.yaml")] == [3]


def test_a_placeholder_of_yaml_is_one_word() -> None:
    [sentence] = sentences("a.yaml", "title: It has ${a row. with many words}\n")
    assert sentence.words == 3


def test_the_strings_of_a_program_are_read_when_messages_are_asked_for() -> None:
    code = (
        '"""It is told."""\n\nraise ValueError(f"{a} is told {b}")\nname = "is told"\ncut = ("it is not; "\n  "told")\n'
    )
    assert sorted(line for line, _ in problems("a.py", code, RULE, messages=True)) == [3, 5]
    one_word = 'f"' + "{a if b else c} " * 30 + '"\n'
    assert list(problems("a.py", one_word, RULE, messages=True)) == []


def test_indented_lines_of_a_docstring_are_code() -> None:
    assert found('"""It runs.\n\n    It is told.\n\nIt is told.\n"""\n', "a.py") != []
    content = 'def f():\n    """It runs.\n\n        is told\n\n    It is good.\n    """\n'
    assert found(content, "a.py") == []


def test_the_tool_prints_file_and_line_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.md"
    path.write_text("Good.\n\nIt is no list.\n", encoding="utf-8")
    assert main([str(path)]) == 1
    assert capsys.readouterr().out.startswith(f"{path}:3: 'is no'")
    path.write_text("Good.\n", encoding="utf-8")
    assert main([str(path)]) == 0
