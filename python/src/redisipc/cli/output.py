"""Content to stdout, talk to stderr; colour and width by what is there. Meaning is never in the colour alone."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import unicodedata
from collections.abc import Sequence
from typing import Any, TextIO

from .exits import USAGE, Problem

_CODES = {
    "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold red": "1;31",
}  # fmt: skip
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=repr).encode


class Output:
    """Where a command writes. ``json``: one JSON object a line instead of text."""

    def __init__(self, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.json = as_json
        # A shell may start it without one of them.
        self._out = out or sys.stdout or _nowhere()
        self._err = err or sys.stderr or _nowhere()
        self._colour = _wants_colour(self._out)
        self._colour_talk = _wants_colour(self._err)

    @property
    def live(self) -> bool:
        """Whether somebody watches a terminal, so that a screen can be drawn again."""
        return not self.json and self._out.isatty()

    @property
    def width(self) -> int:
        """Columns of the terminal; much where the output is piped, since nothing has to be cut then."""
        return columns(self._out) if self._out.isatty() else 10_000

    def line(self, text: str = "") -> None:
        """A line of content. Whatever a name in it holds, it stays one line."""
        self._write(self._out, _tame(text, self._colour))

    def screen(self, lines: Sequence[str]) -> None:
        """Lines in the place of all that the terminal shows."""
        tamed = "\n".join(_tame(line, self._colour) for line in lines)
        self._write(self._out, f"\033[H\033[J{tamed}")

    def content(self, text: str) -> None:
        """Content of somebody else: as it is in a pipe or a file; in a terminal without what would control it."""
        if self._out.isatty():
            text = "".join(c if c in "\n\t" else safe(c) for c in text)
        self._write(self._out, text)

    def record(self, value: dict[str, Any]) -> None:
        """A line of JSON."""
        self._write(self._out, _dumps(value))

    def say(self, text: str) -> None:
        """A line beside the content."""
        self._write(self._err, _tame(text, self._colour_talk))

    def paint(self, text: str, style: str) -> str:
        """Coloured content, where stdout shows colours."""
        return f"\033[{_CODES[style]}m{text}\033[0m" if self._colour and style else text

    def paint_talk(self, text: str, style: str) -> str:
        """Coloured talk, where stderr shows colours."""
        return f"\033[{_CODES[style]}m{text}\033[0m" if self._colour_talk and style else text

    def _write(self, file: TextIO, text: str) -> None:
        data = f"{text}\n"
        try:
            try:
                file.write(data)
            except UnicodeEncodeError:
                file.write(data.encode(file.encoding or "ascii", "backslashreplace").decode(file.encoding or "ascii"))
            file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            # The disk is full, for example. What is buffered must not be written at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())
            if file is self._out:
                raise Problem(USAGE, f"the output cannot be written: {error.strerror}") from error


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def columns(file: TextIO) -> int:
    """The columns of a terminal, as shutil says, which loads three compressors for it."""
    said = os.environ.get("COLUMNS", "")
    if said.isdigit() and int(said):
        return int(said)
    try:
        return os.get_terminal_size(file.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _wants_colour(file: TextIO) -> bool:
    return file.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def safe(text: str) -> str:
    """``text`` in one line: control and bidirectional characters are escaped, so that it forges nothing."""
    if text.isprintable() and text.isascii():
        return text
    return "".join(c if unicodedata.category(c) not in _ESCAPED else _escape(c) for c in text)


def _escape(each: str) -> str:
    """``\\uXXXX``, or two of them, as JSON writes it."""
    if ord(each) < 0x10000:
        return f"\\u{ord(each):04x}"
    units = each.encode("utf-16-be")
    return f"\\u{units[:2].hex()}\\u{units[2:].hex()}"


def _tame(text: str, colour: bool) -> str:
    """``text`` where nothing but our own colours controls a terminal, and no colour outlives its line."""
    if text.isprintable():
        return text
    if not colour:
        return "".join(map(safe, text))
    parts = _OURS.split(text)
    tamed = "".join(part if index % 2 else safe(part) for index, part in enumerate(parts))
    return tamed if len(parts) == 1 else f"{tamed}\033[0m"


_OURS = re.compile("(\033\\[(?:0|" + "|".join(_CODES.values()) + ")m)")
_ESCAPED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def columns_of(text: str) -> int:
    """Columns that ``text`` takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(_columns(each) for each in text)


def _columns(each: str) -> int:
    if unicodedata.combining(each):
        return 0
    return 2 if unicodedata.east_asian_width(each) in "WF" else 1


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns; three dots say that something is missing."""
    if columns_of(text) <= width:
        return text
    kept, used = [], 0
    for each in text:
        used += _columns(each)
        if used > max(0, width - 3):
            break
        kept.append(each)
    return "".join(kept) + "..."[: max(0, width)]


def shown(value: Any, most: int = 200) -> str:
    """A value for people, in one line."""
    return cut(safe(value if isinstance(value, str) else _dumps(value)), most)


def table(rows: Sequence[Sequence[str]], gap: str = "  ") -> list[str]:
    """Rows with their columns below each other; the last one is as long as it is."""
    if not rows:
        return []
    widths = [max(columns_of(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    lines = []
    for row in rows:
        cells = [cell + " " * (widths[i] - columns_of(cell)) for i, cell in enumerate(row)]
        lines.append(gap.join(cells).rstrip())
    return lines


def ago(seconds: float | None) -> str:
    """A time span for people."""
    if seconds is None:
        return "?"
    if seconds < 0.00001:
        return "0 ms"
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} d"


def plural(number: int, one: str, many: str = "") -> str:
    """``1 entry``, ``2 entries``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def clock(seconds: float) -> str:
    """The local time of day, with milliseconds."""
    return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{int(seconds * 1000) % 1000:03d}"
