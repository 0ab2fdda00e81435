"""RESP2 and RESP3: commands to bytes, bytes to replies.

It parses complete frames from a buffer. The tap must forward every byte unchanged, so the parser reports where a frame
ends, and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Arg: TypeAlias = "str | bytes | int | float"


class Incomplete(Exception):
    """The buffer ends inside a frame."""


class ProtocolError(Exception):
    """The bytes that were read are not RESP."""


@dataclass(frozen=True)
class ErrorReply:
    """`-KIND message`, as a value: an error inside an array must not stop the parser."""

    text: str

    @property
    def kind(self) -> str:
        return self.text.split(" ", 1)[0]

    def __str__(self) -> str:
        return self.text


class Push(list[Any]):
    """A RESP3 push: a message without a request."""


class Status(bytes):
    """A simple string (`+OK`), to distinguish it from a bulk string of the same bytes."""


def to_bytes(arg: Arg) -> bytes:
    if isinstance(arg, bytes):
        return arg
    if isinstance(arg, bool):
        raise TypeError("a Redis argument is text, bytes or a number, not a boolean")
    if isinstance(arg, str):
        return arg.encode()
    return repr(arg).encode()


def encode_command(args: Sequence[Arg]) -> bytes:
    """One command as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        raw = to_bytes(arg)
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


def encode_reply(value: Any) -> bytes:
    """A reply that the tap makes, in RESP2, which RESP3 clients also read."""
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, ErrorReply):
        return b"-%b\r\n" % value.text.encode()
    if isinstance(value, Status):
        return b"+%b\r\n" % bytes(value)
    if isinstance(value, int):
        return b":%d\r\n" % int(value)
    if isinstance(value, (str, bytes, float)):
        raw = to_bytes(value)
        return b"$%d\r\n%b\r\n" % (len(raw), raw)
    items: Iterable[Any] = value
    encoded = [encode_reply(item) for item in items]
    return b"*%d\r\n" % len(encoded) + b"".join(encoded)


DEEPEST_FRAME = 32
"""The most levels of arrays in a frame. Replies of Redis have at most 7."""


def parse(buffer: bytes | bytearray, start: int = 0, depth: int = 0) -> tuple[Any, int]:
    """The frame at `start` and where the next one begins.

    Raises Incomplete while a part of it has not come yet, and ProtocolError for bytes that are not RESP.
    """
    end = buffer.find(b"\r\n", start)
    if end < 0:
        raise Incomplete
    kind = buffer[start]
    at = end + 2
    if kind == _BULK:
        size = _number(buffer[start + 1 : end])
        if size < 0:
            return None, at
        after = at + size
        if len(buffer) < after + 2:
            raise Incomplete
        return bytes(buffer[at:after]), after + 2
    if kind == _INTEGER:
        return _number(buffer[start + 1 : end]), at
    if kind == _SIMPLE:
        return Status(buffer[start + 1 : end]), at
    if kind == _ARRAY:
        return _array(buffer, at, _number(buffer[start + 1 : end]), [], depth)
    return _rarer(chr(kind), buffer, bytes(buffer[start + 1 : end]), at, depth)


_BULK, _INTEGER, _SIMPLE, _ARRAY = b"$:+*"


def _rarer(kind: str, buffer: bytes | bytearray, line: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Errors, and types that only RESP3 has."""
    if kind == "-":
        return ErrorReply(line.decode(errors="replace")), at
    if kind in "=!":
        size = _number(line)
        if len(buffer) < at + size + 2:
            raise Incomplete
        body = bytes(buffer[at : at + size])
        at += size + 2
        return (ErrorReply(body.decode(errors="replace")) if kind == "!" else body[4:]), at
    if kind == "~":
        return _array(buffer, at, _number(line), [], depth)
    if kind == ">":
        return _array(buffer, at, _number(line), Push(), depth)
    if kind == "%":
        # A map becomes a flat list, as in RESP2, so that callers read both in the same way.
        return _array(buffer, at, 2 * _number(line), [], depth)
    if kind == "|":
        _, at = _array(buffer, at, 2 * _number(line), [], depth)
        return parse(buffer, at, depth + 1)
    if kind == "_":
        return None, at
    if kind == "#":
        return line == b"t", at
    if kind == ",":
        return _float(line), at
    if kind == "(":
        return _number(line), at
    raise ProtocolError(f"no RESP type begins with {kind!r}")


def _number(text: bytes | bytearray) -> int:
    try:
        return int(text)
    except ValueError:
        raise ProtocolError(f"expected a whole number, got {bytes(text[:40])!r}") from None


def _float(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        raise ProtocolError(f"expected a number, got {text[:40]!r}") from None


def _array(buffer: bytes | bytearray, at: int, size: int, items: list[Any], depth: int) -> tuple[list[Any] | None, int]:
    if size < 0:
        return None, at
    if depth >= DEEPEST_FRAME:
        raise ProtocolError(f"expected at most {DEEPEST_FRAME} levels of arrays")
    for _ in range(size):
        item, at = parse(buffer, at, depth + 1)
        items.append(item)
    return items, at


def _line(buffer: bytes | bytearray, start: int) -> tuple[bytes, int]:
    end = buffer.find(b"\r\n", start)
    if end < 0:
        raise Incomplete
    return bytes(buffer[start:end]), end + 2


def parse_command(buffer: bytes | bytearray, start: int = 0) -> tuple[list[bytes], int]:
    """The command at `start`: an array of bulk strings, or (rarely) an inline command."""
    if start >= len(buffer):
        raise Incomplete
    if buffer[start] != 0x2A:  # "*"
        line, at = _line(buffer, start)
        return line.split(), at
    value, at = parse(buffer, start)
    if not isinstance(value, list) or not all(isinstance(item, bytes) for item in value):
        raise ProtocolError("a command is an array of bulk strings")
    return value, at
