"""Finds responses among requests that nobody has room for: only their bodies tell which is which.

A member takes responses without room, too (RIPC-GROUP-17, RIPC-GROUP-25). Bodies may be large, so each is read once: the
IDs of requests are remembered for as long as the group's pending list shows them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from . import commands
from .commands import Command, Failure, Step
from .endpoint_state import EndpointState
from .entry import PENDING, Entry, Malformed, parse
from .inbox import Inbox
from .replies import PendingEntry

_READ_AT_ONCE = 100
MOST_REQUESTS_KNOWN = 10_000
"""How many IDs of requests are remembered at most. The bodies of further ones are read at each look."""


Left = tuple[PendingEntry, bool]
"""An entry that another member left, and whether it was given back. If not, its owner is dead."""


class ResponseSearch:
    """Reads what the looks list and nobody has read, some bodies at a time, and claims what is not a request.

    ``claim``: the command that claims an entry. ``reading``: bodies are under way. ``alone``: one that may break the connection.
    """

    def __init__(self, shared: EndpointState, inbox: Inbox, claim: Callable[[PendingEntry, bool], Command]) -> None:
        self.shared = shared
        self.inbox = inbox
        self._claim_line = claim
        self._requests: dict[bytes, int] = {}
        """Which look through the list showed each of them last, or found out that it is a request."""
        self._unread: dict[bytes, Left] = {}
        self._look = 0
        self.reading: bool = False
        self.alone: bool = False

    def reset(self) -> None:
        """Connected: Redis may have lost entries, and given their IDs to others."""
        self._requests.clear()
        self._unread.clear()
        self.reading = self.alone = False

    def request(self, id: bytes) -> None:
        """This entry is a request."""
        if id in self._requests or len(self._requests) < MOST_REQUESTS_KNOWN:
            self._requests[id] = self._look

    def begin(self) -> None:
        """A look through the whole list begins: forget what the last one did not show."""
        self._requests = {id: look for id, look in self._requests.items() if look == self._look}
        self._unread.clear()
        self._look += 1

    def among(self, lost: list[PendingEntry], given: list[PendingEntry], read: list[Left]) -> None:
        """One page of the look. The bodies of ``read`` are read anyway."""
        ids = {row.id for row, _ in read}
        for row, back in [(row, False) for row in lost] + [(row, True) for row in given]:
            if row.id in self._requests:
                self._requests[row.id] = self._look
            elif row.id not in ids:
                self._unread[row.id] = (row, back)

    def _next(self) -> list[Left]:
        """Those whose bodies are read together, or one that is read alone (RIPC-RECOV-28)."""
        shared = self.shared
        breakers, count = shared.breakers, shared.sizes.count(_READ_AT_ONCE)
        trusted = breakers.trusted(self._unread) if breakers else self._unread
        ids = list(islice(trusted, count))
        if not ids:
            ids = breakers.alone(self._unread, shared.now)[:1]
            self.alone = bool(ids)
        return [self._unread.pop(id) for id in ids]

    def read(self) -> None:
        """Read the next ones, unless some are under way."""
        chosen = [] if self.reading else self._next()
        if not chosen:
            return
        self.reading = True
        shared = self.shared

        def done(answers: list[Any], now: float) -> None:
            self.reading = self.alone = False
            found: list[tuple[Left, Entry | Malformed]] = []
            for (row, given), reply in zip(chosen, answers, strict=True):
                if isinstance(reply, Failure):
                    continue
                if not reply:
                    # RIPC-GROUP-16
                    shared.outbox.clean(row.id, None, now)
                    continue
                fields = reply[0][1]
                shared.sizes.saw(max(map(len, fields), default=0))
                entry = parse(row.id, fields)
                if isinstance(entry, Entry) and entry.status == PENDING:
                    self.request(row.id)
                else:
                    found.append(((row, given), entry))
            if found:
                self._claim(found)
            self.read()

        def lost(_sent: bool, _now: float) -> None:
            self.reading = self.alone = False
            self._unread.clear()

        shared.step(Step([commands.one(shared.names.stream, row.id) for row, _ in chosen], done, lost))

    def _claim(self, found: list[tuple[Left, Entry | Malformed]]) -> None:
        shared = self.shared

        def done(answers: list[Any], now: float) -> None:
            for ((row, _), entry), reply in zip(found, answers, strict=True):
                if isinstance(reply, list) and row.id in reply:
                    self.inbox.take(entry, now, shared.sent_at)
                elif isinstance(reply, Failure):
                    shared.fail(reply)

        shared.step(Step([self._claim_line(*left) for left, _ in found], done))
