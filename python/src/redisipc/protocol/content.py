"""Converts any JSON value to the text of the content field and back, so that every reader, also the gem, understands
it.

A string is sent as it is unless a reader could take its text for JSON. Then it is sent as a JSON string
(RIPC-CONTENT-2, RIPC-CONTENT-3). The additional checks cost a fraction of what ``json`` costs, for any content. No
check runs Python code for each character, or for each small part of a large value.
"""

from __future__ import annotations

import json
import re
from typing import Any

from redisipc.errors import ContentError

from . import json_fast
from .json_text import (
    MAX_DEPTH,
    breaks_rule,
    few_lone_surrogates,
    has_lone_surrogate,
    is_deep,
    may_be_deep,
    no_constant,
)

__all__ = ["MAX_DEPTH", "decode", "encode"]

_WHITE = " \t\n\r"
_COULD_BE_JSON = frozenset('{["-0123456789tfn/')
_WHITE_BYTES = _WHITE.encode()
_ODD_WHITE = "\v\f\x1c\x1d\x1e\x1f"
"""ASCII that ``strip`` also takes for white space, and JSON does not."""
_BYTES_COULD_BE_JSON = frozenset(character.encode() for character in _COULD_BE_JSON)
# How ``json`` writes a key that is not a string: in quotes, as a number or as one of these words. The pattern looks only
# at the ends of keys, which is quick. It also finds a few other keys.
_ENDS_LIKE_ODD_KEY = re.compile(
    rb'":(?<=[0-9elyN]":)(?<=["0-9.+uslta-].":)'
    rb'(?:(?<=[0-9]":)|(?<="true":)|(?<="false":)|(?<="null":)|(?<="NaN":)|(?<=Infinity":))'
)

_MANY_BLANKS = 64
"""With so many at the beginning, the quickest way over them is used."""
_LARGE = 1 << 13
"""From so many bytes on, it pays to choose how a text is checked."""
_BYTES_A_PART = 24
"""If a value has more parts in relation to its bytes, checking the text is quicker than checking the parts."""
_BEGINS = (b'{"', b"{},", b"{}]", b"{}}", b'{ "', b"{\n")
"""How an object begins. In a string, most of them cannot stand."""
_BYTES_AN_OBJECT = 2048
"""If there are more objects in relation to the bytes, it takes too long to check each while it is made."""
_BYTES_AN_OBJECT_WRITTEN = 256
"""If there are more, searching the text for odd keys is quicker than looking at all objects."""


def encode(value: Any) -> bytes:
    """The content text for ``value``: None, bool, int, float, str, list, tuple or dict with string keys, nested at will.

    Raises ``ContentError`` with the path of the first part that is not JSON, ``$.a[3]`` (RIPC-CONTENT-7, RIPC-CONTENT-8).
    """
    try:
        if isinstance(value, str):
            return (_dumps(value) if _first_of_text(value) in _COULD_BE_JSON else value).encode()
        quick = json_fast.dumps(value)
        text = _dumps(value).encode() if quick is None else quick
    except (TypeError, ValueError, RecursionError) as error:
        raise _flaw(value, error) from None
    if (may_be_deep(text) and _is_deep(value, text, False)) or (quick is None and _has_odd_key(value, text)):
        _check(value)
    return text


def _check(value: Any) -> None:
    """Raise ``ContentError`` for the first part that is not JSON."""
    from .json_flaw import check  # most programs never need it

    check(value)


def _flaw(value: Any, error: Exception) -> ContentError:
    """The error for a value that could not be written."""
    try:
        _check(value)
    except ContentError as found:
        return found
    return ContentError(f"{type(value).__name__} cannot be written: {error}", "$")


def _first_of_text(text: str) -> str:
    """The first character that is not white space of JSON, or an empty string."""
    first = text[:_MANY_BLANKS].lstrip(_WHITE)[:1]
    if first or len(text) <= _MANY_BLANKS:
        return first
    # Without an argument, ``lstrip`` is several times quicker.
    rest = text.lstrip()
    blanks = text[: len(text) - len(rest)]
    return "" if not blanks.isascii() or any(odd in blanks for odd in _ODD_WHITE) else rest[:1]


