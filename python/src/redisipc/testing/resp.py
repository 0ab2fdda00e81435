"""RESP2 as a server writes it."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.commands import Failure
from redisipc.runtime.resp import hiredis

_STATUSES = {status: b"+%b\r\n" % status for status in (b"OK", b"QUEUED", b"PONG")}
"""Replies that a server writes as a status and not as a string; a client sees no difference."""


def encode(reply: Any) -> bytes:
    """One reply as bytes: None, a number, bytes, a list, or a ``Failure``."""
    kind = type(reply)
    if kind is bytes:
        return _STATUSES.get(reply) or b"$%d\r\n%b\r\n" % (len(reply), reply)
    if kind is int:
        return b":%d\r\n" % reply
    if reply is None:
        return b"*-1\r\n"
    parts: list[bytes] = []
    if kind is list and len(reply) == 1 and type(reply[0]) is list and len(reply[0]) == 2:
        _append_entries(reply[0][0], reply[0][1], parts)
    else:
        _append(reply, parts)
    return b"".join(parts)


def _append_entries(key: Any, rows: Any, parts: list[bytes]) -> None:
    """The reply to a read of one stream: most of what is ever written."""
    if type(key) is not bytes or type(rows) is not list:
        _append([[key, rows]], parts)
        return
    parts.append(b"*1\r\n*2\r\n$%d\r\n%b\r\n*%d\r\n" % (len(key), key, len(rows)))
    for row in rows:
        if hiredis is not None and type(row) is list and len(row) == 2 and _is_body(row[1]) and type(row[0]) is bytes:
            parts.append(b"*2\r\n$%d\r\n%b\r\n" % (len(row[0]), row[0]))
            parts.append(hiredis.pack_command(tuple(row[1])))
        else:
            _append(row, parts)


def _is_body(part: Any) -> bool:
    """Whether it is a list of bytes alone: so a client writes its commands, too."""
    return type(part) is list and set(map(type, part)) == {bytes}


def _append(reply: Any, parts: list[bytes]) -> None:
    """The same as a part of a longer reply."""
    kind = type(reply)
    if kind is bytes:
        parts.append(b"$%d\r\n%b\r\n" % (len(reply), reply))
    elif kind is list:
        parts.append(b"*%d\r\n" % len(reply))
        for item in reply:
            # Most items are bytes: without a call for each.
            if type(item) is bytes:
                parts.append(b"$%d\r\n%b\r\n" % (len(item), item))
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
