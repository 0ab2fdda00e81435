"""YAML to plain values, with the line of every value: YAML 1.2's core schema, without merge keys and duplicate keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.resolver import BaseResolver

from ..jsontext import number
from .errors import ScenarioError

Path_ = tuple[Any, ...]
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
DEEPEST, MOST = 200, 200_000
"""Levels and values of one file. A larger file was made by a machine, or is meant to block its reader."""
_CONSTANTS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}


class _Undecided(BaseResolver):  # type: ignore[misc]
    """Leaves the type of a plain scalar open.

    The code below decides it, since YAML's own rules differ by version and are slow.
    """

    def __init__(self, version: Any = None, loader: Any = None, loadumper: Any = None) -> None:
        super().__init__(loadumper or loader)

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return "undecided"


class Lines:
    """The line of each value of a document, by its path; of a mapping's value: the line of its key."""

    def __init__(self) -> None:
        self._of: dict[Path_, int] = {}

    def note(self, path: Path_, line: int) -> None:
        self._of[path] = line

    def __len__(self) -> int:
        return len(self._of)

    def of(self, path: Path_) -> int:
        """The line of `path`, else of the nearest thing around it."""
        while path and path not in self._of:
            path = path[:-1]
        return self._of.get(path, 1)


def read(path: Path, name: str) -> tuple[Any, Lines]:
    """The document in `path`. `name` stands for the file in errors. Raises ScenarioError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(name, 0, f"cannot be read: {error}") from error
    return parse(text, name)


def parse(text: str, name: str) -> tuple[Any, Lines]:
    """The one document in `text`."""
    try:
        reader = YAML(typ="safe", pure=False)
        reader.Resolver = _Undecided
        node = reader.compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ScenarioError(name, line, f"this is not YAML: {error.problem or error.context}") from error
    except Exception as error:
        raise ScenarioError(name, 0, f"this is not YAML: {error}") from error
    if node is None:
        raise ScenarioError(name, 1, "the file is empty", "a scenario")
    lines = Lines()
    return _value(node, (), name, lines), lines


def _value(node: Any, path: Path_, name: str, lines: Lines) -> Any:
    line = node.start_mark.line + 1
    lines.note(path, line)
    if len(path) > DEEPEST or len(lines) > MOST:
        raise ScenarioError(
            name, line, "there is too much in this file", f"{DEEPEST} levels and {MOST:,} values at most"
        )
    if node.tag not in (None, "undecided", "tag:yaml.org,2002:str"):
        raise ScenarioError(name, line, f"the tag {node.tag} means nothing here", "a value without a tag")
    kind = type(node).__name__
    if kind == "ScalarNode":
        return _scalar(node, line, name)
    if kind == "SequenceNode":
        return [_value(child, (*path, at), name, lines) for at, child in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, child in node.value:
        key_line = key_node.start_mark.line + 1
        if type(key_node).__name__ != "ScalarNode":
            raise ScenarioError(name, key_line, "a key is a list or a mapping", "a string")
        key = key_node.value
        if key in result:
            raise ScenarioError(name, key_line, f"the key {key!r} stands here twice", "each key once")
        result[key] = _value(child, (*path, key), name, lines)
        lines.note((*path, key), key_line)
    return result


def _scalar(node: Any, line: int, name: str) -> Any:
    text: str = node.value
    plain = not node.style or node.style not in "'\"|>"
    if not plain or (node.tag or "").endswith(":str"):
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.match(text):
        try:
            return int(text)
        except ValueError as error:
            raise ScenarioError(name, line, f"a number of {len(text)} digits cannot be read", "fewer digits") from error
    if _FLOAT.match(text):
        return number(text)
    return text
