"""MONITOR: each command that Redis executes on the stream, with its time, its connection and its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import monotonic
from typing import NamedTuple

from redisipc.cli.look.hosts import instance_in, rows
from redisipc.cli.redis.client import Client
from redisipc.cli.redis.link import READ_SIZE
from redisipc.protocol.commands import Failure
from redisipc.protocol.names import instance_of

LONGEST_COMMAND = 64 * 1024 * 1024
"""Bytes of a line that are kept; a longer one is left out."""
_BETWEEN = b'" "'
_BARE_QUOTE = re.compile(rb'(?<!\\)(?:\\\\)*"')
_ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.)", re.DOTALL)
_PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}


class Seen(NamedTuple):
    """A command. ``at``: seconds since 1970 by Redis' clock."""

    at: float
    address: str
    words: list[bytes]


class Monitor:
    """Open after its making. Raises ``Problem`` where the right is missing."""

    def __init__(self, client: Client, stream: str) -> None:
        self._client = client
        self._needle = quoted(stream.encode("utf-8", "surrogateescape"))
        self._names: dict[str, str] = {}
        self._asked_at = 0.0
        self._link = client.open()
        try:
            [reply] = self._link.exchange([("MONITOR",)], monotonic() + client.limit)
        except OSError as error:
            raise client.away(error) from error
        if isinstance(reply, Failure):
            self._link.close()
            raise client.refused(reply)
        self._buffer = bytearray()
        self._learn()

    def read(self, limit: float) -> Iterator[Seen]:
        """The commands that were executed on the stream, after at most ``limit`` seconds."""
        try:
            data = self._link.receive(READ_SIZE * 16, limit)
        except TimeoutError:
            return
        except OSError as error:
            raise self._client.away(error) from error
        start = len(self._buffer)
        self._buffer += data
        if self._buffer.find(b"\n", start) < 0:
            if len(self._buffer) > LONGEST_COMMAND:
                self._buffer.clear()
            return
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            if self._needle in line and (seen := parse(line)) is not None:
                self._note(seen)
                yield seen

    def who(self, address: str) -> str:
        """The instance that a connection belongs to; empty where it is not known."""
        if address not in self._names and monotonic() - self._asked_at >= 1.0:
            self._learn()
        return self._names.get(address, "")

    def _learn(self) -> None:
        """Connections of ports have names."""
        self._asked_at = monotonic()
        for row in rows(self._client):
            instance = instance_in(row.get("name", ""))
            if instance:
                self._names[row.get("addr", "")] = instance

    def _note(self, seen: Seen) -> None:
        """Connections of gems have none: a read shows whose it is."""
        words = seen.words
        name = words[0].upper()
        consumer = b""
        if (name == b"XREADGROUP" and len(words) > 3) or (name in (b"XAUTOCLAIM", b"XCLAIM") and len(words) > 3):
            consumer = words[3]
        instance = instance_of(consumer)
        if instance and (name == b"XREADGROUP" or consumer.startswith(b"dispatcher_")):
            self._names[seen.address] = instance.decode("utf-8", "replace")

    def close(self) -> None:
        self._link.close()


def parse(line: bytes) -> Seen | None:
    """A line of MONITOR, None where it is not one."""
    head, bracket, rest = line.lstrip(b"+").partition(b"] ")
    seconds, space, where = head.partition(b" [")
    try:
        at = float(seconds)
    except ValueError:
        return None
    rest = rest.strip()
    if not bracket or not space or len(rest) < 2 or rest[:1] != b'"' or rest[-1:] != b'"':
        return None
    words = [_unquoted(word) for word in rest[1:-1].split(_BETWEEN)]
    return Seen(at, where.partition(b" ")[2].decode("utf-8", "replace"), words)


def added(words: list[bytes]) -> list[bytes] | None:
    """The fields and values of an XADD, None for other commands."""
    if words[0].upper() != b"XADD" or b"*" not in words:
        return None
    fields = words[words.index(b"*") + 1 :]
    if len(fields) > 12 and fields[6:7] == [b"content"] and fields[-4] == b"source_group":
        # A content with the separator in it, from a server that does not escape quotes.
        fields = [*fields[:7], _BETWEEN.join(fields[7:-4]), *fields[-4:]]
    return fields if len(fields) % 2 == 0 else None


def _unquoted(word: bytes) -> bytes:
    # Valkey 8.1 escapes no quotes: such a word stands there as it was sent.
    if b'"' in word and _BARE_QUOTE.search(word):
        return word
    return _ESCAPE.sub(_unescaped, word) if b"\\" in word else word


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1] == b"x" and len(code) == 3:
        return bytes([int(code[1:], 16)])
    return _PLAIN.get(code, code)


def quoted(text: bytes) -> bytes:
    """A word as MONITOR shows it."""
    shown = b""
    named = {value: b"\\" + key for key, value in _PLAIN.items()}
    for number in text:
        each = bytes([number])
        if each in (b'"', b"\\"):
            shown += b"\\" + each
        elif each in named:
            shown += named[each]
        else:
            shown += each if 32 <= number < 127 else b"\\x%02x" % number
    return b'"%b"' % shown
