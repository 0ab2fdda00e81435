"""RESP2 as a server writes it."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.commands import Failure
from redisipc.runtime.resp import hiredis

FIELDS = 12
"""Names and values of the fields of an entry."""
STATUSES = frozenset((b"OK", b"QUEUED", b"PONG"))
"""Replies that a server writes as a status and not as a string; a client sees no difference."""


def encode(reply: Any) -> bytes:
    """One reply as bytes: None, a number, bytes, a list, or a ``Failure``."""
    if type(reply) is bytes:
        return b"+%b\r\n" % reply if reply in STATUSES else b"$%d\r\n%b\r\n" % (len(reply), reply)
    if type(reply) is int:
        return b":%d\r\n" % reply
    parts: list[bytes] = []
    _append(reply, parts)
    return b"".join(parts)


def _append(reply: Any, parts: list[bytes]) -> None:
    kind = type(reply)
    if kind is bytes:
        parts.append(b"$%d\r\n%b\r\n" % (len(reply), reply))
    elif kind is list:
        if hiredis is not None and len(reply) == FIELDS and set(map(type, reply)) == {bytes}:
            # An entry's fields: most of what is ever written.
            parts.append(hiredis.pack_command(tuple(reply)))
            return
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
