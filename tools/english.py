"""Finds sentences that are too long and phrases that a reader from another country reads twice.

``english.py FILE...`` prints ``file:line: problem``, and fails if there is one. It reads Markdown (paragraphs, list items,
cells), Python (docstrings and comments) and YAML (titles, texts of checks, notes). Code, headings and quoted blocks of code
are left out. With ``--messages`` it reads the strings of Python instead: what a program says to its user. ``english.json``
holds the greatest length and the phrases, each with its reason and what to write instead.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from prose import Sentence, sentences

RULES = Path(__file__).with_name("english.json")


class Phrase(NamedTuple):
    """A phrase that is not used, why, and what stands for it. ``where``: only there, empty for everywhere."""

    pattern: re.Pattern[str]
    reason: str
    instead: str
    where: str


class Rules(NamedTuple):
    """The greatest number of words in a sentence, and the phrases."""

    words: int
    phrases: list[Phrase]


def rules() -> Rules:
    """The content of ``english.json``."""
    content = json.loads(RULES.read_text(encoding="utf-8"))
    return Rules(content["words"], [_phrase(each) for each in content["phrases"]])


def _phrase(each: dict[str, str]) -> Phrase:
    return Phrase(re.compile(each["pattern"], re.IGNORECASE), each["reason"], each["instead"], each.get("where", ""))


def problems(name: str, content: str, rule: Rules, messages: bool = False) -> Iterator[tuple[int, str]]:
    """Line and problem, for each in the file. ``messages``: of the strings of a program, instead of its docstrings."""
    for sentence in sentences(name, content, messages):
        if sentence.words > rule.words:
            yield sentence.line, f"{sentence.words} words, at most {rule.words}: {_short(sentence.text)}"
        for phrase in rule.phrases:
            found = phrase.pattern.search(sentence.text)
            if found and _applies(phrase, sentence):
                yield (
                    sentence.line,
                    f"{found.group().strip()!r}: {phrase.reason}; write: {phrase.instead}: {_short(sentence.text)}",
                )


def _applies(phrase: Phrase, sentence: Sentence) -> bool:
    return not phrase.where or (phrase.where == sentence.kind and sentence.first)


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:97] + "..."


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="sentences that are too long, and phrases that are hard to read")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="Markdown, Python or YAML")
    parser.add_argument(
        "--messages", action="store_true", help="the strings of Python, instead of docstrings and comments"
    )
    options = parser.parse_args(arguments)
    rule = rules()
    count = 0
    for path in options.files:
        for line, problem in problems(path.name, path.read_text(encoding="utf-8"), rule, options.messages):
            print(f"{path}:{line}: {problem}")
            count += 1
    if count:
        print(f"{count} problems", file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
