"""Converts any JSON value to the text of the content field and back, so that every reader, also the gem, understands
it.

A string is sent as it is unless a reader could take its text for JSON. Then it is sent as a JSON string
(RIPC-CONTENT-2, RIPC-CONTENT-3). The additional checks cost a fraction of what ``json`` costs, for any content. No
check runs Python code for each character, or for each small part of a large value.
"""

from __future__ import annotations

import json
import re
from itertools import chain, compress, repeat
from operator import is_
from typing import Any

from redisipc.errors import ContentError

from . import json_fast
from .json_flaw import check
from .json_text import MAX_DEPTH, breaks_rule, few_lone_surrogates, has_lone_surrogate, is_deep, may_be_deep

__all__ = ["MAX_DEPTH", "decode", "encode"]

_WHITE = " \t\n\r"
_COULD_BE_JSON = frozenset('{["-0123456789tfn/')
_WHITE_BYTES = _WHITE.encode()
_BYTES_COULD_BE_JSON = frozenset(character.encode() for character in _COULD_BE_JSON)
# How ``json`` writes a key that is not a string: in quotes, as a number or as one of these words. The first pattern
# looks only at the ends of keys, which is quick. It also finds a few other keys.
_ENDS_LIKE_ODD_KEY = (
    rb'":(?<=[0-9elyN]":)(?<=["0-9.+uslta-].":)'
    rb'(?:(?<=[0-9]":)|(?<="true":)|(?<="false":)|(?<="null":)|(?<="NaN":)|(?<=Infinity":))'
)
_ODD_KEY = rb'[{,]"(?:-?[0-9][0-9.e+-]*|true|false|null|NaN|-?Infinity)":'
_SCALARS = frozenset((str, int, float, bool, type(None)))
_LISTS = frozenset((list, tuple))
_PLAIN = _SCALARS | _LISTS | {dict}

_LARGE = 1 << 13
"""From so many bytes on, it pays to choose how a text is checked."""
_BYTES_A_PART = 24
"""If a value has more parts in relation to its bytes, checking the text is quicker than checking the parts."""
_BEGINS = (b'{"', b"{}", b"{ ", b"{\n")
"""How an object begins."""
_BYTES_AN_OBJECT = 256
"""The same for objects, since each is checked while it is made."""


def encode(value: Any) -> bytes:
    """The content text for ``value``: None, bool, int, float, str, list, tuple or dict with string keys, nested at will.

    Raises ``ContentError`` with the path of the first part that is not JSON, ``$.a[3]`` (RIPC-CONTENT-7, RIPC-CONTENT-8).
    """
    try:
        if isinstance(value, str):
            head = value.lstrip(_WHITE)[:1]
            return (_dumps(value) if head and head in _COULD_BE_JSON else value).encode()
        quick = json_fast.dumps(value)
        text = _dumps(value).encode() if quick is None else quick
    except (TypeError, ValueError, RecursionError) as error:
        raise _flaw(value, error) from None
    if (may_be_deep(text) and _is_deep(value, text)) or (quick is None and _has_odd_key(value, text)):
        check(value)
    return text


def _flaw(value: Any, error: Exception) -> ContentError:
    """The error for a value that could not be written."""
    try:
        check(value)
    except ContentError as found:
        return found
    return ContentError(f"a number cannot be written: {error}", "$")


def decode(raw: bytes) -> Any:
    """The value of a content field: the JSON value if every port reads the text as JSON, else the text itself."""
    first = raw.lstrip(_WHITE_BYTES)[:1]
    if first not in _BYTES_COULD_BE_JSON:
        # RIPC-CONTENT-14, RIPC-CONTENT-15
        return raw.decode("utf-8", "replace")
    value = json_fast.loads(raw)
    if value is not json_fast.MISSING:
        # If the text is one string, all brackets are inside it.
        return raw.decode() if first != b'"' and may_be_deep(raw) and is_deep(raw) else value
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")
    lone = few_lone_surrogates(raw)
    if lone:
        return text
    suspect = first != b'"' and ((lone is None) or may_be_deep(raw))
    try:
        if suspect and _has_few_objects(raw):
            return _decode_few_objects(text, raw, lone is None)
        value = _decoder.decode(text)
    except ValueError:
        # RIPC-CONTENT-5
        return text
    except RecursionError:
        if is_deep(raw):
            return text
        raise
    if lone is None and has_lone_surrogate(raw):
        return text
    return text if suspect and may_be_deep(raw) and is_deep(raw) else value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_no_constant)
