"""Rules about a JSON value, by passes of C code over all parts of one level at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Set
from itertools import chain, compress, filterfalse, islice
from typing import Any

from .json_text import MAX_DEPTH, are_more_openings, is_deep, openings

_SCALARS = frozenset((str, int, float, bool, type(None)))
_LISTS = frozenset((list, tuple))
_DICTS = frozenset((dict,))
_STRINGS = frozenset((str,))
_WITHOUT_FRACTIONS: frozenset[type] = frozenset((str, int, bool, type(None)))
_PARENTS = _LISTS | _DICTS
_PLAIN = _SCALARS | _PARENTS

_GUESSED_BY = 64
"""So many lists or objects show about how many parts all of them have."""
_BYTES_A_LOOK = 40
"""If a value has more parts in relation to the bytes of its text, checking the text is quicker."""
_BYTES_A_QUICK_LOOK = 256
"""If it has fewer, a look at them is quicker than anything else."""
_BYTES_A_KEY = 40
"""If there are more keys in relation to the bytes, searching the text is quicker than looking at them."""
_BYTES_A_COLON = 512
"""If colons are rarer than this, finding each of them is quicker than counting."""
_MANY_PARTS = 256
"""So many parts are looked at in any case."""
_PARTS_OF_ONE = 2
"""``json`` takes as long to know that a list does not contain itself as a look at so many parts takes."""
_LEVELS_LOOKED_AT = 12
"""Levels that are looked at in a value to be written. Deeper ones are rare, and one that contains itself has no end."""

_Dicts = list[dict[Any, Any]]
_Lists = list[Any]


class Look:
    """A look at the lists and objects of a value, level by level.

    ``levels``: those that were looked at; ``parents``: how many lists and objects they and the next level have.
    ``whole``: nothing is below, or the value is ``deep``. All types are those that JSON has.
    """

    __slots__ = ("_below", "deep", "levels", "parents", "whole")

    def __init__(self, value: Any) -> None:
        self.levels: list[tuple[_Dicts, _Lists]] = []
        self.parents: int = 0
        self.whole: bool = False
        self.deep: bool = False
        self._found(_plain_parents([value]))

    def _found(self, below: tuple[_Dicts, _Lists] | None) -> None:
        self._below = below
        if below is not None:
            self.parents += len(below[0]) + len(below[1])

    def go(self, most: int, levels: int = MAX_DEPTH + 1, rows: bool = False) -> Look:
        """Look at so many more parts and levels. ``rows``: at any number of parts of equal rows."""
        for _ in range(levels):
            if self.whole or self._below is None:
                return self
            dicts, lists = self._below
            if not dicts and not lists:
                self.whole = True
                return self
            if len(self.levels) == MAX_DEPTH:
                self.whole = self.deep = True
                return self
            most -= int(_guess(dicts) + _guess(lists))
            if most < 0 and not (rows and _are_rows(dicts, lists)):
                return self
            self.levels.append(self._below)
            self._found(_plain_parents_of(dicts, lists))
        return self

    def is_below_at_most(self, openings_left: int) -> bool:
        """Whether not even so many brackets, each of which begins a level, lead beyond the limit."""
        return len(self.levels) + 1 + openings_left <= MAX_DEPTH

    def pairs(self) -> int:
        """How many keys there are."""
        return sum(sum(map(len, dicts)) for dicts, _ in self.levels)

    def has_few_keys(self, size: int) -> bool:
        """Whether looking at each key is quicker than searching a text of this size."""
        return self.pairs() * _BYTES_A_KEY <= size

    def has_odd_key(self) -> bool:
        """Whether a key is not a string."""
        try:
            for dicts, _ in self.levels:
                # Whatever is not a string raises.
                deque(map(str.isascii, chain.from_iterable(dicts)), maxlen=0)
        except TypeError:
            return True
        return False

    def has_only(self, kinds: Set[type]) -> bool:
        """Whether all scalars have one of these types, and all keys are strings."""
        return all(
            set(map(type, _parts(dicts, lists))) <= kinds | _PARENTS
            and set(map(type, chain.from_iterable(dicts))) <= _STRINGS
            for dicts, lists in self.levels
        )

    def has_half(self) -> bool:
        """Whether a string has half a character. A string is not one of the parts of itself."""
        try:
            for dicts, lists in self.levels:
                for parts in (lists, dicts, list(map(dict.values, dicts))):
                    "".join(_beyond_ascii(parts)).encode()
        except UnicodeEncodeError:
            return True
        return False


def look_before_writing(value: Any) -> Look | None:
    """A look that saves ``json`` from looking for lists within themselves. None where that would not pay."""
    look = Look(value).go(_MANY_PARTS, _LEVELS_LOOKED_AT, rows=True)
    return look if look.whole else None


def look_at_written(value: Any, size: int) -> Look | None:
    """A look at a value whose text has so many bytes. None where checking the text is quicker."""
    look = Look(value).go(size // _BYTES_A_LOOK, _LEVELS_LOOKED_AT)
    return look if look.whole else None


def has_no_fractions(value: Any, most: int) -> bool:
    """Whether all types are JSON's own, and none is a float. False as well where there are more than ``most`` parts."""
    look = Look(value).go(most)
    return look.whole and look.has_only(_WITHOUT_FRACTIONS)


