"""RESP2 as a server writes it."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.commands import Failure
from redisipc.protocol.entry import FIELDS

OK = b"+OK\r\n"
QUEUED = b"+QUEUED\r\n"
_STATUSES = {b"OK": OK, b"QUEUED": QUEUED, b"PONG": b"+PONG\r\n"}
"""Replies that a server writes as a status and not as a string; a client sees no difference."""
_READ = b"*1\r\n*2\r\n$%d\r\n%b\r\n*1\r\n*2\r\n$%d\r\n%b\r\n%b"
_ENTRY = b"*12\r\n" + b"".join(b"$%d\r\n%b\r\n$%%d\r\n%%b\r\n" % (len(name), name) for name in FIELDS)
MOST_KNOWN = 64
LONGEST_KNOWN = 4096
"""How many bodies are cached as bytes, and the most bytes of one.

Each group reads each entry, so each is written several times.
"""

_known: dict[int, tuple[list[bytes], bytes]] = {}
"""Bodies that were written, by their identity. They are kept alive here, and the model never changes one."""


def encode(reply: Any) -> bytes:
    """One reply as bytes: None, a number, bytes, a list, or a ``Failure``."""
    kind = type(reply)
    if kind is bytes:
        return _STATUSES.get(reply) or b"$%d\r\n%b\r\n" % (len(reply), reply)
    if kind is int:
        return b":%d\r\n" % reply
    if reply is None:
        return b"*-1\r\n"
    if kind is list and len(reply) == 1 and (read := _one_entry(reply)):
        return read
    parts: list[bytes] = []
    _append(reply, parts)
    return b"".join(parts)


def _one_entry(reply: list[Any]) -> bytes:
    """Format a read that brings one entry in one step, since most do. Empty for every other list of one item."""
    stream = reply[0]
    if type(stream) is list and len(stream) == 2:
        key, rows = stream
        if type(rows) is list and len(rows) == 1 and type(key) is bytes and type(rows[0]) is list and len(rows[0]) == 2:
            id, fields = rows[0]
            if type(id) is bytes and type(fields) is list and fields and type(fields[0]) is bytes:
                return _READ % (len(key), key, len(id), id, _body(fields))
    return b""


def _append(reply: Any, parts: list[bytes]) -> None:
    """The same as a part of a longer reply."""
    kind = type(reply)
    if kind is bytes:
        parts.append(b"$%d\r\n%b\r\n" % (len(reply), reply))
    elif kind is list:
        if len(reply) == 2 and type(reply[0]) is bytes and type(reply[1]) is list:
            # An entry with its body, or a stream with its entries: most of what is ever written.
            name, rest = reply
            parts.append(b"*2\r\n$%d\r\n%b\r\n" % (len(name), name))
            if rest and type(rest[0]) is bytes:
                parts.append(_body(rest))
            elif len(rest) == 1 and (read := _one_entry(rest)):
                parts.append(read)
            else:
                _append(rest, parts)
            return
        parts.append(b"*%d\r\n" % len(reply))
        for item in reply:
            # Most items are bytes: they need no call.
            if type(item) is bytes:
                parts.append(b"$%d\r\n%b\r\n" % (len(item), item))
            elif type(item) is int:
                parts.append(b":%d\r\n" % item)
            elif type(item) is list and len(item) == 1 and (read := _one_entry(item)):
                parts.append(read)
            else:
                _append(item, parts)
    elif kind is int:
        parts.append(b":%d\r\n" % reply)
    elif reply is None:
        parts.append(b"*-1\r\n")
    elif kind is Failure:
        parts.append(b"-%b\r\n" % reply.message.replace("\r\n", " ").encode())
    else:
        raise TypeError(f"the model gave a reply that RESP2 has no form for: {reply!r}")


def _body(fields: list[Any]) -> bytes:
    known = _known.get(id(fields))
    if known is not None:
        return known[1]
    if fields[0::2] == FIELDS:
        _, name, _, instance, _, status, _, content, _, source, _, destination = fields
        written = _ENTRY % (
            len(name), name, len(instance), instance, len(status), status,
            len(content), content, len(source), source, len(destination), destination,
        )  # fmt: skip
    elif set(map(type, fields)) == {bytes}:
        written = encode(fields)
    else:
        return encode(fields)
    if len(written) <= LONGEST_KNOWN:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[id(fields)] = fields, written
    return written
