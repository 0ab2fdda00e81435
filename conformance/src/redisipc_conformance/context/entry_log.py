"""Every entry that was ever written to the scenario's streams, by any writer, also if it was deleted.

Three sources: the testee's XADDs as the taps see them, the runner's own, and an XREAD of the stream, which finds
entries that came another way. An entry that only the XREAD saw is held back for a moment: the tap, which knows the
writer, may be about to report it.

The order of these reports is chance: an answer may be known before the reply to its request's XADD was read. So the log
is always in the order of Redis, by entry ID.
"""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import Callable, Sequence
from typing import Any

from ..wire.tap import Exchange
from .objects import Written

LIMBO_SECONDS = 0.05
_TWO_MORE = {b"MAXLEN", b"MINID", b"LIMIT", b"IDMP"}
_ONE_MORE = {b"IDMPAUTO"}
_NONE_MORE = {b"NOMKSTREAM", b"KEEPREF", b"DELREF", b"ACKED"}


def xadd_fields(args: Sequence[bytes]) -> list[tuple[bytes, bytes]] | None:
    """The field pairs of an XADD; None for another command or a malformed XADD."""
    at = xadd_id_at(args)
    if at is None:
        return None
    flat = args[at + 1 :]
    if not flat or len(flat) % 2:
        return None
    return list(zip(flat[0::2], flat[1::2], strict=True))


def xadd_id_at(args: Sequence[bytes]) -> int | None:
    """The position of the entry ID in an XADD, behind its options. None for another command, or an incomplete one."""
    if len(args) < 5 or args[0].upper() != b"XADD":
        return None
    at = 2
    while at < len(args):
        word = args[at].upper()
        if (word in (b"MAXLEN", b"MINID") and args[at + 1 : at + 2] in ([b"="], [b"~"])) or word == b"IDMP":
            at += 3
        elif word in _TWO_MORE or word in _ONE_MORE:
            at += 2
        elif word in _NONE_MORE:
            at += 1
        else:
            return at
    return None


class EntryLog:
    """The entries in the order of Redis: by entry ID."""

    def __init__(self, clock: Callable[[float], float], changed: Callable[[], None]) -> None:
        self.entries: list[Written] = []
        self.fences: set[str] = set()
        """Request ids of the runner's own fences: no scenario sees them."""
        self.on_written: Callable[[Written], None] = lambda written: None
        self._clock = clock
        self._changed = changed
        self._by_place: dict[tuple[str, str], Written] = {}
        self._limbo: dict[tuple[str, str], tuple[asyncio.TimerHandle, Written]] = {}

    def get(self, key: str, entry: str) -> Written | None:
        return self._by_place.get((key, entry))

    def visible(self) -> list[Written]:
        """All but the fences."""
        if not self.fences:
            return self.entries
        return [written for written in self.entries if written.id not in self.fences]

    def after(self, written: Written) -> list[Written]:
        """The entries that were written to its stream after it, without the fences."""
        return [each for each in self.visible() if each.key == written.key and each.place > written.place]

    def add(self, written: Written) -> Written:
        """Adds an entry. If it is known already, notes who wrote it."""
        place = (written.key, written.entry)
        if place in self._limbo:
            self._limbo.pop(place)[0].cancel()
        known = self._by_place.get(place)
        if known is not None:
            if written.by and not known.by:
                known.by, known.by_suite, known.exchange = written.by, written.by_suite, written.exchange
                known.marked_invalid = written.marked_invalid
                self._changed()
            return known
        self._by_place[place] = written
        bisect.insort(self.entries, written, key=lambda each: each.place)
        self.on_written(written)
        self._changed()
        return written

    def from_tap(self, who: str, exchange: Exchange) -> None:
        """An exchange of the testee that has ended."""
        if exchange.name != b"XADD" or not exchange.done or not isinstance(exchange.result, bytes):
            return
        pairs = xadd_fields(exchange.args)
        if pairs is not None:
            at = self._clock(exchange.sent)
            self.add(Written(_text(exchange.args[1]), _text(exchange.result), pairs, at, by=who, exchange=exchange))

    def from_stream(self, key: str, entry: bytes, flat: Sequence[bytes], now: float) -> Written | None:
        """Takes an entry that was read: it is known already, or held back for a moment."""
        place = (key, _text(entry))
        known = self._by_place.get(place)
        if known is None and place not in self._limbo:
            pairs = list(zip(flat[0::2], flat[1::2], strict=True))
            written = Written(*place, pairs, self._clock(now))
            loop = asyncio.get_running_loop()
            self._limbo[place] = (loop.call_later(LIMBO_SECONDS, self.add, written), written)
        return known

    def adopt(self, key: str, entry: bytes, flat: Sequence[bytes], now: float) -> Written:
        """Takes an entry that was read and is needed at once."""
        pairs = list(zip(flat[0::2], flat[1::2], strict=True))
        return self._by_place.get((key, _text(entry))) or self.add(Written(key, _text(entry), pairs, self._clock(now)))

    def settle(self) -> None:
        """Releases everything that was held back."""
        for _, written in list(self._limbo.values()):
            self.add(written)


def _text(raw: Any) -> str:
    return bytes(raw).decode("utf-8", "surrogateescape")
