"""Texts and values as by ``content.py``, but with orjson if it is installed: the same results, several times quicker.

``json`` does what orjson might write or read differently. These are numbers with exponents or beyond 64 bits,
NaN, and types of the user's own. Making sure costs a few passes of C code over the text. orjson reads no half of a
character, and no text that has one: ``json`` gets that, too.
"""

from __future__ import annotations

import importlib
import marshal
import re
from typing import Any

orjson: Any = None
"""None if it is not installed, or was not imported yet."""
_sought = False

MISSING: Any = object()
"""The result of ``loads`` where ``json`` has to read the text."""

# Digits become 0. Bytes that are not part of a number become a blank.
_NUMBERS = bytes(48 if 48 <= byte <= 57 else byte if byte in b"e" else 32 for byte in range(256))
_LONG = b"0" * 19
"""A whole number with so many digits may be beyond 64 bits."""


_STRIDE = 6
_STEPS = b"0" * (len(_LONG) // _STRIDE)
"""The digits that every sixth byte shows of so many in a row."""
_NOT_FINITE = re.compile(rb"[g\xe7].{6}[\xf0-\xff][\x7f\xff]", re.DOTALL)
"""How marshal writes NaN and infinity, which orjson writes as null. Other data may look the same."""
_LARGE_TEXT = 1 << 16
_BYTES_A_SMALL_PART = 40
"""If a value has fewer parts in relation to its bytes, a look at each is quicker than passes over the text."""


def seek() -> None:
    """Import orjson once, at its first use: a program that only imports the library does not pay for it."""
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
    """Do without orjson, until ``seek``: in a program that ends soon, the import takes longer than it saves."""
    global _sought
    _sought = True


def dumps(value: Any) -> bytes | None:
    """The text of a value, None if ``json`` has to write it, or to report its error."""
    if not _sought:
        seek()
    if orjson is None:
        return None
    try:
        # It takes the exact built-in types only. orjson takes enumerations, UUIDs and dates as well.
        parts = marshal.dumps(value)
        if b")" in parts or b"\xa9" in parts or b"(" in parts or b"\xa8" in parts:
            # There may be a tuple. orjson counts no levels of these: one that contains itself would end the process.
            from .json_value import shows_broken_rule  # most programs never need it

            if shows_broken_rule(value, len(parts), False) is not False:
                return None
        text: bytes = orjson.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return None
    if len(text) >= _LARGE_TEXT:
        from .json_value import has_no_fractions  # most programs never need it

        # Letters of long strings often look like numbers.
        if has_no_fractions(value, len(text) // _BYTES_A_SMALL_PART):
            return text
    # Small or large numbers, perhaps, which have several ways to be written.
    odd = b"0.0000" in text or (b"e" in text and b"0e" in text.translate(_NUMBERS))
    return None if odd or (b"null" in text and _NOT_FINITE.search(parts)) else text


def loads(raw: bytes) -> Any:
    """The value of a JSON text, ``MISSING`` where ``json`` is to read it."""
    if not _sought:
        seek()
    if orjson is None or _may_have_long(raw):
        return MISSING
    if len(raw) >= _LARGE_TEXT:
        from .json_large import has_single_letters  # most programs never need it

        if has_single_letters(raw):
            return MISSING
    try:
        return orjson.loads(raw)
    except ValueError:
        return MISSING


def _may_have_long(raw: bytes) -> bool:
    """Whether a number may be beyond 64 bits. Inside strings digits count, too, but not where all is one string."""
    if raw[:1] == b'"' or _STEPS not in raw[::_STRIDE].translate(_NUMBERS):
        return False
    return _LONG in raw.translate(_NUMBERS)
