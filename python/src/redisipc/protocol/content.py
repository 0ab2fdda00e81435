"""Any JSON value to the text of the content field and back, so that it survives every reader, the gem included.

A string travels as it is unless a reader could take its text for JSON; then it travels as a JSON string
(RIPC-CONTENT-2, RIPC-CONTENT-3).
"""

from __future__ import annotations

import json
import re
from typing import Any

from redisipc.errors import ContentError

MAX_DEPTH = 100
"""Levels of nesting that every reader accepts (RIPC-CONTENT-6, RIPC-CONTENT-7)."""

_WHITE = " \t\n\r"
_COULD_BE_JSON = frozenset('{["-0123456789tfn/')
# Compiled when first needed, which is rare.
_BRACKETS = r'"(?:[^"\\]|\\.)*"|[\[\]{}]'
_SURROGATE_ESCAPE = r"\\u[dD][89a-fA-F]"


def encode(value: Any) -> bytes:
    """The content text for ``value``: None, bool, int, float, str, list, tuple or dict with string keys, nested at will.

    Raises ``ContentError`` with the path of the first part that is no JSON, ``$.a[3]`` (RIPC-CONTENT-7, RIPC-CONTENT-8).
    """
    if isinstance(value, str):
        head = value.lstrip(_WHITE)[:1]
        if head not in _COULD_BE_JSON or not head:
            try:
                return value.encode()
            except UnicodeEncodeError:
                raise ContentError("the string holds a lone surrogate, which is no valid Unicode", "$") from None
    try:
        text = _dumps(value)
        if text.count("[") + text.count("{") <= MAX_DEPTH and not _has_odd_keys(value):
            return text.encode()
    except (TypeError, ValueError, RecursionError):
        pass
    _check(value, "$", 0)
    try:
        return _dumps(value).encode()
    except ValueError as error:
        raise ContentError(f"a number cannot be written: {error}", "$") from None


def decode(raw: bytes) -> Any:
    """The value of a content field: the JSON value where the text is JSON as every port reads it, else the text itself."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        # RIPC-CONTENT-14, RIPC-CONTENT-15
        return raw.decode("utf-8", "replace")
    if text.lstrip(_WHITE)[:1] not in _COULD_BE_JSON:
        return text
    try:
        value = _decoder.decode(text)
    except (ValueError, RecursionError):
        # RIPC-CONTENT-5
        return text
    # RIPC-CONTENT-6, RIPC-CONTENT-13
    if (text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH) or (
        "\\u" in text and re.search(_SURROGATE_ESCAPE, text) and _has_surrogate(value)
    ):
        return text
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_decoder = json.JSONDecoder(parse_constant=_no_constant)
# RIPC-CONTENT-1
_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _has_odd_keys(value: Any) -> bool:
    if isinstance(value, dict):
        return any(type(key) is not str or _has_odd_keys(part) for key, part in value.items())
    return isinstance(value, (list, tuple)) and any(map(_has_odd_keys, value))


def _check(value: Any, path: str, depth: int) -> None:
    """Find the part that is no JSON and name it."""
    if value is None or isinstance(value, (bool, int)):
        return
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ContentError("the string holds a lone surrogate, which is no valid Unicode", path) from None
    elif isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ContentError(f"{value} is no JSON number", path)
    elif isinstance(value, (list, tuple, dict)):
        if depth >= MAX_DEPTH:
            raise ContentError(f"nested deeper than {MAX_DEPTH} levels, which other implementations do not read", path)
        if isinstance(value, dict):
            for key, part in value.items():
                if not isinstance(key, str):
                    raise ContentError(f"the key {key!r} is no string but {type(key).__name__}; use str(key)", path)
                _check(key, path, depth + 1)
                _check(part, f"{path}.{key}", depth + 1)
        else:
            for index, part in enumerate(value):
                _check(part, f"{path}[{index}]", depth + 1)
    else:
        hint = "; decode it, or send base64" if isinstance(value, (bytes, bytearray)) else ""
        raise ContentError(f"{type(value).__name__} is no JSON{hint}", path)


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in re.finditer(_BRACKETS, text, re.DOTALL):
        token = match.group()
        if token in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token in "]}":
            depth -= 1
    return deepest


def _has_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return any(_has_surrogate(key) or _has_surrogate(part) for key, part in value.items())
    return isinstance(value, list) and any(map(_has_surrogate, value))
