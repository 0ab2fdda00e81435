"""`schemas/1.0/files/scenario.json`, with errors in words that help an author."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from ..files import schema_file
from ..jsonrefs import inlined
from .errors import ScenarioError
from .yaml import Lines

MODIFIERS = ("as", "check", "within", "now", "throughout", "note", "reply")


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The grammar itself."""
    loaded: dict[str, Any] = json.loads(schema_file("files/scenario").read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=1)
def step_words() -> tuple[str, ...]:
    """Every step word, without the modifiers."""
    return tuple(name for name in schema()["$defs"]["step"]["properties"] if name not in MODIFIERS)


@lru_cache(maxsize=1)
def _validator() -> Draft202012Validator:
    grammar = schema()
    definitions = grammar["$defs"]
    return Draft202012Validator(inlined(grammar, lambda reference: definitions[reference.rpartition("/")[2]]))


def check(document: Any, file: str, lines: Lines) -> None:
    """Raises ScenarioError for the first thing (by line) that breaks the grammar."""
    errors = [_innermost(error) for error in _validator().iter_errors(document)]
    if errors:
        raise min((_explained(error, file, lines) for error in errors), key=lambda told: told.line)


def _innermost(error: ValidationError) -> ValidationError:
    """Of several alternatives, the error of the one that fits best."""
    while error.context:
        deepest = max(error.context, key=lambda each: (len(each.absolute_path), each.validator != "type"))
        if error.validator == "anyOf" and len(deepest.absolute_path) == len(error.absolute_path):
            return error
        error = deepest
    return error


def _explained(error: ValidationError, file: str, lines: Lines) -> ScenarioError:
    path = tuple(error.absolute_path)
    where = str(path[-1]) if path else "the scenario"
    value: Any = error.instance
    rule: Any = error.validator_value
    parts: Any = error.schema
    if error.validator == "additionalProperties":
        known = list(parts.get("properties", {}))
        strange = next((key for key in value if key not in known), "?")
        return ScenarioError(
            file,
            lines.of((*path, strange)),
            f"{strange!r} means nothing here{_near(strange, known)}",
            _first_names(known),
        )
    if error.validator == "required":
        missing = ", ".join(key for key in rule if key not in value)
        return ScenarioError(file, lines.of(path), f"{_what(path)} lacks {missing}", f"the keys {', '.join(rule)}")
    if error.validator == "anyOf":
        expected = " or ".join(_kind(each) for each in rule)
    elif error.validator in ("enum", "const"):
        expected = _first_names([str(each) for each in rule]) if error.validator == "enum" else str(rule)
    elif error.validator == "type":
        expected = " or ".join(rule) if isinstance(rule, list) else str(rule)
    elif error.validator == "pattern":
        expected = f"text like {rule}"
    else:
        expected = f"{error.validator} {rule}"
    return ScenarioError(file, lines.of(path), f"{where} is {_short(value)}", expected)


def _what(path: tuple[Any, ...]) -> str:
    name = next((part for part in reversed(path) if isinstance(part, str)), None)
    return repr(name) if name and name != "steps" else ("the step" if path else "the scenario")


def _kind(alternative: dict[str, Any]) -> str:
    if "$ref" in alternative:
        return f"a {alternative['$ref'].rsplit('/', 1)[-1]}"
    if "enum" in alternative:
        return _first_names([str(each) for each in alternative["enum"]])
    kind = alternative.get("type", "value")
    return str(" or ".join(kind) if isinstance(kind, list) else kind)


def _near(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _first_names(names: list[str]) -> str:
    return "one of " + ", ".join(names) if len(names) != 1 else names[0]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def no_word(step: dict[str, Any], file: str, line: int) -> ScenarioError:
    """A step without a step word, or with more than one."""
    words = [key for key in step if key not in MODIFIERS]
    if not words:
        return ScenarioError(file, line, "this step has no word, only modifiers", _first_names(list(step_words())))
    return ScenarioError(file, line, f"this step has {len(words)} words: {', '.join(words)}", "one word a step")
