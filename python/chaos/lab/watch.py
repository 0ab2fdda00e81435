"""The work of Redis that the taps see: stored entries, deleted entries, error replies.

- ``stored t ask request_id entry_id``: a request was stored
- ``answered t request_id entry_id``: a response was stored
- ``deleted t entry_id sent``: an entry was deleted, and the time at which the deletion was written
- ``unsure t what key``: the command was sent, and its reply never came. ``what`` is ``answered`` or ``deleted``

Claims: see ``takeovers.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from redisipc_conformance.wire import resp
from redisipc_conformance.wire.exchange import Exchange
from redisipc_conformance.wire.tap import Tap

from ..workers.processor import TICK, ProcessorWaits, waited
from ..workers.rows import Rows
from .takeovers import WATCHED as OF_CLAIMS
from .takeovers import TakeOvers

_NUMBER = re.compile(rb'"n":\s*(\d+)')
_WATCHED = {b"XADD", b"XDEL"}


class Watch:
    """Listens to all taps of a run. ``errors`` counts error replies by their first word."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._open: dict[int, Exchange] = {}
        self._claims = TakeOvers(rows)
        self.errors: Counter[str] = Counter()
        self.stored = 0
        self.commands = 0

    def sent(self, exchange: Exchange) -> None:
        self.commands += 1
        if exchange.name in _WATCHED:
            self._open[id(exchange)] = exchange
        elif exchange.name in OF_CLAIMS:
            self._claims.sent(exchange)

    def settled(self, exchange: Exchange) -> None:
        result = exchange.result
        if isinstance(result, resp.ErrorReply):
            self.errors[result.kind] += 1
        if exchange.name in OF_CLAIMS:
            self._claims.settled(exchange)
            return
        if self._open.pop(id(exchange), None) is None or not exchange.done:
            return
        if exchange.name == b"XDEL":
            for entry in exchange.args[2:]:
                self._rows("deleted", entry.decode(), round(exchange.sent, 4))
                self._claims.forget(entry)
        elif isinstance(result, bytes):
            self._added(fields_of(exchange.args), result.decode())

    def _added(self, fields: dict[bytes, bytes], entry: str) -> None:
        id = fields.get(b"id", b"").decode("utf-8", "replace")
        if fields.get(b"status") != b"pending":
            self._rows("answered", id, entry)
            return
        self.stored += 1
        number = _NUMBER.search(fields.get(b"content", b""))
        self._rows("stored", int(number[1]) if number else -1, id, entry)

    def close(self) -> None:
        """Redis may have executed commands that never had a reply."""
        for exchange in self._open.values():
            if exchange.name == b"XDEL":
                for entry in exchange.args[2:]:
                    self._rows("unsure", "deleted", entry.decode(), round(exchange.sent, 4))
                continue
            fields = fields_of(exchange.args)
            if fields.get(b"status") != b"pending":
                self._rows(
                    "unsure", "answered", fields.get(b"id", b"").decode("utf-8", "replace"), round(exchange.sent, 4)
                )
        self._open.clear()
        self._claims.close()


def fields_of(args: list[bytes]) -> dict[bytes, bytes]:
    """The fields that an XADD writes."""
    at = args.index(b"*") + 1 if b"*" in args else len(args)
    return dict(zip(args[at::2], args[at + 1 :: 2], strict=False))


class WatchedTap(Tap):
    """A tap that passes its observations to a ``Watch``, and keeps nothing."""

    def __init__(self, upstream: Any, watch: Watch, **more: Any) -> None:
        super().__init__(upstream, watch.settled, _nothing, keep=False, **more)
        self._watch = watch

    def record(self, exchange: Exchange) -> None:
        self._watch.sent(exchange)
        super().record(exchange)


def _nothing() -> None:
    pass


LATE_LOOK = 0.08
"""A look counts as late from so many seconds on, since a command and its reply pass the loop four times."""


class Stalled:
    """Notices when the harness or Redis stood still: it was late, or it waited for a processor. Then all links stood still.

    ``servers``: the process ids of those servers that run on this machine.
    """

    def __init__(self, rows: Rows, servers: Callable[[], list[int]]) -> None:
        self._rows = rows
        self._servers = servers
        self.seconds = 0.0

    def _waits(self) -> dict[int, int]:
        """The nanoseconds for which the main thread of each was ready to run, and had to wait."""
        found = {}
        for pid in (os.getpid(), *self._servers()):
            with contextlib.suppress(OSError, ValueError, IndexError):
                found[pid] = waited(Path(f"/proc/{pid}/schedstat").read_text())
        return found

    async def watch(self) -> None:
        last, waits = monotonic(), ProcessorWaits(self._waits)
        while True:
            await asyncio.sleep(TICK)
            now = monotonic()
            if now - last > TICK + LATE_LOOK:
                self._rows("still", round(last + TICK, 4), "harness")
                self.seconds += now - last - TICK
            longest = waits.look()
            if longest is not None:
                self._rows("still", round(now - longest, 4), "processor")
            last = now
