"""Finds the part of a value that JSON cannot represent. It runs only after a failure, so it may be slow."""

from __future__ import annotations

import sys
from typing import Any

from redisipc.errors import ContentError

from .json_text import MAX_DEPTH

_ADVICE = {
    "bytes": "decode it, or send base64",
    "bytearray": "decode it, or send base64",
    "memoryview": "decode it, or send base64",
    "datetime": "send value.isoformat()",
    "date": "send value.isoformat()",
    "time": "send value.isoformat()",
    "timedelta": "send value.total_seconds()",
    "Decimal": "send str(value), or float(value) where that is exact enough",
    "Fraction": "send str(value)",
    "UUID": "send str(value)",
    "set": "send sorted(value), or list(value)",
    "coroutine": "await it, and send its result",
    "Future": "wait for its result, and send that",
    "generator": "send list(value)",
    "range": "send list(value)",
    "dict_keys": "send list(value)",
    "dict_values": "send list(value)",
    "dict_items": "send dict(value)",
    "deque": "send list(value)",
    "mappingproxy": "send dict(value)",
    "BaseException": "send str(value)",
    "PurePath": "send str(value)",
    "complex": "send its parts",
    "function": "call it, and send what it returns",
    "method": "call it, and send what it returns",
    "builtin_function_or_method": "call it, and send what it returns",
    "type": "send its name",
    "frozenset": "send sorted(value), or list(value)",
}


def flaw(value: Any, error: Exception) -> ContentError:
    """The error for a value that could not be written."""
    try:
        check(value)
    except ContentError as found:
        return found
    return ContentError(f"{type(value).__name__} cannot be written: {error}", "$")


def check(value: Any, path: str = "$", depth: int = 0) -> None:
    """Raise ``ContentError`` with the path of the first part that is not JSON; None where there is no such part."""
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, int):
        try:
            int.__repr__(value)
        except ValueError:
            most = sys.get_int_max_str_digits()
            raise ContentError(
                f"the number has over {most} digits, more than Python writes; send a string", path
            ) from None
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ContentError("the string holds a lone surrogate, which is not valid Unicode", path) from None
    elif isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ContentError(f"{value} is not a JSON number; send None, or str(value)", path)
    elif isinstance(value, (list, tuple, dict)):
        if depth >= MAX_DEPTH:
            raise ContentError(
                f"nested deeper than {MAX_DEPTH} levels, or it contains itself; other implementations read no more levels",
                path,
            )
        if isinstance(value, dict):
            _check_dict(value, path, depth)
        else:
            for index, part in enumerate(value):
                check(part, f"{path}[{index}]", depth + 1)
    else:
        raise ContentError(f"{type(value).__name__} is not JSON{_hint(value)}", path)


def _check_dict(value: dict[Any, Any], path: str, depth: int) -> None:
    for key, part in value.items():
        if not isinstance(key, str):
            raise ContentError(f"the key {key!r} is not a string but {type(key).__name__}; use str(key)", path)
        check(key, path, depth + 1)
        check(part, f"{path}.{key}", depth + 1)


def _hint(value: Any) -> str:
    """Advice on what to send instead, if there is any."""
    kind = type(value)
    for name in (base.__name__ for base in kind.__mro__):
        if name in _ADVICE:
            return f"; {_ADVICE[name]}"
    if hasattr(kind, "__members__"):
        return "; send value.value"
    if hasattr(kind, "__dataclass_fields__"):
        return "; send dataclasses.asdict(value)"
    if hasattr(kind, "model_dump"):
        return "; send value.model_dump(mode='json')"
    if hasattr(kind, "tolist"):
        return "; send value.tolist()"
    return "; send what it holds, as a dict or a list"
