"""The prose of a file, in sentences with their lines.

For Markdown these are all texts except code and headings, for Python the docstrings and comments. For YAML they are the
texts that people read: titles, texts of checks, notes, faults and reasons.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

_FENCE = re.compile(r"^\s*(```+|~~~+)")
_HEADING = re.compile(r"^#{1,6} ")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)]) +")
_INDEX = re.compile(r"<!-- begin index -->.*?<!-- end index -->", re.DOTALL)
_RULE = re.compile(r"^\|[\s:|-]+\|?$")
_STATEMENT = re.compile(r"\*\*(RIPC-[A-Z]+-\d+)\*\* \([^)]*\) ")
_END = re.compile(r"(?<=[.!?])(?<!\.\.)[\"')]*\s+|\s·\s")
_SPOKEN = {"title": "", "about": "", "note": "", "fault": "", "text": "requirements", "reason": "spec"}
"""Keys of YAML whose values are prose, and the key that must stand beside them: elsewhere they are data."""
_ABBREVIATED = re.compile(r"\b(?:e\.g|i\.e|cf|vs|etc|approx|no|sec|fig)\.$", re.IGNORECASE)


class Text(NamedTuple):
    """A piece of prose: a paragraph, a list item, a cell, a docstring or a comment.

    ``lines`` are its lines, from ``line`` on.
    """

    line: int
    lines: list[str]
    kind: str


class Sentence(NamedTuple):
    """One sentence and the line on which it begins. Code is one word, links are their text. ``first``: it begins its text."""

    line: int
    text: str
    kind: str
    first: bool

    @property
    def words(self) -> int:
        return sum(bool(re.search(r"\w", word)) for word in self.text.split())


def sentences(name: str, content: str, messages: bool = False) -> Iterator[Sentence]:
    """All sentences of a file. ``name`` ends in .md, .py or .yaml. ``messages``: those of Python's strings, instead."""
    if messages:
        for text in strings(content):
            yield from _split(text)
        return
    texts = {".py": python, ".yaml": yaml}.get(Path(name).suffix, markdown)
    for text in texts(content):
        yield from _split(text)


def markdown(content: str) -> Iterator[Text]:
    """Paragraphs, list items and cells."""
    fence = ""
    start, block = 0, list[str]()
    # The index holds numbers, no sentences.
    content = _INDEX.sub(_breaks, content)
    for number, line in enumerate([*content.splitlines(), ""], 1):
        fenced = _FENCE.match(line)
        opened = not fence and fenced
        ends = bool(fence or opened or not line.strip() or _HEADING.match(line) or line.startswith("|"))
        if block and (ends or _ITEM.match(line)):
            yield Text(start, block, "text")
            block = []
        if opened and fenced:
            fence = fenced.group(1)
        elif fence:
            if fenced and fenced.group(1).startswith(fence):
                fence = ""
        elif line.startswith("|") and not _RULE.match(line):
            yield from (Text(number, [cell], "cell") for cell in _cells(line))
        elif not ends:
            start = start if block else number
            block.append(_ITEM.sub("", line.lstrip("> "), count=1))


def _cells(line: str) -> list[str]:
    # A bar inside of code does not end a cell.
    masked = re.sub(r"`[^`]*`", lambda found: found.group().replace("|", "\0"), line.strip())
    return [cell.replace("\0", "|").strip() for cell in re.split(r"(?<!\\)\|", masked) if cell.strip()]


def python(content: str) -> Iterator[Text]:
    """Docstrings, strings that stand alone after a name, and comments; a comment over several lines is one text."""
    for node in ast.walk(ast.parse(content)):
        body = getattr(node, "body", None)
        # The body of a lambda is an expression.
        for part in body if isinstance(body, list) else ():
            if (
                isinstance(part, ast.Expr)
                and isinstance(part.value, ast.Constant)
                and isinstance(part.value.value, str)
            ):
                yield from _paragraphs(part.lineno, part.value.value)
    start, block = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith(("#!", "# type:", "# noqa", "# fmt:")):
            if block and token.start[0] != start + len(block):
                yield Text(start, block, "comment")
                block = []
            start = start if block else token.start[0]
            block.append(token.string.lstrip("# "))
    if block:
        yield Text(start, block, "comment")


def strings(content: str) -> Iterator[Text]:
    """The strings of Python that are not docstrings and have three words: what a program says. A value in one is one word."""
    tree = ast.parse(content)
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            said = "".join(str(part.value) if isinstance(part, ast.Constant) else "`x`" for part in node.values)
            skipped |= {id(part) for part in node.values}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            said = node.value
        else:
            continue
        if len(said.split()) > 2:
            for text in markdown(said):
                yield Text(node.lineno, [" ".join(text.lines)], "message")


def yaml(content: str) -> Iterator[Text]:
    """The values of the keys that hold prose, wherever they are in the document."""
    yield from _spoken(YAML(typ="safe", pure=True).compose(content))


def _spoken(node: Any, short: bool = False) -> Iterator[Text]:
    if isinstance(node, SequenceNode):
        for part in node.value:
            yield from _spoken(part)
    elif isinstance(node, MappingNode):
        keys = {key.value for key, _ in node.value}
        for key, value in node.value:
            beside = "" if short else _SPOKEN.get(key.value)
            if isinstance(value, ScalarNode) and beside is not None and (not beside or beside in keys):
                # A placeholder is one word, like code.
                yield Text(key.start_mark.line + 1, [re.sub(r"\$\{[^}]*\}", "`x`", value.value)], "yaml")
            else:
                # A check may be its text alone.
                yield from _spoken(value, short=key.value == "checks")


def _paragraphs(line: int, docstring: str) -> Iterator[Text]:
    first = True
    for text in markdown(_without_code(docstring).replace("``", "`")):
        yield Text(line + text.line - 1, text.lines, "docstring" if first else "text")
        first = False


def _without_code(docstring: str) -> str:
    """Empties lines that are indented by four spaces more than the docstring: they are code."""
    head, *rest = docstring.split("\n")
    own = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
    return "\n".join([head, *("" if line[own:].startswith("    ") else line for line in rest)])


def _split(text: Text) -> Iterator[Sentence]:
    whole = plain("\n".join(text.lines))
    begin, first = 0, True
    cuts = [*(found.span() for found in _END.finditer(whole)), (len(whole), len(whole))]
    for end, after in cuts:
        sentence = whole[begin:end]
        if _ABBREVIATED.search(sentence) and end < len(whole):
            continue
        if sentence.strip():
            skipped = len(sentence) - len(sentence.lstrip())
            line = text.line + whole.count("\n", 0, begin + skipped)
            yield Sentence(line, " ".join(sentence.split()), text.kind, first)
            first = False
        begin = after


def plain(text: str) -> str:
    """``text`` without markup; the line breaks stay where they are."""
    text = re.sub(r"<!--.*?-->", _breaks, text, flags=re.DOTALL)
    text = re.sub(r"`+[^`]*`+", lambda found: "`code`" + _breaks(found), text)
    text = re.sub(r"</?[a-z][^>]*>", _breaks, text)
    text = _STATEMENT.sub("", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"(?<![\w])[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?![\w])", "", text)


def _breaks(found: re.Match[str]) -> str:
    return "\n" * found.group().count("\n")
