"""Rules about large texts, loaded with the first of them."""

from __future__ import annotations

import re

_SINGLE = re.compile(rb'"[^"\\]"(?! *:)')
_BYTES_A_LETTER = 3
"""Bytes of a string of one letter, in its quotes."""
_MOSTLY = 0.4
"""If they are this part of a text, the text counts as made of them. A comma and a blank stand between two."""
_SAMPLE = 1 << 9


def has_single_letters(raw: bytes) -> bool:
    """Whether, by a sample, most of a large text are strings of one letter: ``json`` has them ready."""
    size = len(raw)
    starts = range(0, size, size // 8)
    found = sum(len(_SINGLE.findall(raw, start, start + _SAMPLE)) for start in starts)
    return found * _BYTES_A_LETTER > len(starts) * _SAMPLE * _MOSTLY
