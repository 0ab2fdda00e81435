"""JSON texts: parsed strictly, written compactly, with values that Python's own functions do not support.

A number beyond a double is infinity here and is written as `1e999`. Nesting of any depth can be written.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

_SURROGATE = re.compile("[\ud800-\udfff]")


def number(text: str) -> float:
    """A JSON number with a fraction or an exponent, as the nearest double."""
    return float(text)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def loads(text: str) -> Any:
    """The value of a JSON text; raises ValueError for anything else. If a key is there twice, the last one counts."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def dumps(value: Any) -> str:
    """The compact JSON text. Only lone surrogates are escaped."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError):
        # An infinity, or nested deeper than Python's stack.
        text = "".join(_pieces(value))
    return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _pieces(value: Any) -> list[str]:
    """It uses a work list from the outside in, not recursion."""
    out: list[str] = []
    work: list[Any] = [value]
    while work:
        item = work.pop()
        if isinstance(item, _Raw):
            out.append(item.text)
        elif isinstance(item, dict):
            parts: list[Any] = [_Raw("{")]
            for at, (key, member) in enumerate(item.items()):
                parts += [_Raw(("," if at else "") + json.dumps(key, ensure_ascii=False) + ":"), member]
            work.extend(reversed([*parts, _Raw("}")]))
        elif isinstance(item, (list, tuple)):
            parts = [_Raw("[")]
            for at, member in enumerate(item):
                parts += [_Raw(","), member] if at else [member]
            work.extend(reversed([*parts, _Raw("]")]))
        elif isinstance(item, float) and math.isinf(item):
            out.append("1e999" if item > 0 else "-1e999")
        else:
            out.append(json.dumps(item, ensure_ascii=False, allow_nan=False))
    return out


class _Raw:
    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text
