"""docs/glossary.md has each term once, and the words that it bans stand neither in names nor in prose."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from prose import sentences
from spec import ROOT, SPEC

GLOSSARY = ROOT / "docs" / "glossary.md"
CODE = sorted([*(ROOT / "python" / "src").rglob("*.py"), *(ROOT / "tools").rglob("*.py")])
PROSE = sorted([*(path for path in (ROOT / "docs").rglob("*.md") if path != GLOSSARY), ROOT / "CONTRIBUTING.md", *CODE])
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


def banned() -> list[str]:
    """The words in the first column of the last table."""
    return [cell.strip("`") for cell in rows(section("Words that are not used"))]


def names(text: str) -> Iterator[tuple[int, str]]:
    """Each name of a program with its line."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string


def parts(name: str) -> list[str]:
    """The words that a name is made of, in small letters: two for ``HandOver`` and for ``hand_over``."""
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)]


def problems(path: Path, text: str, words: list[str]) -> list[str]:
    """The places where one of the words stands."""
    found: list[str] = []
    small = text.lower()
    words = [word for word in words if word in small]
    if not words:
        return found
    if path.suffix == ".py":
        for line, name in names(text):
            found += [f"{path.name}:{line}: {name}" for word in words if word in parts(name)]
    for sentence in sentences(path.name, text):
        spoken = re.findall(r"[a-z0-9]+", sentence.text.lower())
        found += [f"{path.name}:{sentence.line}: {sentence.text[:80]}" for word in words if word in spoken]
    return [each for each in found if not any(name in each for name in OF_PYTHON)]


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


def test_every_term_of_the_code_is_a_word_of_the_code() -> None:
    """A term that nobody uses any longer goes from the page."""
    texts = (path.read_text(encoding="utf-8") for path in CODE)
    used = {part for text in texts for name in set(re.findall(r"[A-Za-z_]\w*", text)) for part in parts(name)}
    listed = [term for cell in rows(section("The library")) for term in cell.split(",")]
    # A face is a folder's role, and has no name in the code.
    assert [term for term in listed if not set(term.split()) <= used | {"face", "twin"}] == []
