"""The texts and values of ``content.py`` by orjson, where it is installed: several times quicker, and never different.

``json`` does whatever orjson might write or read in another way. These are numbers with exponents or beyond 64 bits,
NaN, types of the user's own, and escapes that may name half a character. To be sure costs a few passes of C code over
the text.
"""

from __future__ import annotations

import importlib
import marshal
from typing import Any

orjson: Any = None
"""None where it is not there, or was not sought yet."""
_sought = False

MISSING: Any = object()
"""The result of ``loads`` where ``json`` must read the text."""

# Digits become 0. Bytes that are not part of a number become a blank.
_NUMBERS = bytes(48 if 48 <= byte <= 57 else byte if byte in b"e" else 32 for byte in range(256))
_LONG = b"0" * 19
"""Digits from which on a whole number may be beyond 64 bits."""


def seek() -> None:
    """Import orjson, once, and not before it is of use: a program that only imports the library does not pay for it."""
    global orjson, _sought
    found: Any = None
    try:
        found = importlib.import_module("orjson")
        # A signal handler may come while it is being imported, and finds a part of it.
        found.dumps, found.loads  # noqa: B018
    except (ImportError, AttributeError):
        found = None
    orjson, _sought = found, True


def skip() -> None:
    """Do without orjson, until ``seek``: for a program that ends soon, to import it takes longer than it saves."""
    global _sought
    _sought = True


def dumps(value: Any) -> bytes | None:
    """The text of a value, None where ``json`` is to write it, or to say what is wrong with it."""
    if not _sought:
        seek()
    if orjson is None:
        return None
    try:
        # It takes the exact built-in types only. orjson takes enumerations, UUIDs and dates as well.
        marshal.dumps(value)
        text: bytes = orjson.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return None
    if b"null" in text or b"0.0000" in text or b"0e" in text.translate(_NUMBERS):
        # NaN, perhaps; and small or large numbers, which have several ways to be written.
        return None
    return text


def loads(raw: bytes) -> Any:
    """The value of a JSON text, ``MISSING`` where ``json`` is to read it."""
    if not _sought:
        seek()
    if orjson is None:
        return MISSING
    if b"\\u" in raw or _LONG in raw.translate(_NUMBERS):
        return MISSING
    try:
        return orjson.loads(raw)
    except ValueError:
        return MISSING
