"""Handles entries that were read, from any list: parses them, finds their row in the routing table, does its action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import commands, replies
from .endpoint_state import EndpointState, Procedure
from .entry import PENDING, Entry, Malformed, parse
from .events import Problem
from .hand_over import HandOver
from .ownership import checked
from .requester import Requester
from .responder import Responder
from .routing import Action, route


class Inbox:
    """Applies ``routing.ROUTES`` to each entry."""

    def __init__(self, shared: EndpointState, requester: Requester, responder: Responder, hand_over: HandOver) -> None:
        self.shared = shared
        self.requester = requester
        self.responder = responder
        self.hand_over = hand_over
        self.relisted: set[bytes] = set()
        """Found in its own list while a read was under way. Its reply may have them, too."""
        self._actions: dict[Action, Callable[[Any, float], None]] = {
            Action.SKIP: self._skip,
            Action.DELIVER: self._deliver,
            Action.DROP: self._drop,
            Action.HAND_OVER: self._hand_over,
            Action.REPORT: self._report,
            Action.REPORT_KEEP: self._report,
        }

    def skip_others(self, rows: list[Any], now: float) -> list[Any]:
        """Acknowledge those rows of a read of new entries, ``[entry ID, fields]``, that are for other groups.

        Returns the rest.
        """
        shared = self.shared
        group = shared.names.group
        largest = 0
        skipped: list[bytes] = []
        rest: list[Any] = []
        for row in rows:
            raw = row[1]
            if raw is not None and len(raw) == 12:
                size = len(raw[7])
                if size > largest:
                    largest = size
                if raw[10] == b"destination_group" and raw[11] != group and raw[11]:
                    # Most entries are for other groups: parsing them would waste time.
                    skipped.append(row[0])
                    continue
            rest.append(row)
        if skipped:
            shared.outbox.skip(skipped, now)
        shared.sizes.saw(largest)
        return rest

    def receive(self, rows: list[Any], now: float, since: float) -> None:
        """Take the rows that ``skip_others`` left.

        ``since``: the earliest moment at which Redis can have delivered them.
        """
        relisted = self.relisted
        for entry_id, raw in rows:
            if raw is None:
                # RIPC-ROUTE-12
                self.shared.outbox.skip([entry_id], now)
            elif entry_id not in relisted:
                entry = parse(entry_id, raw)
                # Only entries that are started or kept need the moment since which they are ours.
                mine = entry.__class__ is Entry and entry.status == PENDING
                self.take(entry, now, self._kept_at(entry_id, now, since) if mine else since)

    def _kept_at(self, entry_id: bytes, now: float, since: float) -> float:
        """An entry cannot have been given to us before it was stored."""
        stored_at = int(entry_id.partition(b"-")[0]) / 1000 - self.shared.server_offset
        return max(since, min(now, stored_at))

    def receive_own(self, rows: list[Any], now: float) -> None:
        """Rows of its own consumer's list: responses, as a rule."""
        requests: list[Entry] = []
        for entry_id, raw in rows:
            if raw is None:
                # RIPC-ROUTE-12: it was deleted while it was pending, and only the pending list still names it.
                self.shared.outbox.clean(entry_id, None, now)
                continue
            entry = parse(entry_id, raw)
            if isinstance(entry, Entry) and entry.status == PENDING and self._is_own(entry):
                requests.append(entry)
            else:
                self.take(entry, now, now)
        if requests:
            self.shared.carry_out(self._adopt(requests))

    def _is_own(self, entry: Entry) -> bool:
        return entry.destination_group == self.shared.names.group and entry.entry_id not in self.shared.inflight

    def _adopt(self, requests: list[Entry]) -> Procedure[None]:
        """A request that another client put there is claimed for the dispatcher, and routed (RIPC-GROUP-38)."""
        shared = self.shared
        names = shared.names
        ids = [entry.entry_id for entry in requests]
        looks = [commands.owner_of(names.stream, names.group, id) for id in ids]
        answers = checked((yield [*looks, commands.keep(names.stream, names.group, names.dispatcher, ids)]))
        for entry, look in zip(requests, answers, strict=False):
            row = replies.owner_row(look)
            if row is not None and entry.entry_id in answers[-1]:
                starts = replies.starts_of(row)
                self.take(entry, shared.now, shared.sent_at, starts, starts > 1)

    def take(
        self, entry: Entry | Malformed, now: float, kept_at: float, starts: int = 1, redelivered: bool = False
    ) -> None:
        """One entry that is pending for us."""
        group = self.shared.names.group
        destination = entry.destination_group
        if destination != group and destination:
            self._skip(entry, now)
            return
        if isinstance(entry, Malformed):
            self._actions[route("own" if destination else "none", "malformed", False, False)](entry, now)
            return
        if entry.status == PENDING:
            # The table says RUN, whoever asked (RIPC-ROUTE-1, RIPC-ROUTE-14): most entries that come this far are requests.
            self.responder.request(entry, now, kept_at, starts, redelivered)
            return
        own = entry.instance_id == self.shared.names.instance
        known = own and self.requester.knows(entry.id)
        if known:
            # The table says DELIVER, as for nearly every response (RIPC-ROUTE-5).
            self._deliver(entry, now)
        else:
            self._actions[route("own", "response", own, known)](entry, now)

    def _skip(self, entry: Entry | Malformed, now: float) -> None:
        self.shared.outbox.clean(entry.entry_id, None, now)

    def _deliver(self, entry: Entry, now: float) -> None:
        self.requester.response(entry)
        self.shared.outbox.clean(entry.entry_id, entry.entry_id, now)

    def _drop(self, entry: Entry, now: float) -> None:
        self.shared.outbox.clean(entry.entry_id, entry.entry_id, now)

    def _hand_over(self, entry: Entry, now: float) -> None:
        self.hand_over.take(entry.entry_id, entry.instance_id, now)

    def _report(self, entry: Malformed, now: float) -> None:
        # RIPC-ROUTE-11, RIPC-ODD-7
        self.shared.queue.append(
            Problem("malformed", f"entry {entry.entry_id.decode()}: {entry.problem}", entry.entry_id, entry.fields)
        )
        own = entry.destination_group == self.shared.names.group
        self.shared.outbox.clean(entry.entry_id, entry.entry_id if own else None, now)
