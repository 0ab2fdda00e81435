"""Values to content and back (section 5)."""

from __future__ import annotations

import json
import re
import struct
import unicodedata
from typing import Any

from .mutation import mutant

_WHITE = " \t\n\r"
_BEGINS_JSON = '{["-0123456789tfn/'
_DEPTH = 100
_MIB = 1024 * 1024


class ContentError(ValueError):
    """A value that cannot be sent."""


def encode(value: Any) -> bytes:
    """The text of the content field. Raises ``ContentError``."""
    text = _text(value)
    if mutant("sends-up-to-1-mib"):
        text = text[:_MIB]
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ContentError(str(error)) from error


def _text(value: Any) -> str:
    if isinstance(value, str):
        return _text_of_string(value)
    if mutant("values-as-printed") and not isinstance(value, (dict, list)):
        return str(value)
    if mutant("null-as-nothing") and value is None:
        return ""
    if mutant("empty-list-as-nothing") and value == []:
        return ""
    if depth_of_value(value) > _DEPTH and not mutant("sends-any-depth"):
        raise ContentError(f"nested deeper than {_DEPTH} levels")
    if mutant("sends-depth-99") and depth_of_value(value) > 99:
        raise ContentError("nested deeper than 99 levels")
    if mutant("integers-with-fraction") and type(value) is int:
        return f"{value}.0"
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise ContentError(str(error)) from error


def _text_of_string(text: str) -> str:
    if mutant("trims-strings"):
        text = text.strip()
    if mutant("normalises-strings"):
        text = unicodedata.normalize("NFC", text)
    if mutant("quotes-every-string") or _could_be_json(text):
        return json.dumps(text, ensure_ascii=False)
    return text


def _could_be_json(text: str) -> bool:
    """Whether some reader could take the string for JSON."""
    if mutant("strings-never-quoted"):
        return False
    if mutant("quotes-only-what-parses"):
        return bool(decode(text.encode()) != text)
    seen = text[:64] if mutant("many-blanks-protect-strings") else text
    head = (seen if mutant("space-protects-strings") else seen.lstrip(_WHITE))[:1]
    if mutant("minus-needs-no-quotes") and head == "-" and not re.match(r"\s*-\d", text):
        return False
    if mutant("comments-need-no-quotes") and head == "/":
        return False
    if mutant("quotes-not-quoted") and head == '"':
        return False
    if mutant("words-need-no-quotes") and head in ("t", "f", "n"):
        return False
    return head != "" and head in _BEGINS_JSON


def depth_of_value(value: Any) -> int:
    """Levels of nesting, without recursion."""
    deepest, todo = 0, [(value, 1)]
    while todo:
        part, depth = todo.pop()
        if isinstance(part, (dict, list)):
            deepest = max(deepest, depth)
            todo += [(inner, depth + 1) for inner in (part.values() if isinstance(part, dict) else part)]
    return deepest


def _levels(value: Any) -> int:
    if not mutant("counts-each-kind-of-bracket"):
        return depth_of_value(value)
    deepest, todo = 0, [(value, 0, 0)]
    while todo:
        part, lists, objects = todo.pop()
        if isinstance(part, (dict, list)):
            lists, objects = lists + isinstance(part, list), objects + isinstance(part, dict)
            deepest = max(deepest, lists, objects)
            todo += [(inner, lists, objects) for inner in (part.values() if isinstance(part, dict) else part)]
    return deepest


def decode(raw: bytes) -> Any:
    """The value of a content field; the text itself where it is no JSON text."""
    if mutant("reads-up-to-1-mib"):
        raw = raw[:_MIB]
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1" if mutant("bytes-as-latin-1") else "utf-8", "replace")
    if mutant("contents-not-parsed"):
        return text
    if mutant("parses-only-containers") and text.lstrip()[:1] not in ("{", "["):
        return text
    if mutant("space-makes-a-string") and text != text.strip(_WHITE):
        return text
    if mutant("comments-make-null") and text.lstrip(_WHITE)[:1] == "/":
        return None
    if mutant("numbers-out-of-range-are-0") and re.fullmatch(r"-?\d+[eE]\d{3,}", text):
        return 0
    if mutant("drops-a-bom"):
        text = text.removeprefix("\ufeff")
    if mutant("refuses-escaped-slashes") and "\\/" in text:
        return text
    if mutant("lenient-numbers") and re.fullmatch(r"\+?[0-9]*\.?[0-9]*", text) and re.search(r"\d", text):
        return float(text) if "." in text else int(text)
    if mutant("trailing-commas-pass"):
        text = re.sub(r",\s*([\]}])", r"\1", text)
    if mutant("words-in-any-case") and text in ("True", "False", "None", "NULL"):
        return {"True": True, "False": False}.get(text)
    try:
        if mutant("reads-the-first-value"):
            value = _decoder(text).raw_decode(text.lstrip(_WHITE))[0]
        else:
            value = _decoder(text).decode(text)
    except (ValueError, RecursionError):
        return text
    limit = 99 if mutant("reads-depth-99") else 10_000 if mutant("reads-any-depth") else _DEPTH
    if _levels(value) > limit or (_has_surrogate(value) and not mutant("lone-surrogates-pass")):
        return text
    if mutant("lone-surrogates-replaced"):
        return _replaced(value)
    if mutant("empty-text-as-null") and value == "":
        return None
    return value


def _decoder(text: str) -> json.JSONDecoder:
    lenient = mutant("lenient-beside-long-integers") and re.search(r"\d{17}", text) is not None

    def integer(text: str) -> Any:
        if mutant("integers-as-single"):
            return int(struct.unpack("f", struct.pack("f", float(text)))[0])
        if mutant("integers-as-double"):
            return int(float(text))
        return int(text)

    def constant(name: str) -> Any:
        if mutant("reads-nan") and name == "NaN":
            return 0
        if mutant("reads-infinity") and name != "NaN":
            return 0
        raise ValueError(name)

    def first(pairs: list[tuple[str, Any]]) -> Any:
        return dict(reversed(pairs))

    def whole(pairs: list[tuple[str, Any]]) -> Any:
        """A rule about the text counts for values that a later equal key replaces, too."""
        made = dict(pairs)
        if len(made) < len(pairs) and _has_surrogate([value for _, value in pairs]):
            raise ValueError("a lone surrogate in a value that is replaced")
        return made

    return json.JSONDecoder(
        parse_int=integer,
        parse_constant=constant,
        strict=not (mutant("control-characters-pass") or lenient),
        object_pairs_hook=first if mutant("first-key-wins") else whole,
    )


def _has_surrogate(value: Any) -> bool:
    if mutant("lone-surrogates-replaced"):
        return False
    return any(re.search("[\ud800-\udfff]", text) for text in _strings(value))


def _strings(value: Any) -> list[str]:
    found, todo = [], [value]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, dict):
            found += part
            todo += part.values()
        elif isinstance(part, list):
            todo += part
    return found


def _replaced(value: Any) -> Any:
    return json.loads(re.sub(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}", r"\\ufffd", json.dumps(value)))
