"""Converts any JSON value to the text of the content field and back, so that every reader, also the gem, understands
it.

A string is sent as it is unless a reader could take its text for JSON. Then it is sent as a JSON string
(RIPC-CONTENT-2, RIPC-CONTENT-3). The additional checks cost a fraction of what ``json`` costs, for any content. No
check runs Python code for each character, or for each small part of a large value.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from . import json_fast
from .json_text import (
    MAX_DEPTH,
    few_lone_surrogates,
    has_lone_surrogate,
    is_deep,
    may_be_deep,
    no_constant,
)

if TYPE_CHECKING:
    from .json_value import Look

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
_MANY_PARTS = 256
"""From so many parts on, it pays to look at a value before it is written."""
_SOME_PARTS = 8
_PARENTS = (list, dict)
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
        if quick is not None:
            if may_be_deep(quick) and _is_deep(value, quick, False):
                _check(value)
            return quick
        look = None
        if _has_many_parts(value):
            from .json_value import look_before_writing  # most programs never need it

            look = look_before_writing(value)
        text = (_dumps if look is None else _dumps_without_looking)(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        from .json_flaw import flaw  # most programs never need it

        raise flaw(value, error) from None
    if _is_wrong(value, text, look):
        _check(value)
    return text


def _has_many_parts(value: Any) -> bool:
    """Whether a value, or one of its first parts, is a list or an object of many parts."""
    if type(value) not in _PARENTS:
        return False
    some = [value, *islice(value.values() if type(value) is dict else value, _SOME_PARTS)]
    return any(len(part) >= _MANY_PARTS for part in some if type(part) in _PARENTS)


def _is_wrong(value: Any, text: bytes, look: Look | None) -> bool:
    """Whether a value that ``json`` wrote like this is nested too deep, or has a key that is not a string."""
    if look is None and len(text) >= _LARGE and (b"{" in text or may_be_deep(text)):
        from .json_value import look_at_written

        look = look_at_written(value, len(text))
    if look is None:
        return (may_be_deep(text) and _is_deep(value, text, False)) or _has_odd_key(value, text)
    if look.deep:
        return True
    return (look.has_few_keys(len(text)) or _ENDS_LIKE_ODD_KEY.search(text) is not None) and look.has_odd_key()


def _check(value: Any) -> None:
    """Raise ``ContentError`` for the first part that is not JSON."""
    from .json_flaw import check  # most programs never need it

    check(value)


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
            from .json_large import decode_few_objects

            return decode_few_objects(text, raw, escaped)
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
_dumps_without_looking = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
).encode
"""The same for a value that does not contain itself. Nothing else would end it there."""


def _has_few_objects(raw: bytes, size_of_one: int) -> bool:
    """Whether there is less than one in so many bytes. Small texts have many."""
    if len(raw) < _LARGE:
        return False
    from .json_large import has_few_objects  # most programs never need it

    return has_few_objects(raw, size_of_one)


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
