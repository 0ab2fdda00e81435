"""Entries that were read, from whichever list: take them apart, look them up in the routing table, do what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .core import Core
from .entry import PENDING, Entry, Malformed, parse
from .events import Problem
from .presence import Presence
from .requester import Requester
from .responder import Responder
from .routing import Action, route


class Inbox:
    """Applies ``routing.ROUTES`` to each entry."""

    def __init__(self, core: Core, requester: Requester, responder: Responder) -> None:
        self.core = core
        self.requester = requester
        self.responder = responder
        self.presence: Presence
        self.relisted: set[bytes] = set()
        self._actions: dict[Action, Callable[[Any, float], None]] = {
            Action.SKIP: self._skip,
            Action.RUN: self._run,
            Action.DELIVER: self._deliver,
            Action.DROP: self._drop,
            Action.HAND_OVER: self._hand_over,
            Action.REPORT: self._report,
            Action.REPORT_KEEP: self._report,
        }

    def receive(self, rows: list[Any], now: float) -> None:
        """Rows of an XREADGROUP: ``[entry ID, fields]``."""
        group, clean = self.core.names.group, self.core.outbox.clean
        for entry_id, raw in rows:
            if raw is None:
                # RIPC-ROUTE-12: deleted while it was pending, only the pending list still names it.
                clean(entry_id, None, now)
            elif len(raw) == 12 and raw[10] == b"destination_group" and raw[11] != group and raw[11]:
                # Most entries are for other groups: not worth taking apart.
                clean(entry_id, None, now)
            elif entry_id not in self.relisted:
                self.take(parse(entry_id, raw), now)

    def take(self, entry: Entry | Malformed, now: float, starts: int = 1, redelivered: bool = False) -> None:
        """One entry that is pending for us."""
        group = self.core.names.group
        destination = entry.destination_group
        if destination != group and destination:
            self._skip(entry, now)
            return
        if isinstance(entry, Malformed):
            self._actions[route("own" if destination else "none", "malformed", False, False)](entry, now)
            return
        if entry.status == PENDING:
            # The table says RUN, whoever asked (RIPC-ROUTE-1, RIPC-ROUTE-14): most entries that come this far are requests.
            self.responder.request(entry, now, bool(self.presence.siblings), starts, redelivered)
            return
        own = entry.instance_id == self.core.names.instance
        self._actions[route("own", "response", own, own and self.requester.knows(entry.id))](entry, now)

    def _skip(self, entry: Entry | Malformed, now: float) -> None:
        self.core.outbox.clean(entry.entry_id, None, now)

    def _run(self, entry: Entry, now: float) -> None:
        self.responder.request(entry, now, bool(self.presence.siblings))

    def _deliver(self, entry: Entry, now: float) -> None:
        self.requester.response(entry)
        self.core.outbox.clean(entry.entry_id, entry.entry_id, now)

    def _drop(self, entry: Entry, now: float) -> None:
        self.core.outbox.clean(entry.entry_id, entry.entry_id, now)

    def _hand_over(self, entry: Entry, now: float) -> None:
        self.presence.hand_over(entry.entry_id, entry.instance_id, now)

    def _report(self, entry: Malformed, now: float) -> None:
        # RIPC-ROUTE-11, RIPC-ODD-7
        self.core.queue.append(
            Problem("malformed", f"entry {entry.entry_id.decode()}: {entry.problem}", entry.entry_id, entry.fields)
        )
        own = entry.destination_group == self.core.names.group
        self.core.outbox.clean(entry.entry_id, entry.entry_id if own else None, now)
