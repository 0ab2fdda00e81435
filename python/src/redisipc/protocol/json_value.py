"""Rules about a JSON value, by passes of C code over all parts of one level at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Set
from itertools import chain, compress
from typing import Any

from .json_text import MAX_DEPTH, is_deep, openings

_SCALARS = frozenset((str, int, float, bool, type(None)))
_LISTS = frozenset((list, tuple))
_DICTS = frozenset((dict,))
_PLAIN = _SCALARS | _LISTS | _DICTS

_GUESSED_BY = 64
"""So many lists or objects show about how many parts all of them have."""
_PARTS_OF_ONE = 6
"""Looking into a list or an object takes as long as looking at so many parts."""
_BYTES_A_LOOK = 20
"""If a value has more parts in relation to the bytes of its text, checking the text is quicker."""
_BYTES_A_LOOK_WITH_ESCAPES = 6
"""The same for a text with escapes, whose check takes more passes."""
_BYTES_A_COLON = 512
"""If colons are rarer than this, finding each of them is quicker than counting."""

_Dicts = list[dict[Any, Any]]


def is_value_deep(value: Any, text: bytes, was_read: bool) -> bool:
    """Whether a text with many brackets is nested too deep; ``value`` is what it says.

    ``was_read``: the text came from others. Then an object may have had a key twice, and part of the text is not in the value.
    """
    left = openings(text)
    # A text that was read may hide pairs. To know that takes passes over the text, too.
    most = len(text) // (_BYTES_A_LOOK if was_read or b"\\" not in text else _BYTES_A_LOOK_WITH_ESCAPES)
    dicts, lists = _parents([value])
    pairs = 0
    for level in range(1, MAX_DEPTH + 1):
        left -= len(dicts) + len(lists)
        if level + left <= MAX_DEPTH:
            # Even if each bracket that is left begins a level, there are not too many.
            return False
        if not dicts and not lists:
            # The brackets that are left are inside strings, or hidden by an equal key.
            return was_read and pairs > 0 and pairs != _colons(text, pairs) and is_deep(text)
        most -= (len(dicts) + len(lists)) * _PARTS_OF_ONE
        parts = int(_guess(dicts) + _guess(lists))
        if parts > most:
            return is_deep(text)
        most -= parts
        if was_read:
            pairs += sum(map(len, dicts))
        dicts, lists = _parents_of(dicts, lists)
    return bool(dicts or lists) or is_deep(text)


def shows_broken_rule(value: Any, most: int, halves: bool) -> bool | None:
    """Whether the value is too deep, or has a lone surrogate, where it may have ``halves`` of characters.

    None where it has more than ``most`` parts.
    """
    dicts, lists = _parents([value])
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        try:
            if halves:
                "".join([part for part in level if type(part) is str and not part.isascii()]).encode()
        except UnicodeEncodeError:
            return True
        if not dicts and not lists:
            return False
        if _guess(dicts) + _guess(lists) > most:
            return None
        most -= sum(map(len, dicts)) + sum(map(len, lists))
        if most < 0:
            return None
        if halves:
            level = [*_parts(dicts, lists), *chain.from_iterable(dicts)]
        dicts, lists = _parents_of(dicts, lists)
    return True


def has_odd_key(value: Any, text: bytes) -> bool:
    """Whether a dict of ``value``, whose text is ``text``, has a key that is not a string."""
    dicts, lists = _parents([value])
    seen, braces = 0, -1
    while dicts or lists:
        try:
            # Whatever is not a string raises.
            deque(map(str.isascii, chain.from_iterable(dicts)), maxlen=0)
        except TypeError:
            return True
        seen += len(dicts)
        if braces < 0 and len(dicts) > _GUESSED_BY:
            braces = text.count(b"{")
        if seen == braces:
            # There is no other object.
            return False
        dicts, lists = _parents_of(dicts, lists)
    return False


def _colons(raw: bytes, pairs: int) -> int:
    """How many colons a text has, or a number above ``pairs``."""
    if pairs > len(raw) // _BYTES_A_COLON:
        return raw.count(b":")
    # There are few, or many in strings.
    found, at = 0, raw.find(b":")
    while at >= 0 and found <= pairs:
        found, at = found + 1, raw.find(b":", at + 1)
    return found


def _guess(parents: list[Any]) -> float:
    """How many parts they have; if they are many, from a sample."""
    if len(parents) < _GUESSED_BY:
        return sum(map(len, parents))
    some = parents[:: len(parents) // _GUESSED_BY]
    return sum(map(len, some)) / len(some) * len(parents)


def _parts(dicts: _Dicts, lists: list[Any]) -> Iterator[Any]:
    return chain(chain.from_iterable(lists), chain.from_iterable(map(dict.values, dicts)))


def _parents_of(dicts: _Dicts, lists: list[Any]) -> tuple[_Dicts, list[Any]]:
    """The objects and the lists one level below."""
    if len(lists) == 1 and not dicts:
        return _parents(lists[0])
    # Mostly nothing is below. Then the parts need not be put into a list.
    if set(map(type, _parts(dicts, lists))) <= _SCALARS:
        return [], []
    return _parents(list(_parts(dicts, lists)))


def _parents(level: Any) -> tuple[_Dicts, list[Any]]:
    """The objects and the lists among parts of a value, without Python for each part where all have plain types."""
    kinds = set(map(type, level))
    if kinds <= _SCALARS:
        return [], []
    if kinds == {dict}:
        return level, []
    if kinds <= _LISTS:
        return [], level
    if kinds <= _PLAIN:
        return _of(_DICTS & kinds, level), _of(_LISTS & kinds, level)
    return (
        [part for part in level if isinstance(part, dict)],
        [part for part in level if isinstance(part, (list, tuple))],
    )


def _of(kinds: Set[type], level: Any) -> list[Any]:
    """The parts that have one of these types."""
    return list(compress(level, map(kinds.__contains__, map(type, level)))) if kinds else []
