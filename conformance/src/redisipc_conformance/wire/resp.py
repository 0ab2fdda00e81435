"""RESP2 and RESP3: commands to bytes, bytes to replies.

Complete frames only, straight from a buffer: the tap must forward every byte as it came, so the parser says where a frame
ends and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Arg: TypeAlias = "str | bytes | int | float"


class Incomplete(Exception):
    """The buffer ends inside a frame."""


class ProtocolError(Exception):
    """What was read is no RESP."""


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
    """A RESP3 push: nobody asked for it."""


class Status(bytes):
    """A simple string (`+OK`), to be told from a bulk string of the same bytes."""


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
    """A reply made up by the tap, RESP2 (which RESP3 clients read as well)."""
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


def _line(buffer: bytes | bytearray, start: int) -> tuple[bytes, int]:
    end = buffer.find(b"\r\n", start)
    if end < 0:
        raise Incomplete
    return bytes(buffer[start:end]), end + 2


def parse(buffer: bytes | bytearray, start: int = 0) -> tuple[Any, int]:
    """The frame at `start` and where the next one begins. Raises Incomplete when it is not all there yet."""
    if start >= len(buffer):
        raise Incomplete
    kind = buffer[start : start + 1]
    line, at = _line(buffer, start + 1)
    if kind in (b"$", b"=", b"!"):
        size = int(line)
        if size < 0:
            return None, at
        if len(buffer) < at + size + 2:
            raise Incomplete
        body = bytes(buffer[at : at + size])
        at += size + 2
        if kind == b"!":
            return ErrorReply(body.decode(errors="replace")), at
        return (body[4:] if kind == b"=" else body), at
    if kind == b":":
        return int(line), at
    if kind == b"+":
        return Status(line), at
    if kind == b"-":
        return ErrorReply(line.decode(errors="replace")), at
    if kind in (b"*", b"~", b">"):
        return _array(buffer, at, int(line), push=kind == b">")
    if kind == b"%":
        # A map is given flat, as RESP2 would: callers read it the same way for both.
        return _array(buffer, at, 2 * int(line), push=False)
    if kind == b"|":
        _, at = _array(buffer, at, 2 * int(line), push=False)
        return parse(buffer, at)
    if kind == b"_":
        return None, at
    if kind == b"#":
        return line == b"t", at
    if kind == b",":
        return float(line), at
    if kind == b"(":
        return int(line), at
    raise ProtocolError(f"no RESP type begins with {bytes(kind)!r}")


def _array(buffer: bytes | bytearray, at: int, size: int, *, push: bool) -> tuple[list[Any] | None, int]:
    if size < 0:
        return None, at
    items: list[Any] = Push() if push else []
    for _ in range(size):
        item, at = parse(buffer, at)
        items.append(item)
    return items, at


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
