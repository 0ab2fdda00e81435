"""The order of replies on a connection: one for each command, and an EXEC's contains those of its MULTI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import resp
from .exchange import Exchange
from .fault import Fault

SUBSCRIBING = {b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE", b"UNSUBSCRIBE", b"PUNSUBSCRIBE", b"SUNSUBSCRIBE"}
"""Commands that are answered by pushes."""
_PUSHED = {name.lower() for name in SUBSCRIBING} | {b"message", b"pmessage", b"smessage"}


@dataclass
class Slot:
    """A reply that the client waits for: from Redis, or from the tap."""

    exchange: Exchange
    local: bytes | None = None
    fault: Fault | None = None
    swallow: bool = False
    """The reply to a command of the tap itself. It is dropped."""


def is_pushed(value: Any) -> bool:
    """On a RESP2 connection that subscribed, messages look like replies: only PING and the like are answered."""
    return bool(isinstance(value, list) and value and isinstance(value[0], bytes) and value[0] in _PUSHED)


def with_refusals(exchange: Exchange, value: Any, raw: bytes) -> tuple[Any, bytes]:
    """The reply to an EXEC, in which each command that is refused alone has its error."""
    queued = [each for each in exchange.members if not each.answered]
    if not any(each.refusal for each in queued) or not isinstance(value, list) or len(value) != len(queued):
        return value, raw
    at = raw.index(b"\r\n") + 2
    parts, replies = [raw[:at]], []
    for each, reply in zip(queued, value, strict=True):
        _, end = resp.parse(raw, at)
        parts.append(raw[at:end] if each.refusal is None else resp.encode_reply(each.refusal))
        replies.append(each.refusal or reply)
        at = end
    return replies, b"".join(parts)


def settle(exchange: Exchange, value: Any, tell: Callable[[Exchange], None]) -> None:
    """Notes the reply of a command. The replies to the commands of a MULTI come with the EXEC."""
    if exchange.name == b"EXEC":
        queued = [e for e in exchange.members if not e.answered]
        if isinstance(value, list) and len(value) == len(queued):
            for each, result in zip(queued, value, strict=True):
                each.result = result
                tell(each)
        else:
            for each in queued:
                each.result = value if value is not None else resp.ErrorReply("NULL the watched key changed")
                tell(each)
    if exchange.multi is not None and exchange.name not in (b"EXEC", b"MULTI", b"DISCARD") and value == b"QUEUED":
        return
    exchange.result = value
    tell(exchange)