# RIPC-CONTENT-1
_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _has_few_objects(raw: bytes) -> bool:
    """Guessed from a sample: a wrong guess only costs time. Small texts are not sampled."""
    size = 1024
    if len(raw) < _LARGE:
        return False
    starts = range(0, len(raw), max(size, len(raw) // 16))
    # Other quotes are mostly inside strings: in JSON within JSON a backslash follows.
    found = sum(raw.count(begin, start, start + size) for begin in _BEGINS for start in starts)
    return found * _BYTES_AN_OBJECT <= len(starts) * size


def _decode_few_objects(text: str, raw: bytes, halves: bool) -> Any:
    """Decode, and check the value. If an object has a key twice, the value does not show that: check the text."""
    hidden = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal hidden
        made = dict(items)
        hidden = hidden or len(made) < len(items)
        return made

    value = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=pairs).decode(text)
    broken = None if hidden else _shows_broken_rule(value, len(raw) // _BYTES_A_PART, halves)
    if broken is None:
        broken = breaks_rule(raw)
    return text if broken else value


def _shows_broken_rule(value: Any, most: int, halves: bool) -> bool | None:
    """Whether the value is too deep, or has a lone surrogate, where it may have ``halves`` of characters.

    None where it has more than ``most`` parts.
    """
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        try:
            if halves:
                "".join([part for part in level if type(part) is str and not part.isascii()]).encode()
        except UnicodeEncodeError:
            return True
        dicts, lists = _parents(level)
        if not dicts and not lists:
            return False
        most -= sum(map(len, dicts)) + sum(map(len, lists))
        if most < 0:
            return None
        level = list(chain(chain.from_iterable(lists), chain.from_iterable(map(dict.values, dicts))))
        if halves:
            level += chain.from_iterable(dicts)
    return True


def _parents(level: list[Any]) -> tuple[list[dict[Any, Any]], list[Any]]:
    """The objects and the lists among parts of a value, without Python for each part where all have plain types."""
    kinds = set(map(type, level))
    if kinds <= _SCALARS:
        return [], []
    if kinds == {dict}:
        return level, []
    if kinds <= _LISTS:
        return [], level
    if kinds <= _PLAIN:
        types = list(map(type, level))
        return list(compress(level, map(is_, types, repeat(dict)))), list(
            compress(level, map(_LISTS.__contains__, types))
        )
    return (
        [part for part in level if isinstance(part, dict)],
        [part for part in level if isinstance(part, (list, tuple))],
    )


def _is_deep(value: Any, text: bytes) -> bool:
    """Whether ``value``, whose text is ``text`` and has many brackets, is nested too deep."""
    deep = _shows_broken_rule(value, len(text) // _BYTES_A_PART, False) if _has_few_objects(text) else None
    return is_deep(text) if deep is None else deep


def _has_odd_key(value: Any, text: bytes) -> bool:
    """Whether a dict of ``value`` has a key that is not a string, which ``json`` wrote as a string."""
    if b"{" not in text:
        return False
    # With many objects, the patterns find sooner that there is none.
    if not _has_few_objects(text) and not (re.search(_ENDS_LIKE_ODD_KEY, text) and re.search(_ODD_KEY, text)):
        return False
    dicts, lists = _parents([value])
    while dicts or lists:
        if not all(issubclass(kind, str) for kind in set(map(type, chain.from_iterable(dicts)))):
            return True
        dicts, lists = _parents(list(chain(chain.from_iterable(lists), chain.from_iterable(map(dict.values, dicts)))))
    return False
