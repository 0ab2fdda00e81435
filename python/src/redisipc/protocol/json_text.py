"""Rules about a JSON text that its value may not show: if a key is there twice, the value has only the last one.

Contents may have megabytes. So each rule takes a few passes of C code over the text, and no Python step for each
character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from json.decoder import scanstring  # type: ignore[attr-defined] # it is there on each Python
from typing import NoReturn

MAX_DEPTH = 100
"""Levels of nesting that every reader accepts (RIPC-CONTENT-6, RIPC-CONTENT-7)."""

_BRACKETS_A_STEP = 160
"""Brackets that are examined in one step."""
_FEW_BRACKETS = 64
"""The same where many of them open."""
_SHORT = 1 << 12
"""In texts with fewer bytes, counting all brackets is quicker than finding the first ones."""
_FIRST = 1 << 12
"""Bytes that are examined first: most texts that are too deep are so at their beginning."""
_BYTES_A_DENSE_OPENING = 6
"""If brackets are more frequent than this, they are not counted."""
_BYTES_AN_OPENING = 256
"""If brackets are rarer than this, finding each of them is quicker than a pass over the text."""
_USUAL_STRINGS = 4
"""So many kinds of strings are taken out before the others are split off."""
_LONGEST_USUAL = 64
"""Brackets in a string that may be usual."""
_LEAST_GAIN = 8
"""Strings that are less than this part of all brackets are not usual."""
_PART = 1 << 14
"""Escapes are decoded in steps of so many bytes, so that the copies stay in the cache."""
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_OPENINGS = bytes(set(range(256)) - set(b"[{"))
_NO_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))
# The letters of escapes remain: without them, a quote might seem to follow a backslash.
_NO_ESCAPES = bytes(set(_NO_BRACKETS) - set(b"\\/bfnrtu"))
_LONGEST_ESCAPE = 12
"""Bytes of a pair of escapes."""
_STEPS = {ord("["): 1, ord("]"): -1}
_HEX = bytes.maketrans(b"D123456789abcefABCEF", b"d0000000000000000000")
_NO_HEX = bytes(set(range(256)) - set(b"\\u0123456789abcdefABCDEF"))
_BYTES_A_DENSE_ESCAPE = 12
"""If escapes are rarer than this, most of a text are other letters."""
_BYTES_AN_ESCAPE = 64
"""If escapes are rarer than this, examining each of them is quicker than examining the text."""
_RARE = 512
"""If escapes are rarer than this, examining each of them is quicker than a search."""
_ESCAPES_SHOWN_BY = 1 << 14
"""Bytes of a sample that usually shows how many escapes there are."""
_MAY_BE_LONE = re.compile(
    rb"\\(?:\\u[dD][89a-fA-F]|u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F]))", re.DOTALL
)
"""A half whose other half is not beside it, or what may be one behind an escaped backslash."""
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]|(?P<half>u[dD][89a-fA-F])|.)", re.DOTALL)
"""An escape, or two that are the halves of one character; a half whose other half is not beside it has a name."""


def no_constant(word: str) -> NoReturn:
    """NaN and Infinity are words of Python's reader, and not of JSON (RIPC-CONTENT-5)."""
    raise ValueError(f"{word} is not JSON")


def breaks_rule(raw: bytes) -> bool:
    """Whether a JSON text must be read as a plain string (RIPC-CONTENT-6, RIPC-CONTENT-13)."""
    return has_lone_surrogate(raw) or (may_be_deep(raw) and is_deep(raw))


def has_lone_surrogate(raw: bytes) -> bool:
    """Whether a JSON text has an escape of half a character whose other half is not beside it."""
    found = few_lone_surrogates(raw)
    if found is not None:
        return found
    return _may_have_half(raw) and any(map(_has_half, _parts(raw)))


def _may_have_half(raw: bytes) -> bool:
    """Whether a text with many escapes has one of half a character, or what looks like it."""
    if raw.count(b"\\", 0, _ESCAPES_SHOWN_BY) * _BYTES_A_DENSE_ESCAPE < min(len(raw), _ESCAPES_SHOWN_BY):
        # Other text is most of it, and is taken out first.
        return b"\\ud" in raw.translate(_HEX, _NO_HEX)
    if b"\\u" not in raw[:_ESCAPES_SHOWN_BY] and b"\\u" not in raw.translate(None, _NO_ESCAPES):
        return False
    # Two bytes are found sooner than three.
    return any(b"u" + digit in raw and b"\\u" + digit in raw for digit in (b"d", b"D") if digit in raw)


def few_lone_surrogates(raw: bytes) -> bool | None:
    """The same, by examining each escape if there are few. None if there are many."""
    shown = raw.count(b"\\", 0, _ESCAPES_SHOWN_BY)
    size = min(len(raw), _ESCAPES_SHOWN_BY)
    if shown * _BYTES_AN_ESCAPE > size:
        return None
    if shown * _RARE > size and not _MAY_BE_LONE.search(raw):
        return False
    most = len(raw) // _BYTES_AN_ESCAPE
    at = raw.find(b"\\")
    while at >= 0:
        most -= 1
        if most < 0:
            return None
        if not raw.startswith(b"\\u", at):
            at = raw.find(b"\\", at + 2)
            continue
        escape = _ESCAPE.match(raw, at)
        if escape is None:
            return None
        if escape["half"]:
            return True
        at = raw.find(b"\\", escape.end())
    return False


