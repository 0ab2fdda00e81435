"""The claims that the taps see: the old and the new owner, and how long the old one had shown no sign of life.

A sign of life is a delivery to the owner, or a claim by it (RIPC-GROUP-13). Each claim by another member is a row:
``moved t entry_id before after silence``, consumers by name, silence in seconds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from redisipc_conformance.wire.exchange import Exchange

from ..workers.rows import Rows

WATCHED = {b"XREADGROUP", b"XCLAIM"}


class Sign(NamedTuple):
    """The last sign of life for an entry: the owner and the time."""

    consumer: bytes
    time: float


class TakeOvers:
    """Is called for each XREADGROUP and XCLAIM, and writes the rows. It forgets an entry that is deleted."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._signs: dict[bytes, dict[bytes, Sign]] = {}
        """By entry and by group, since each group has a delivery and claims of its own."""
        self._open: dict[int, tuple[Exchange, dict[bytes, Sign]]] = {}

    def sent(self, exchange: Exchange) -> None:
        """Keeps the present signs of life for a claim. Redis may execute the claim, and its reply may never come."""
        if exchange.name == b"XCLAIM":
            ids = _claimed(exchange.args)
            last = {id: self._signs.get(id, {}).get(exchange.args[2]) for id in ids}
            others = {id: sign for id, sign in last.items() if sign and sign.consumer != exchange.args[3]}
            if others:
                self._open[id(exchange)] = exchange, others

    def settled(self, exchange: Exchange) -> None:
        self._open.pop(id(exchange), None)
        if not exchange.done:
            return
        if exchange.name == b"XREADGROUP":
            consumer = exchange.args[3]
            # The read may have waited for seconds until there was an entry.
            now = exchange.replied or exchange.sent
            for entry in _delivered(exchange.result):
                self._sign(exchange.args[2], entry, Sign(consumer, now), now)
        elif exchange.name == b"XCLAIM" and isinstance(exchange.result, list):
            for entry in exchange.result:
                if isinstance(entry, bytes):
                    sign = Sign(exchange.args[3], exchange.sent)
                    self._sign(exchange.args[2], entry, sign, exchange.replied or exchange.sent)

    def _sign(self, group: bytes, entry: bytes, sign: Sign, now: float) -> None:
        signs = self._signs.setdefault(entry, {})
        last = signs.get(group)
        if last is not None and last.consumer != sign.consumer:
            self._moved(entry, last, sign.consumer, now)
        signs[group] = sign

    def _moved(self, entry: bytes, last: Sign, consumer: bytes, now: float) -> None:
        names = last.consumer.decode("utf-8", "replace"), consumer.decode("utf-8", "replace")
        self._rows("moved", entry.decode(), *names, round(now - last.time, 3))

    def forget(self, entry: bytes) -> None:
        self._signs.pop(entry, None)

    def close(self) -> None:
        """Redis may have executed claims that never had a reply."""
        for exchange, others in self._open.values():
            for entry, last in others.items():
                self._moved(entry, last, exchange.args[3], exchange.sent)
        self._open.clear()


def _claimed(args: list[bytes]) -> list[bytes]:
    """The entry IDs in an XCLAIM."""
    return [arg for arg in args[5:] if b"-" in arg]


def _delivered(reply: Any) -> list[bytes]:
    """The entry IDs of a reply to XREADGROUP: a map or pairs of streams and entries."""
    if isinstance(reply, dict):
        streams = list(reply.values())
    elif isinstance(reply, list):
        streams = [pair[1] for pair in reply if isinstance(pair, list) and len(pair) == 2]
    else:
        return []
    return [entry[0] for entries in streams for entry in entries or () if isinstance(entry, list) and entry]