def is_value_deep(value: Any, text: bytes, was_read: bool) -> bool:
    """Whether a text with many brackets is nested too deep; ``value`` is what it says.

    ``was_read``: the text came from others. Then an object may have had a key twice, and part of the text is not in the value.
    """
    look = Look(value).go(len(text) // _BYTES_A_QUICK_LOOK)
    if not look.whole:
        look.go(len(text) // _BYTES_A_LOOK, levels=1)
    if not look.whole:
        if are_more_openings(text, look.parents):
            return is_deep(text)
        # What is left of the brackets mostly shows that nothing is below.
        return not look.is_below_at_most(openings(text) - look.parents) and is_deep(text)
    if look.deep or not was_read:
        return look.deep
    pairs = look.pairs()
    # The other brackets are inside strings, or hidden by an equal key.
    return pairs > 0 and pairs != _colons(text, pairs) and openings(text) != look.parents and is_deep(text)


def shows_broken_rule(value: Any, most: int, halves: bool) -> bool | None:
    """Whether the value is too deep, or has a lone surrogate, where it may have ``halves`` of characters.

    None where it has more than ``most`` parts.
    """
    look = Look(value).go(most)
    if not look.whole:
        return None
    return look.deep or (halves and look.has_half())


def has_odd_key(value: Any, text: bytes) -> bool:
    """Whether a dict of ``value``, whose text is ``text``, has a key that is not a string."""
    dicts, lists = _parents([value])
    seen, braces = 0, -1
    while dicts or lists:
        try:
            deque(map(str.isascii, chain.from_iterable(dicts)), maxlen=0)
        except TypeError:
            return True
        seen += len(dicts)
        if braces < 0 and len(dicts) + len(lists) > _GUESSED_BY:
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


def _are_rows(dicts: _Dicts, lists: _Lists) -> bool:
    """Whether these, or their first parts, are lists or objects of some scalars each."""
    some = list(islice(_parts(dicts, lists), _GUESSED_BY))
    rows = len(dicts) + len(lists)
    if rows < len(some) and set(map(type, some)) <= _PARENTS:
        rows = len(some)
        some = [part for row in some for part in (row.values() if type(row) is dict else row)]
        return rows <= len(some) <= rows * _PARTS_OF_ONE and set(map(type, some)) <= _SCALARS
    return _guess(dicts) + _guess(lists) <= rows * _PARTS_OF_ONE and set(map(type, some)) <= _SCALARS


def _beyond_ascii(parents: list[Any]) -> list[str]:
    """The strings in them that are not ASCII."""
    try:
        return list(filterfalse(str.isascii, chain.from_iterable(parents)))
    except TypeError:
        # Not all parts are strings.
        return list(filterfalse(str.isascii, _of(_STRINGS, list(chain.from_iterable(parents)))))


def _parts(dicts: _Dicts, lists: _Lists) -> Iterator[Any]:
    return chain(chain.from_iterable(lists), chain.from_iterable(map(dict.values, dicts)))


def _parents_of(dicts: _Dicts, lists: _Lists) -> tuple[_Dicts, _Lists]:
    """The objects and the lists one level below."""
    below = _plain_parents_of(dicts, lists)
    return _parents(list(_parts(dicts, lists))) if below is None else below


def _plain_parents_of(dicts: _Dicts, lists: _Lists) -> tuple[_Dicts, _Lists] | None:
    """The same. None if a part has another type than JSON's own."""
    if len(lists) == 1 and not dicts:
        return _plain_parents(lists[0])
    # Mostly nothing is below. Then the parts need not be put into a list.
    kinds = set(map(type, _parts(dicts, lists)))
    if kinds <= _SCALARS:
        return [], []
    return _plain_parents(list(_parts(dicts, lists)), kinds)


def _parents(level: Any) -> tuple[_Dicts, _Lists]:
    """The objects and the lists among parts of a value."""
    plain = _plain_parents(level)
    if plain is not None:
        return plain
    return (
        [part for part in level if isinstance(part, dict)],
        [part for part in level if isinstance(part, (list, tuple))],
    )


def _plain_parents(level: Any, kinds: Set[type] | None = None) -> tuple[_Dicts, _Lists] | None:
    """The same where all parts have plain types, without Python for each part. Else None."""
    if kinds is None:
        kinds = set(map(type, level))
    if kinds <= _SCALARS:
        return [], []
    if kinds == {dict}:
        return level, []
    if kinds <= _LISTS:
        return [], level
    if kinds <= _PLAIN:
        return _of(_DICTS & kinds, level), _of(_LISTS & kinds, level)
    return None


def _of(kinds: Set[type], level: Any) -> list[Any]:
    """The parts that have one of these types."""
    return list(compress(level, map(kinds.__contains__, map(type, level)))) if kinds else []
