"""docs/glossary.md has each term once, and the words that it bans are neither in names nor in prose."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_house import listed

from prose import sentences
from spec import ROOT, SPEC

GLOSSARY = ROOT / "docs" / "glossary.md"
CODE = sorted([*(ROOT / "python" / "src").rglob("*.py"), *(ROOT / "tools").rglob("*.py")])
PROSE = sorted([*(path for path in (ROOT / "docs").rglob("*.md") if path != GLOSSARY), ROOT / "CONTRIBUTING.md", *CODE])
ELSEWHERE = listed(
    "interop/node/src/*.ts", "interop/node/testee/*.ts", "interop/*.py", "conformance/*.py", "fuzz/*.py",
    "python/tests/*.py", "python/chaos/*.py", "python/benchmarks/*.py", "python/testee/*.py", "python/examples/*.py",
)  # fmt: skip
"""The Node port, the suite with its model, all tests, and the programs around them: their names are checked, their prose is not."""
SUITE = listed("conformance/*.py")
OF_PYTHON = ("get_type_hints",)
ROW = re.compile(r"^\| (?P<first>[^|]+?) \|", re.MULTILINE)


def rows(text: str) -> list[str]:
    """The first cells of all tables."""
    cells = [found["first"] for found in ROW.finditer(text)]
    return [cell for cell in cells if cell not in ("term", "not used") and not cell.startswith("---")]


def section(name: str) -> str:
    return GLOSSARY.read_text(encoding="utf-8").partition(f"## {name}\n")[2].partition("\n## ")[0]


def terms() -> list[str]:
    """The terms of SPEC.md and of the glossary; a cell may hold two."""
    spec = SPEC.read_text(encoding="utf-8").partition("### Terms\n")[2].partition("\n### ")[0]
    ours = GLOSSARY.read_text(encoding="utf-8").partition("## Words that are not used")[0]
    return [term.strip() for cell in rows(spec) + rows(ours) for term in cell.split(",")]


def banned(where: str = "Words that are not used") -> list[str]:
    """The words in the first column of a table of words that are not used."""
    return [word.strip("` ") for cell in rows(section(where)) for word in cell.split(",")]


def names(text: str) -> Iterator[tuple[int, str]]:
    """Each name of a program with its line."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string


def names_of_typescript(text: str) -> Iterator[tuple[int, str]]:
    """Each name with its line. Comments and strings are left out."""
    code = re.sub(
        r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'",
        lambda found: "\n" * found[0].count("\n"),
        text,
        flags=re.DOTALL,
    )
    for number, line in enumerate(code.splitlines(), 1):
        yield from ((number, name) for name in re.findall(r"[A-Za-z_$][\w$]*", line))


def parts(name: str) -> list[str]:
    """The words of a name in lower case: two for ``HandOver`` and for ``hand_over``."""
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)]


def named(path: Path, text: str, words: list[str]) -> list[str]:
    """The names of a program that have one of the words in them."""
    small = text.lower()
    words = [word for word in words if word in small]
    if not words or path.suffix not in (".py", ".ts"):
        return []
    of_program = names(text) if path.suffix == ".py" else names_of_typescript(text)
    found = ((line, name) for line, name in of_program if name not in OF_PYTHON)
    return [f"{path.name}:{line}: {name}" for line, name in found for word in words if word in parts(name)]


def problems(path: Path, text: str, words: list[str]) -> list[str]:
    """The places where one of the words stands."""
    found: list[str] = []
    small = text.lower()
    words = [word for word in words if word in small]
    if not words:
        return found
    found += named(path, text, words)
    for sentence in sentences(path.name, text):
        spoken = re.findall(r"[a-z0-9]+", sentence.text.lower())
        found += [f"{path.name}:{sentence.line}: {sentence.text[:80]}" for word in words if word in spoken]
    return found


def test_each_term_stands_once() -> None:
    assert len(terms()) > 60
    assert sorted(set(terms())) == sorted(terms())


def test_no_term_is_banned() -> None:
    assert len(banned()) > 8
    assert not set(terms()) & set(banned())


@pytest.mark.parametrize("word", banned())
def test_a_banned_word_is_found(word: str) -> None:
    text = f'"""A sentence with {word} in it."""\n\n\ndef look_{word}() -> None:\n    class A{word.title()}:\n        pass\n'
    assert [each.split(":")[1] for each in problems(Path("a.py"), text, [word])] == ["4", "5", "1"]


def test_no_banned_word_stands_in_code_or_prose() -> None:
    words = banned()
    assert [each for path in PROSE for each in problems(path, path.read_text(encoding="utf-8"), words)] == []


def test_a_banned_word_is_found_in_typescript() -> None:
    text = '/* a crew */ const crew = 1;\n// crew\nlet a = "crew"; class BigCrew {}\n'
    assert named(Path("a.ts"), text, ["crew"]) == ["a.ts:1: crew", "a.ts:3: BigCrew"]


def test_no_banned_word_stands_in_the_names_of_the_port_and_the_suite() -> None:
    assert len(ELSEWHERE) > 100
    texts = ((ROOT / path, (ROOT / path).read_text(encoding="utf-8")) for path in ELSEWHERE)
    assert [each for path, text in texts for each in named(path, text, banned())] == []


def test_no_word_that_the_suite_does_not_use_stands_in_its_names() -> None:
    words = banned("Words that the suite does not use")
    assert len(SUITE) > 100
    assert len(words) > 8
    texts = ((ROOT / path, (ROOT / path).read_text(encoding="utf-8")) for path in SUITE)
    found = [each for path, text in texts for each in named(path, text, words)]
    # A test's name is a sentence.
    assert [each for each in found if ": test_" not in each] == []


def test_every_term_of_the_code_is_a_word_of_the_code() -> None:
    """A term that nobody uses any longer is removed from the page."""
    texts = (path.read_text(encoding="utf-8") for path in CODE)
    used = {part for text in texts for name in set(re.findall(r"[A-Za-z_]\w*", text)) for part in parts(name)}
    listed = [term for cell in rows(section("The library")) for term in cell.split(",")]
    # A face is the role of a folder, so no name in the code has that word.
    assert [term for term in listed if not set(term.split()) <= used | {"face", "twin"}] == []
