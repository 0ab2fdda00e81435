"""Large texts: who reads them soonest, and where the value shows sooner than the text whether it breaks a rule."""

from __future__ import annotations

import json
import re
from typing import Any

from .json_text import breaks_rule, no_constant
from .json_value import shows_broken_rule

_BYTES_A_PART = 24
"""If a value has more parts in relation to its bytes, checking the text is quicker than checking the parts."""
_BEGINS = (b'{"', b"{},", b"{}]", b"{}}", b'{ "', b"{\n")
"""How an object begins. In a string, most of them cannot stand."""
_SOME_OBJECTS = 512
"""So many more are few in any case."""
_SINGLE = re.compile(rb'"[^"\\]"(?! *:)')
_BYTES_A_LETTER = 3
"""Bytes of a string of one letter, in its quotes."""
_MOSTLY = 0.4
"""If they are this part of a text, the text counts as made of them. A comma and a blank stand between two."""
_SAMPLE = 1 << 9


def has_few_objects(raw: bytes, size_of_one: int) -> bool:
    """Whether there is less than one in so many bytes, by a sample: a wrong guess only costs time."""
    size = 1024
    step = max(size, len(raw) // 16)
    starts = range(0, len(raw), step)
    # Other quotes are mostly inside strings: in JSON within JSON a backslash follows.
    found = sum(raw.count(begin, start, start + size) for begin in _BEGINS for start in starts[1:])
    if found * size_of_one > len(starts) * size:
        return False
    # Before a long string, some may stand together.
    first = {raw.count(begin, 0, size): begin for begin in _BEGINS}
    most = max(first)
    if most * size_of_one <= size:
        return True
    return raw.count(first[most], 0, step) * size_of_one <= len(raw) + _SOME_OBJECTS * size_of_one


def decode_few_objects(text: str, raw: bytes, halves: bool) -> Any:
    """Decode, and check the value. If an object has a key twice, the value does not show that: check the text."""
    hidden = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal hidden
        made = dict(items)
        hidden = hidden or len(made) < len(items)
        return made

    value = json.JSONDecoder(parse_constant=no_constant, object_pairs_hook=pairs).decode(text)
    broken = None if hidden else shows_broken_rule(value, len(raw) // _BYTES_A_PART, halves)
    if broken is None:
        broken = breaks_rule(raw)
    return text if broken else value


def has_single_letters(raw: bytes) -> bool:
    """Whether, by a sample, most of a large text are strings of one letter: ``json`` has them ready."""
    size = len(raw)
    starts = range(0, size, size // 8)
    found = sum(len(_SINGLE.findall(raw, start, start + _SAMPLE)) for start in starts)
    return found * _BYTES_A_LETTER > len(starts) * _SAMPLE * _MOSTLY
