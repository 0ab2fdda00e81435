"""Another reading of content, by SPEC.md section 5 and character by character: slow, and easy to compare with the text."""

from __future__ import annotations

import math
import re
from typing import Any

MAX_DEPTH = 100
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_WORDS = {"null": None, "true": True, "false": False}
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class NoValue(Exception):
    """The text is a string, not a JSON value."""


def read(raw: bytes) -> Any:
    """The value that a reader makes of a content field."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")
    try:
        return _Reader(text).whole()
    except NoValue:
        return text


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0

    def whole(self) -> Any:
        value = self.value()
        self.space()
        if self.at < len(self.text):
            raise NoValue
        return value

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\n\r":
            self.at += 1

    def next(self, wanted: str) -> bool:
        """Step over white space, and over ``wanted`` where it follows."""
        self.space()
        if not self.text.startswith(wanted, self.at):
            return False
        self.at += len(wanted)
        return True

    def value(self) -> Any:
        if self.next('"'):
            return self.string()
        for opener, closer in ("[]", "{}"):
            if self.next(opener):
                self.depth += 1
                if self.depth > MAX_DEPTH:
                    raise NoValue
                parts = self.parts(closer)
                self.depth -= 1
                return dict(parts) if opener == "{" else parts
        for word, meaning in _WORDS.items():
            if self.next(word):
                return meaning
        found = _NUMBER.match(self.text, self.at)
        if found is None:
            raise NoValue
        self.at = found.end()
        return float(found.group()) if found.group(1) or found.group(2) else int(found.group())

    def parts(self, closer: str) -> list[Any]:
        parts: list[Any] = []
        if self.next(closer):
            return parts
        while True:
            parts.append(self.value() if closer == "]" else self.pair())
            if self.next(closer):
                return parts
            if not self.next(","):
                raise NoValue

    def pair(self) -> tuple[str, Any]:
        if not self.next('"'):
            raise NoValue
        key = self.string()
        if not self.next(":"):
            raise NoValue
        return key, self.value()

    def string(self) -> str:
        found = ""
        while True:
            character = self.take()
            if character == '"':
                return found
            if character < " ":
                raise NoValue
            found += self.escape() if character == "\\" else character

    def take(self) -> str:
        if self.at >= len(self.text):
            raise NoValue
        self.at += 1
        return self.text[self.at - 1]

    def escape(self) -> str:
        letter = self.take()
        if letter != "u":
            if letter not in _ESCAPES:
                raise NoValue
            return _ESCAPES[letter]
        unit = self.unit()
        if 0xDC00 <= unit <= 0xDFFF:
            raise NoValue
        if not 0xD800 <= unit <= 0xDBFF:
            return chr(unit)
        if self.take() != "\\" or self.take() != "u":
            raise NoValue
        low = self.unit()
        if not 0xDC00 <= low <= 0xDFFF:
            raise NoValue
        return chr(0x10000 + ((unit - 0xD800) << 10) + low - 0xDC00)

    def unit(self) -> int:
        digits = self.text[self.at : self.at + 4]
        if not re.fullmatch("[0-9a-fA-F]{4}", digits):
            raise NoValue
        self.at += 4
        return int(digits, 16)


def sendable(value: Any, depth: int = 0) -> bool:
    """Whether a sender may write the value (RIPC-CONTENT-7, RIPC-CONTENT-8)."""
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if value is None or isinstance(value, int):
        return True
    if depth == MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return all(isinstance(key, str) and sendable(key) and sendable(part, depth + 1) for key, part in value.items())
    return isinstance(value, (list, tuple)) and all(sendable(part, depth + 1) for part in value)
