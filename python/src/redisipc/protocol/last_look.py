"""The last look: a response may be stored, but held by a dead or disconnected member (RIPC-TIME-8, RIPC-TIME-9).

One look serves all that are due. It also finds requests that were given up while nobody knew whether they were stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import commands, replies
from .commands import Command, Failure, Step
from .diagnosis import Diagnoser
from .endpoint_state import EndpointState
from .entry import PENDING, Entry, Malformed, parse
from .events import Outgoing

_LOOK_PAGE = 1000
_MOST_LOOKED_AT = 20_000
"""How many entries one look reads at most. Usually its time is over long before."""
_FORGETS_AFTER = 3
"""After so many looks in a row broke the connection, the look forgets abandoned requests (RIPC-RECOV-28)."""


class LastLook:
    """``looking``: requests whose time is over.

    ``abandoned``: given up and perhaps stored, to be found and deleted (RIPC-REQ-12).
    """

    def __init__(
        self, shared: EndpointState, found: Callable[[Entry], bool], found_nothing: Callable[[Outgoing, float], None]
    ) -> None:
        self.shared = shared
        self.looking: dict[bytes, Outgoing] = {}
        self.abandoned: dict[bytes, Outgoing] = {}
        self._found = found
        self._found_nothing = found_nothing
        self._deleting: set[bytes] = set()
        self._running = False
        self._broken = 0
        self.diagnoser: Diagnoser = Diagnoser(shared)

    def add(self, outgoing: Outgoing) -> None:
        self.looking[outgoing.id] = outgoing

    def abandon(self, outgoing: Outgoing) -> None:
        """Given up: as it may be stored, it must be found to be deleted (RIPC-TIME-10)."""
        self.abandoned[outgoing.id] = outgoing

    def deleted(self, outgoing: Outgoing) -> bool:
        """Whether the look deletes it."""
        return outgoing.entry_id in self._deleting

    def stop(self) -> list[Outgoing]:
        """The connection is lost. Returns the requests whose look was under way."""
        self._running = False
        self._deleting.clear()
        looking = list(self.looking.values())
        self.looking.clear()
        return looking

    def begin(self) -> None:
        """Begin a look. If one is under way, another one follows it."""
        if self._running or not self.shared.reachable or not (self.looking or self.abandoned):
            return
        self._running = True
        wanted = self.looking | self.abandoned
        start = min((outgoing.entry_id or outgoing.floor for outgoing in wanted.values()), key=replies.id_parts)
        unsure = any(outgoing.entry_id is None for outgoing in wanted.values())
        self._delete_first(wanted)
        self._page(wanted, start, 0, unsure)

    def _delete_first(self, wanted: dict[bytes, Outgoing]) -> None:
        """RIPC-TIME-13: after the look, no responder may get the request any more."""
        ids = [outgoing.entry_id for outgoing in wanted.values() if outgoing.entry_id is not None]
        if not ids:
            return
        self._deleting.update(ids)
        shared = self.shared

        def done(answers: list[Any], now: float) -> None:
            self._deleting.difference_update(ids)
            if isinstance(answers[0], Failure):
                shared.fail(answers[0])
                again(now)

        def again(now: float) -> None:
            self._deleting.difference_update(ids)
            for id in ids:
                shared.outbox.clean(None, id, now)

        shared.step(Step([commands.delete(shared.names.stream, ids)], done, lambda _sent, now: again(now)))

    def _page(self, wanted: dict[bytes, Outgoing], start: bytes, seen: int, unsure: bool) -> None:
        shared = self.shared
        names = shared.names
        count = shared.sizes.read_count(_LOOK_PAGE)
        first = start if start == b"-" else b"(" + start
        # A body that breaks the connection is left out: what follows it is read next.
        end = shared.breakers.after(start)
        last = "+" if end is None else b"(" + end
        lines: list[Command] = [("XRANGE", names.stream, first, last, "COUNT", count)]
        if unsure:
            # If the stream was created again meanwhile, knowledge about the old one is worthless (RIPC-TIME-14).
            lines.append(("XINFO", "STREAM", names.stream))
        # The questions about the missing answer follow the first page, in the same batch.
        ends = len(lines)
        asked = None if seen else self.diagnoser.ask(self.looking.values(), shared.now)
        if asked is not None:
            lines += self.diagnoser.lines(asked)

        def done(answers: list[Any], now: float) -> None:
            if asked is not None:
                self.diagnoser.take(asked, answers[ends:], now)
            rows = answers[0] if isinstance(answers[0], list) else []
            self._read(rows, now)
            if unsure and self._is_another_stream(answers[1], start):
                self._page(wanted, b"-", seen, False)
                return
            open_ones = any(o.id in self.looking or o.id in self.abandoned for o in wanted.values())
            if len(rows) == count and open_ones and seen + count < _MOST_LOOKED_AT:
                self._page(wanted, rows[-1][0], seen + count, False)
            elif end is not None and open_ones and seen + count < _MOST_LOOKED_AT:
                self._page(wanted, end, seen + count, False)
            else:
                self._over(wanted, now)

        def lost(sent: bool, _now: float) -> None:
            self._broken += sent
            if self._broken >= _FORGETS_AFTER:
                self.abandoned.clear()
                self._broken = 0

        shared.step(Step(lines, done, lost))

    def _is_another_stream(self, reply: Any, start: bytes) -> bool:
        if isinstance(reply, Failure):
            return False
        last = replies.as_bytes(replies.lookup(reply, b"last-generated-id"))
        return replies.id_parts(last) < replies.id_parts(start)

    def _read(self, rows: list[Any], now: float) -> None:
        names = self.shared.names
        largest = 0
        for entry_id, raw in rows:
            if len(raw) > 7 and len(raw[7]) > largest:
                largest = len(raw[7])
            # Most entries of a page are for others: parsing them would waste time.
            if names.instance in raw:
                self._looked_at(parse(entry_id, raw), now)
        if rows:
            self.shared.sizes.saw(largest)

    def _looked_at(self, entry: Entry | Malformed, now: float) -> None:
        shared = self.shared
        if isinstance(entry, Malformed) or entry.instance_id != shared.names.instance:
            return
        if entry.status == PENDING:
            if entry.source_group == shared.names.group:
                self._found_request(entry, now)
        elif entry.destination_group == shared.names.group and self._found(entry):
            shared.outbox.clean(entry.entry_id, entry.entry_id, now)

    def _found_request(self, entry: Entry, now: float) -> None:
        if self.abandoned.pop(entry.id, None) is not None:
            self.shared.outbox.clean(None, entry.entry_id, now)
        elif entry.id in self.looking and self.looking[entry.id].entry_id is None:
            self.looking[entry.id].entry_id = entry.entry_id

    def _over(self, wanted: dict[bytes, Outgoing], now: float) -> None:
        self._running = False
        self._broken = 0
        for outgoing in wanted.values():
            self.abandoned.pop(outgoing.id, None)
            self.looking.pop(outgoing.id, None)
            if outgoing.state == "looking":
                self._found_nothing(outgoing, now)
        self.begin()
