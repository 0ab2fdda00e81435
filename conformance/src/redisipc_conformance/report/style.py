"""Colours of the terminal, or none. A colour is never the only sign."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TextIO

from ..results import Verdict

Paint = Callable[[str, str], str]
"""Text and the name of a style to text."""

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "bold red": "1;31",
    "bold green": "1;32",
    "bold yellow": "1;33",
}
VERDICT_STYLE = {
    Verdict.PASS: "green",
    Verdict.KNOWN: "yellow",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.WARNING: "yellow",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.FAIL: "bold red",
    Verdict.SUITE_ERROR: "magenta",
}


def plain(text: str, style: str) -> str:
    """No colour at all."""
    return text


def coloured(text: str, style: str) -> str:
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style in _CODES else text


def painter(stream: TextIO) -> Paint:
    """Colours on a terminal, unless NO_COLOR is set or TERM says that it has none."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return plain
    return coloured
