"""Makes text safe for every report: a testee may print any character, and a URL may contain a password."""

from __future__ import annotations

import dataclasses
import enum
import re
from typing import Any, TypeVar, cast

from .wire.address import without_passwords

T = TypeVar("T")
_ODD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Control characters, marks that turn the direction of writing, halves of a character, and what XML cannot hold."""


def printable(text: str) -> str:
    """The text with odd characters written out (`\\\\x1b`, `\\\\ud800`) and without passwords."""
    return _ODD.sub(_written_out, without_passwords(text))


def _written_out(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def all_printable(value: T) -> T:
    """The same data with every string in it printable: dataclasses, tuples, lists, dicts and their keys."""
    return cast("T", _made(value))


def _made(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, (tuple, list)):
        return type(value)(map(_made, value))
    if isinstance(value, dict):
        return {_made(key): _made(each) for key, each in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _made(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
        return dataclasses.replace(value, **changed)
    return value