def may_be_deep(raw: bytes) -> bool:
    """Whether a JSON text has brackets enough for more than ``MAX_DEPTH`` levels; those inside strings count."""
    size = len(raw)
    if size < _SHORT:
        # Each level has two brackets. Counting both kinds is quicker than finding a few of them.
        return size > 2 * MAX_DEPTH and raw.count(b"[") + raw.count(b"{") > MAX_DEPTH
    left = MAX_DEPTH
    for bracket in (b"[", b"{"):
        at = raw.find(bracket)
        while at >= 0:
            left -= 1
            if left < 0:
                return True
            at = raw.find(bracket, at + 1)
    return False


def openings(raw: bytes) -> int:
    """How many lists and objects a JSON text begins, or more: brackets inside strings count."""
    shown = raw.count(b"[", 0, _FIRST) + raw.count(b"{", 0, _FIRST)
    if shown * _BYTES_A_DENSE_OPENING > min(len(raw), _FIRST):
        # Each of them would be looked at, or stands in a string: the number tells nothing.
        return len(raw)
    left = len(raw) // _BYTES_AN_OPENING
    found = 0
    for bracket in (b"[", b"{"):
        at = raw.find(bracket)
        while at >= 0:
            found += 1
            if found > left or found * _BYTES_AN_OPENING > at + _FIRST:
                return len(raw.translate(None, _NO_OPENINGS))
            at = raw.find(bracket, at + 1)
    return found


def are_more_openings(raw: bytes, than: int) -> bool:
    """Whether, by its first bytes, a text has many more openings than that. A wrong guess only costs time."""
    shown = raw.count(b"[", 0, _FIRST) + raw.count(b"{", 0, _FIRST)
    return shown * len(raw) > 2 * than * min(len(raw), _FIRST)


def is_deep(raw: bytes) -> bool:
    """Whether a JSON text is nested deeper than ``MAX_DEPTH`` levels."""
    size = len(raw)
    if size > _FIRST and is_deep(raw[:_FIRST]):
        # The rest does not matter.
        return True
    if b"\\" in raw:
        raw = raw.translate(None, _NO_ESCAPES)
        if b'\\"' in raw:
            # No other escape hides where a string ends. Blanks take the place of these: that is quicker than moving the rest.
            raw = raw.replace(b"\\\\", b"  ").replace(b'\\"', b"  ")
    brackets = raw.translate(_BRACKETS, _NO_BRACKETS).replace(b'""', b"")
    if b'"' not in brackets:
        return _rises(brackets, 0, _BRACKETS_A_STEP)
    fewer, lost = _without_usual_strings(brackets)
    return _rises(_outside(fewer), lost, _BRACKETS_A_STEP) and (
        lost == 0 or _rises(_outside(brackets), 0, _BRACKETS_A_STEP)
    )


def _outside(brackets: bytes) -> bytes:
    """The brackets outside of strings: every second part stands inside of one."""
    return b"".join(brackets.split(b'"')[::2]) if b'"' in brackets else brackets


def _without_usual_strings(brackets: bytes) -> tuple[bytes, int]:
    """Quotes and brackets without the strings that have the same brackets as the first ones, and how many levels that may hide.

    In rows, texts such as lines of code have equal brackets. Taking them out is quicker than splitting. What is taken out
    may also stand between two strings. It is balanced, so that nothing but its own levels is hidden.
    """
    lost = 0
    for _ in range(_USUAL_STRINGS):
        start = brackets.find(b'"')
        end = brackets.find(b'"', start + 1) + 1
        levels = list(accumulate(map(_STEPS.__getitem__, brackets[start + 1 : end - 1][:_LONGEST_USUAL])))
        if end - start > _LONGEST_USUAL or not levels or min(levels) < 0 or levels[-1] != 0:
            break
        fewer = brackets.replace(brackets[start:end], b"")
        if len(fewer) * _LEAST_GAIN > len(brackets) * (_LEAST_GAIN - 1):
            break
        brackets = fewer
        lost += max(levels)
    return brackets, lost


def _rises(brackets: bytes, depth: int, size: int) -> bool:
    """Whether brackets lead from this depth beyond the limit; ``size`` of them are examined in one step."""
    for start in range(0, len(brackets), size):
        block = brackets[start : start + size]
        opened = block.count(b"[")
        # The first test is quick and nearly always enough.
        if depth + opened > MAX_DEPTH:
            if size > _FEW_BRACKETS:
                if _rises(block, depth, _FEW_BRACKETS):
                    return True
            elif depth + max(accumulate(map(_STEPS.__getitem__, block))) > MAX_DEPTH:
                return True
        depth += 2 * opened - len(block)
    return False


def _parts(raw: bytes) -> Iterator[bytes]:
    """The parts with backslashes. They end after a quote, so that no escape and no pair of escapes is cut."""
    start = raw.find(b"\\")
    while start >= 0:
        end = raw.find(b'"', start + _PART) + 1 or len(raw)
        yield raw[start : min(end, raw.rfind(b"\\", start, end) + _LONGEST_ESCAPE)]
        start = raw.find(b"\\", end)


def _has_half(part: bytes) -> bool:
    """Whether there is an escape of half a character without its partner."""
    # Without quotes the part is one string, in which both halves become one character. An "n" may follow a backslash.
    text, _ = scanstring(part.decode("utf-8", "replace").replace('"', "n") + '"', 0, False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
