"""Converts any JSON value to the text of the content field and back, so that every reader, also the gem, understands
it.

A string is sent as it is unless a reader could take its text for JSON. Then it is sent as a JSON string
(RIPC-CONTENT-2, RIPC-CONTENT-3). The additional checks cost a fraction of what ``json`` costs, for any content. No
check runs Python code for each character, or for each small part of a large value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain, compress
from typing import Any

from redisipc.errors import ContentError

from . import json_fast
from .json_text import MAX_DEPTH, breaks_rule, few_lone_surrogates, has_lone_surrogate, is_deep, may_be_deep

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
_SCALARS = frozenset((str, int, float, bool, type(None)))
_STRING = frozenset((str,))
_LISTS = frozenset((list, tuple))
_PARENTS = _LISTS | {dict}
_PLAIN = _SCALARS | _PARENTS

_GUESSED_BY = 64
"""So many lists or objects show about how many parts all of them have."""
_MANY_BLANKS = 64
"""With so many at the beginning, the quickest way over them is used."""
_LARGE = 1 << 13
"""From so many bytes on, it pays to choose how a text is checked."""
_BYTES_A_PART = 24
"""If a value has more parts in relation to its bytes, checking the text is quicker than checking the parts."""
_BYTES_A_PART_OF_MANY = 64
"""The same where there are many objects."""
_BYTES_A_PART_WRITTEN = 32
"""The same for a text that was written here: it has few escapes."""
_BYTES_A_COLON = 512
"""If colons are rarer than this, finding each of them is quicker than counting."""
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
    if (may_be_deep(text) and _is_deep(value, text)) or (quick is None and _has_odd_key(value, text)):
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
    return ContentError(f"a number cannot be written: {error}", "$")


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
        return raw.decode() if composed and may_be_deep(raw) and _was_deep(value, raw) else value
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
    return text if may_be_deep(raw) and _was_deep(value, raw) else value


def _has_half(text: str) -> bool:
    """Whether a string has half a surrogate pair."""
    try:
        return not text.isascii() and not text.encode()
    except UnicodeEncodeError:
        return True


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_no_constant)
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

    value = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=pairs).decode(text)
    broken = None if hidden else _shows_broken_rule(value, len(raw) // _BYTES_A_PART, halves)[0]
    if broken is None:
        broken = breaks_rule(raw)
    return text if broken else value


def _was_deep(value: Any, raw: bytes) -> bool:
    """Whether a text with many brackets, which was read as ``value``, is nested too deep."""
    deep, pairs = _shows_broken_rule(value, len(raw) // _BYTES_A_PART_OF_MANY, False)
    if deep is None or (not deep and pairs != _colons(raw, pairs)):
        # An object may have had a key twice, so that a part of the text is not in the value.
        return is_deep(raw)
    return deep


def _colons(raw: bytes, pairs: int) -> int:
    """How many colons a text has, or a number above ``pairs``."""
    if pairs > len(raw) // _BYTES_A_COLON:
        return raw.count(b":")
    # There are few, or many in strings.
    found, at = 0, raw.find(b":")
    while at >= 0 and found <= pairs:
        found, at = found + 1, raw.find(b":", at + 1)
    return found


def _shows_broken_rule(value: Any, most: int, halves: bool) -> tuple[bool | None, int]:
    """Whether the value is too deep, or has a lone surrogate, where it may have ``halves`` of characters.

    None where it has more than ``most`` parts. With it come the pairs that its objects have.
    """
    dicts, lists = _parents([value])
    level: list[Any] = [value]
    pairs = 0
    for _ in range(MAX_DEPTH + 1):
        try:
            if halves:
                "".join([part for part in level if type(part) is str and not part.isascii()]).encode()
        except UnicodeEncodeError:
            return True, pairs
        if not dicts and not lists:
            return False, pairs
        if _guess(dicts) + _guess(lists) > most:
            return None, pairs
        here = sum(map(len, dicts))
        pairs += here
        most -= here + sum(map(len, lists))
        if most < 0:
            return None, pairs
        if halves:
            level = [*_parts(dicts, lists), *chain.from_iterable(dicts)]
        dicts, lists = _parents_of(dicts, lists)
    return True, pairs


def _guess(parents: list[Any]) -> float:
    """How many parts they have, from a sample."""
    if len(parents) < _GUESSED_BY:
        return 0
    some = parents[:: len(parents) // _GUESSED_BY]
    return sum(map(len, some)) / len(some) * len(parents)


def _parts(dicts: list[dict[Any, Any]], lists: list[Any]) -> Iterator[Any]:
    return chain(chain.from_iterable(lists), chain.from_iterable(map(dict.values, dicts)))


def _parents_of(dicts: list[dict[Any, Any]], lists: list[Any]) -> tuple[list[dict[Any, Any]], list[Any]]:
    """The objects and the lists one level below."""
    # Mostly nothing is below. Then the parts need not be put into a list.
    if set(map(type, _parts(dicts, lists))) <= _SCALARS:
        return [], []
    return _parents(list(_parts(dicts, lists)))


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
        level = list(compress(level, map(_PARENTS.__contains__, map(type, level))))
    return (
        [part for part in level if isinstance(part, dict)],
        [part for part in level if isinstance(part, (list, tuple))],
    )


def _is_deep(value: Any, text: bytes) -> bool:
    """Whether ``value``, whose text is ``text`` and has many brackets, is nested too deep."""
    deep, _ = _shows_broken_rule(value, len(text) // _BYTES_A_PART_WRITTEN, False)
    return is_deep(text) if deep is None else deep


def _has_odd_key(value: Any, text: bytes) -> bool:
    """Whether a dict of ``value`` has a key that is not a string, which ``json`` wrote as a string."""
    if b"{" not in text:
        return False
    # With many objects, the pattern finds sooner that there is none.
    if not _has_few_objects(text, _BYTES_AN_OBJECT_WRITTEN) and not _ENDS_LIKE_ODD_KEY.search(text):
        return False
    dicts, lists = _parents([value])
    seen, braces = 0, -1
    while dicts or lists:
        kinds = set(map(type, chain.from_iterable(dicts)))
        if kinds != _STRING and not all(issubclass(kind, str) for kind in kinds):
            return True
        seen += len(dicts)
        if braces < 0 and len(dicts) > _GUESSED_BY:
            braces = text.count(b"{")
        if seen == braces:
            # There is no other object.
            return False
        dicts, lists = _parents_of(dicts, lists)
    return False