def _first_of(raw: bytes) -> bytes:
    """The same for bytes."""
    first = raw[:_MANY_BLANKS].lstrip(_WHITE_BYTES)[:1]
    if first or len(raw) <= _MANY_BLANKS:
        return first
    rest = raw.lstrip()
    end = len(raw) - len(rest)
    return b"" if raw.find(b"\v", 0, end) >= 0 or raw.find(b"\f", 0, end) >= 0 else rest[:1]


def decode(raw: bytes) -> Any:
    """The value of a content field: the JSON value if every port reads the text as JSON, else the text itself."""
    first = _first_of(raw)
    if first not in _BYTES_COULD_BE_JSON:
        # RIPC-CONTENT-14, RIPC-CONTENT-15
        return raw.decode("utf-8", "replace")
    # If the text is one string, all brackets are inside it.
    composed = first != b'"'
    value = json_fast.loads(raw)
    if value is not json_fast.MISSING:
        return raw.decode() if composed and may_be_deep(raw) and _is_deep(value, raw, True) else value
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")
    escaped = b"\\" in raw
    few = composed and (escaped or may_be_deep(raw)) and _has_few_objects(raw, _BYTES_AN_OBJECT)
    # In a text with few objects the value shows soonest whether it breaks a rule.
    lone = escaped and composed and not few and few_lone_surrogates(raw)
    if lone:
        return text
    try:
        if few:
            return _decode_few_objects(text, raw, escaped)
        value = _decoder.decode(text)
    except ValueError:
        # RIPC-CONTENT-5
        return text
    except RecursionError:
        if is_deep(raw):
            return text
        raise
    if not composed:
        return text if escaped and _has_half(value) else value
    if lone is None and has_lone_surrogate(raw):
        return text
    return text if may_be_deep(raw) and _is_deep(value, raw, True) else value


def _has_half(text: str) -> bool:
    """Whether a string has half a surrogate pair."""
    try:
        return not text.isascii() and not text.encode()
    except UnicodeEncodeError:
        return True


_decoder = json.JSONDecoder(parse_constant=no_constant)
# RIPC-CONTENT-1
_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _has_few_objects(raw: bytes, size_of_one: int) -> bool:
    """Whether there is less than one in so many bytes, by a sample: a wrong guess only costs time. Small texts have many."""
    size = 1024
    if len(raw) < _LARGE:
        return False
    starts = range(0, len(raw), max(size, len(raw) // 16))
    # Other quotes are mostly inside strings: in JSON within JSON a backslash follows.
    found = sum(raw.count(begin, start, start + size) for begin in _BEGINS for start in starts)
    return found * size_of_one <= len(starts) * size


def _decode_few_objects(text: str, raw: bytes, halves: bool) -> Any:
    """Decode, and check the value. If an object has a key twice, the value does not show that: check the text."""
    hidden = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal hidden
        made = dict(items)
        hidden = hidden or len(made) < len(items)
        return made

    from .json_value import shows_broken_rule

    value = json.JSONDecoder(parse_constant=no_constant, object_pairs_hook=pairs).decode(text)
    broken = None if hidden else shows_broken_rule(value, len(raw) // _BYTES_A_PART, halves)
    if broken is None:
        broken = breaks_rule(raw)
    return text if broken else value


def _has_odd_key(value: Any, text: bytes) -> bool:
    """Whether a dict of ``value`` has a key that is not a string, which ``json`` wrote as a string."""
    if b"{" not in text:
        return False
    # With many objects, the pattern finds sooner that there is none.
    if not _has_few_objects(text, _BYTES_AN_OBJECT_WRITTEN) and not _ENDS_LIKE_ODD_KEY.search(text):
        return False
    from .json_value import has_odd_key

    return has_odd_key(value, text)


def _is_deep(value: Any, text: bytes, was_read: bool) -> bool:
    """Whether a text with many brackets is nested too deep; ``was_read``: it came from others."""
    from .json_value import is_value_deep  # most programs never need it

    return is_value_deep(value, text, was_read)
