"""RESP2, both ways: commands to bytes, bytes to replies. Knows no socket and no command.

redis-py opens a connection and makes the handshake. Then this library takes over the socket, and uses these two. Error
replies are values (``Failure``), nested ones in an EXEC too, since the core wants to see every reply of a batch. If
hiredis is installed, it does the work. Otherwise the classes below do it, a few times slower.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from redisipc.protocol.commands import Command, Failure
from redisipc.protocol.entry import FIELDS
from redisipc.protocol.reasons import shortened

hiredis: Any
try:
    import hiredis
except ImportError:  # pragma: no cover - one of the two jobs of CI
    hiredis = None

LONGEST_LINE = 64 * 1024
"""Bytes that a line of a reply may have: a number, a status or an error. A line without an end must not fill the memory."""
_SHOWN = 40
"""Bytes of an odd line that a message shows."""

MISSING: Any = object()
"""The value that ``Parser.gets`` returns while a reply is incomplete."""


class ProtocolError(Exception):
    """Bytes that are not RESP2: the connection can no longer be used."""


class Parser(Protocol):
    """Bytes in, replies out, in order."""

    def feed(self, data: Any, /) -> None: ...

    def gets(self) -> Any:
        """The next reply, or ``MISSING``."""


def failure(text: str) -> Failure:
    # It is kept and reported. hiredis has no limit for a line.
    text = shortened(text)
    return Failure(text.partition(" ")[0], text)


def pack_plain(commands: Iterable[Command]) -> bytes:
    """Commands as one string of bytes, in pure Python."""
    parts: list[bytes] = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        for arg in command:
            if not isinstance(arg, bytes):
                arg = str(arg).encode()
            parts.append(b"$%d\r\n%b\r\n" % (len(arg), arg))
    return b"".join(parts)


class PlainParser:
    """Incremental: it never parses a byte twice, wherever the stream is cut into pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._stack: list[tuple[list[Any], int]] = []

    def feed(self, data: bytes, /) -> None:
        self._buffer += data

    def gets(self) -> Any:
        buffer, stack = self._buffer, self._stack
        start = 0
        try:
            while True:
                end = buffer.find(b"\r\n", start)
                if end < 0:
                    if len(buffer) - start > LONGEST_LINE:
                        raise ProtocolError(f"a line of a reply has over {LONGEST_LINE} bytes; is this a Redis server?")
                    return MISSING
                kind, line = buffer[start], bytes(buffer[start + 1 : end])
                value: Any
                if kind == 36:  # $
                    size = int(line)
                    if size < 0:
                        value, after = None, end + 2
                    else:
                        after = end + 4 + size
                        if len(buffer) < after:
                            return MISSING
                        value = bytes(buffer[end + 2 : after - 2])
                else:
                    after = end + 2
                    if kind == 58:  # :
                        value = int(line)
                    elif kind == 43:  # +
                        value = line
                    elif kind == 45:  # -
                        value = failure(line.decode("utf-8", "replace"))
                    elif kind == 42:  # *
                        size = int(line)
                        if size > 0:
                            stack.append(([], size))
                            start = after
                            continue
                        value = [] if size == 0 else None
                    else:
                        raise ProtocolError(f"unexpected {chr(kind)!r} in a reply; is this a Redis server, and RESP2?")
                start = after
                while stack:
                    items, size = stack[-1]
                    items.append(value)
                    if len(items) < size:
                        break
                    stack.pop()
                    value = items
                else:
                    return value
        except ValueError:
            # It is not a number, or has more digits than Python reads.
            shown = line[:_SHOWN].decode("ascii", "backslashreplace")
            raise ProtocolError(
                f"a length or a number in a reply is '{shown}'; is this a Redis server, and RESP2?"
            ) from None
        finally:
            del buffer[:start]


def make_parser(plain: bool = False) -> Parser:
    """A parser for one connection. ``plain`` switches hiredis off, for tests and comparisons."""
    if hiredis is None or plain:
        return PlainParser()
    reader: Parser = hiredis.Reader(protocolError=ProtocolError, replyError=failure, notEnoughData=MISSING)
    return reader


_FIELDS = tuple(FIELDS)
_NEW_ID = ("NOMKSTREAM", "*")
_VALUE = b"$%d\r\n%b\r\n"
_ENTRY = b"*16\r\n$4\r\nXADD\r\n%b$10\r\nNOMKSTREAM\r\n$1\r\n*\r\n" % _VALUE + b"".join(
    b"$%d\r\n%b\r\n%b" % (len(name), name, _VALUE) for name in _FIELDS
)
"""The XADD of an entry: most bytes that are written. One format takes a fifth of the time of sixteen arguments."""


def pack_entry(command: Command) -> bytes | None:
    """The XADD of an entry as bytes; None for every other command."""
    if command[0] != "XADD" or len(command) != 16 or command[4::2] != _FIELDS or command[2:4] != _NEW_ID:
        return None
    parts: tuple[Any, ...] = command
    _, stream, _, _, _, id, _, instance, _, status, _, content, _, source, _, destination = parts
    try:
        return _ENTRY % (
            len(stream), stream, len(id), id, len(instance), instance, len(status), status,
            len(content), content, len(source), source, len(destination), destination,
        )  # fmt: skip
    except TypeError:
        # Not bytes.
        return None


_READY: dict[object, bytes] = {name: b"*1\r\n$%d\r\n%b\r\n" % (len(name), name.encode()) for name in ("MULTI", "EXEC")}
"""The commands without arguments that most batches have."""
_reads: dict[Command, bytes] = {}
"""Reads that were packed recently: an endpoint repeats a few of them."""
_MOST_READS = 128


def pack(commands: list[Command]) -> bytes:
    """Commands as one string of bytes."""
    if len(commands) == 1:
        return _packed(commands[0])
    return b"".join([_READY.get(command[0]) or pack_entry(command) or _packed(command) for command in commands])


def _packed(command: Command) -> bytes:
    if command[0] != "XREADGROUP":
        return _pack_any(command)
    packed = _reads.get(command)
    if packed is None:
        if len(_reads) >= _MOST_READS:
            _reads.clear()
        packed = _reads[command] = _pack_any(command)
    return packed


def _pack_any(command: Command) -> bytes:
    if hiredis is None:
        return pack_plain((command,))
    packed: bytes = hiredis.pack_command(_without_numbers(command))
    return packed


def _without_numbers(command: Command) -> tuple[str | bytes, ...]:
    # While hiredis writes a number, it runs signal handlers. If one raises, hiredis 3.5 crashes the process.
    return tuple([b"%d" % arg if arg.__class__ is int else arg for arg in command])  # type: ignore[misc]
