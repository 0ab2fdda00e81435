"""Takes over what other members left behind: two looks, then a claim.

A first look notes who has been holding an entry for too long. A second look follows, some seconds later by our clock.
Only if the same owner still holds the entry then, it is claimed. One look is not enough: Redis' clock may have stepped,
and Redis' own down time counts as idle (RIPC-GROUP-13 to 15).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from . import commands
from .commands import GIVEN_BACK_FROM_MS, RESPONSE_FROM_MS, Command, Failure, Step
from .endpoint_state import EndpointState
from .entry import PENDING, Entry, Malformed, parse
from .events import UP
from .inbox import Inbox
from .redis_errors import PERMANENT, class_of
from .replies import PendingEntry, first_failure, pending_entries, starts_of
from .responder import Responder
from .settings import NEVER
from .siblings import Siblings
from .suspects import Suspect

_LOOK_COUNT = 100
_SPARE = 4
"""A look checks so many more given-back requests than there is room for: the bodies of some may be gone."""


class Reclaimer:
    """Looks at the group's pending list from time to time, and at once when it learns that something was given back."""

    def __init__(self, shared: EndpointState, responder: Responder, siblings: Siblings, inbox: Inbox) -> None:
        self.shared = shared
        self.responder = responder
        self.siblings = siblings
        self.inbox = inbox
        self.next_look: float = NEVER
        self._planned = self._began = 0.0
        self.hold_until: float = 0.0
        self.hold_given_until: float = 0.0
        self._suspects: dict[bytes, Suspect] = {}
        self._unread: dict[bytes, tuple[PendingEntry, bool]] = {}
        """May be responses; and whether each was given back. ``_reading``: the bodies of these are under way."""
        self._reading: dict[bytes, tuple[PendingEntry, bool]] = {}
        self._claiming = 0
        """How many requests are being claimed: each of them needs room."""
        self._cursor = b"-"
        self._looking = self._look_again = self._left_for_room = False
        self.reading: Callable[[float], bool] = lambda _now: False

    # when

    def tick(self, now: float) -> None:
        if now < self.next_look or self.shared.state is not UP:
            return
        settings = self.shared.settings
        if self._looking:
            # It follows right after the one under way: many looks for room must not put it off (RIPC-GROUP-22).
            self.next_look = NEVER
            return
        if now >= self._planned:
            # Never before a second look counts: a third one would come after more than 15 s (RIPC-GROUP-15).
            self._planned = now + settings.look * (1.02 + settings.look_spread * self.shared.random.random())
        # A look at the end of the hold comes between two others and moves neither of them.
        self.next_look = self.hold_until if now < self.hold_until < self._planned else self._planned
        if not self.shared.pauses.lacking("look", now):
            self._look(int(settings.suspect_after * 1000))

    def reset(self, now: float, again: bool) -> None:
        """Connected: Redis counts its down time as idle, so for a while nothing is taken from others (RIPC-RECOV-7).

        ``again``: not for the first time. Then given-back entries are left alone, too: an outage may look like that.
        """
        self._none_came(True, now)
        self._suspects.clear()
        self._unread.clear()
        self._cursor = b"-"
        self.hold_until = self.hold_given_until = now
        self._hold_after_connect(now, again)
        self.next_look = self._planned = now + self.shared.settings.look * self.shared.random.random()

    def _hold_after_connect(self, now: float, again: bool) -> None:
        self.hold_until = now + self.shared.settings.hold
        if again:
            self.hold_given_until = self.hold_until

    def hold(self, now: float) -> None:
        """Redis refused a write: the claims of others may have been refused for as long (RIPC-RECOV-17)."""
        self.hold_until = max(self.hold_until, now + self.shared.settings.hold)
        self._unread.clear()

    def look_for_given_back(self) -> None:
        """A member gave something back, or we have room again (RIPC-GROUP-25, RIPC-GROUP-26).

        This look also covers what others left behind, if it was more than there was room for (RIPC-GROUP-15).
        """
        if self.shared.state is not UP or not self.shared.connected:
            return
        if self.responder.room == 0:
            self.responder.shared_waiting = True
            return
        if self._looking:
            self._look_again = True
            return
        self.responder.shared_waiting = False
        left, self._left_for_room = self._left_for_room, False
        self._look(int(self.shared.settings.suspect_after * 1000) if left else GIVEN_BACK_FROM_MS)

    # a look

    def _look(self, idle_ms: int) -> None:
        self._looking = True
        shared = self.shared
        names = shared.names
        start, count = self._cursor, _LOOK_COUNT
        given_back = idle_ms >= GIVEN_BACK_FROM_MS
        if given_back:
            self.responder.takes_back = True
            start, count = b"-", min(count, self._wanted() * (1 + len(self.siblings.known)))
        proof = [] if given_back else self._proof()

        def done(answers: list[Any], now: float) -> None:
            self._looking = False
            overdue = self.next_look == NEVER
            if overdue:
                self.next_look = now
            failure = first_failure(answers)
            if failure is not None:
                if class_of(failure) is PERMANENT:
                    shared.pauses.forbidden("look", failure, now)
                shared.fail(failure)
                self.responder.taken_back(now)
                return
            rows = list(pending_entries(answers[-1]))
            if not given_back:
                if start == b"-":
                    self._begin(now)
                self._page(rows)
            elif len(rows) == count:
                self.responder.shared_waiting = True
            if not self._choose(rows, now):
                self.responder.taken_back(now)
            if overdue:
                self.tick(now)
            elif self._look_again:
                self._look_again = False
                self.look_for_given_back()

        line = commands.pending(names.stream, names.group, idle_ms, start, count)
        shared.step(Step([*proof, line], done, self._none_came))

    def _none_came(self, _sent: bool, now: float) -> None:
        """The connection was lost."""
        self._looking = self._look_again = self._left_for_room = False
        self._reading, self._claiming = {}, 0
        self.responder.taken_back(now)

    def _proof(self) -> list[Command]:
        """A write before a look: if Redis refuses it, it refuses the claims of others as well (RIPC-GROUP-29).

        While no owner is suspected, the blocking read is enough. It is a write itself, and it is sent again every 2.9 s.
        """
        if not self._suspects and self.reading(self.shared.now):
            return []
        names = self.shared.names
        return [commands.reset_idle(names.stream, names.group, names.dispatcher)]

    def _capacity(self) -> int:
        """How many requests may be taken over now: what can start and, alone in the group, what may queue."""
        responder = self.responder
        if self.siblings or not responder.serving:
            return responder.room
        return responder.room + self.shared.settings.max_queue - len(responder.queue)

    def _wanted(self) -> int:
        """How many given-back requests to look at."""
        return self._capacity() + _SPARE

    def _page(self, rows: list[PendingEntry]) -> None:
        """The next look continues behind this page, so that many live entries never hide a dead one (RIPC-GROUP-22)."""
        if len(rows) == _LOOK_COUNT:
            self._cursor = b"(" + rows[-1].id
            self.next_look = self.shared.up_since
        else:
            self._cursor = b"-"

    # who is lost

    def _begin(self, now: float) -> None:
        """A look through the whole list begins. A suspect that the last one did not list is alive (RIPC-GROUP-14)."""
        self._suspects = {id: suspect for id, suspect in self._suspects.items() if suspect.listed >= self._began}
        self._began = now
        self._unread.clear()

    def _choose(self, rows: list[PendingEntry], now: float) -> bool:
        """Whether some are read, so that they may start soon."""
        lost: list[tuple[float, PendingEntry]] = []
        given: list[PendingEntry] = []
        kept = set(self.inbox.hand_over.kept())
        breakers = self.shared.breakers
        for row in rows:
            if row.id in self.shared.inflight or row.id in kept:
                continue
            given_back = row.idle >= GIVEN_BACK_FROM_MS
            if given_back:
                if now < self.hold_given_until and row.consumer != self.shared.names.dispatcher:
                    continue
                if row.idle < RESPONSE_FROM_MS and breakers.trusts(row.id):
                    given.append(row)
                    continue
            elif not self._is_lost(row, now) or now < self.hold_until:
                continue
            elif (read_at := self._suspects[row.id].read_at) and breakers.trusts(row.id):
                lost.append((read_at, row))
                continue
            if row.id not in self._reading:
                self._unread[row.id] = (row, given_back)
        # The body of a request may be gone by now: those that were read least lately come first (RIPC-GROUP-16).
        read = [(row, False) for _, row in sorted(lost)] + [(row, True) for row in self._chosen(given)]
        read = read[: self.shared.sizes.count(_LOOK_COUNT)]
        if read:
            self._read(read)
        if len(read) < len(lost):
            self._wait_for_room()
        self._read_unread(not read)
        return bool(read)

    def _chosen(self, given: list[PendingEntry]) -> list[PendingEntry]:
        """As many given-back requests as we want, from a random place, so that siblings rarely choose the same."""
        wanted = self._wanted()
        if len(given) <= wanted:
            return given
        self.responder.shared_waiting = True
        start = self.shared.random.randrange(len(given) - wanted + 1)
        return given[start : start + wanted]

    def _is_lost(self, row: PendingEntry, now: float) -> bool:
        """Whether this is the second look at an entry that the same owner has left alone for too long."""
        suspect = self._suspects.get(row.id)
        if suspect is None or suspect.owner != row.consumer:
            suspect = Suspect(row.consumer, now, now)
        self._suspects[row.id] = suspect._replace(listed=now)
        return now - suspect.since >= self._between_looks() and row.idle >= self.shared.settings.reclaim_after * 1000

    def _between_looks(self) -> float:
        return self.shared.settings.between_looks

    # taking over

    def _wait_for_room(self) -> None:
        """There is more than we have room for: as handlers become free, further ones are taken (RIPC-GROUP-15)."""
        self._left_for_room = self.responder.shared_waiting = True

    def _left(self, row: PendingEntry, now: float) -> None:
        """There was no room for this request. It has had its two looks and needs no further ones."""
        suspect = self._suspects.get(row.id)
        if suspect is not None:
            self._suspects[row.id] = suspect._replace(read_at=now)
        self._wait_for_room()

    def _read_unread(self, alone: bool = False) -> None:
        """All of them, some at a time, with or without room. ``alone``: or one that may break the connection."""
        if self._reading or self.shared.state is not UP:
            return
        breakers = self.shared.breakers
        ids = list(islice(filter(breakers.trusts, self._unread), self.shared.sizes.count(_LOOK_COUNT)))
        if alone and not ids:
            ids = breakers.alone(self._unread, self.shared.now)[:1]
        if ids:
            self._reading = {id: self._unread.pop(id) for id in ids}
            self._read([*self._reading.values()], True)

    def _read(self, chosen: list[tuple[PendingEntry, bool]], others_follow: bool = False) -> None:
        """Read the bodies before anything is claimed: acknowledge what is gone, and leave what we have no room for."""
        names = self.shared.names

        def done(answers: list[Any], now: float) -> None:
            room, gone = self._capacity() - self._claiming, False
            free, largest = room, 0
            claims: list[tuple[PendingEntry, bool, Entry | Malformed]] = []
            for (row, given), reply in zip(chosen, answers, strict=True):
                if isinstance(reply, Failure):
                    continue
                if not reply:
                    # RIPC-GROUP-16
                    self.shared.outbox.clean(row.id, None, now)
                    gone = gone or given
                    continue
                largest = max(largest, *map(len, reply[0][1]))
                entry = parse(row.id, reply[0][1])
                if isinstance(entry, Entry) and entry.status == PENDING and entry.destination_group == names.group:
                    if room <= 0:
                        if given:
                            self.responder.shared_waiting = True
                        else:
                            self._left(row, now)
                        continue
                    room -= 1
                self._suspects.pop(row.id, None)
                claims.append((row, given, entry))
            self.shared.sizes.saw(largest)
            if others_follow:
                self._reading = {}
                self._read_unread()
            if claims:
                self._claim(claims, gone, free - room)
                return
            self.responder.taken_back(now)
            if gone:
                self.look_for_given_back()

        self.shared.step(Step([commands.one(names.stream, row.id) for row, _ in chosen], done, self._none_came))

    def _claim(self, claims: list[tuple[PendingEntry, bool, Entry | Malformed]], more: bool, requests: int) -> None:
        """``more``: there may be other given-back requests for the remaining room."""
        shared = self.shared
        self._claiming += requests

        def done(answers: list[Any], now: float) -> None:
            again, refused = more, False
            self._claiming -= requests
            self.responder.takes_back = False
            for (row, given, entry), reply in zip(claims, answers, strict=True):
                if isinstance(reply, list) and row.id in reply:
                    self.inbox.take(entry, now, shared.sent_at, starts_of(row) + (not given), not given)
                elif isinstance(reply, Failure):
                    shared.fail(reply)
                    refused = True
                elif given:
                    # A sibling was faster.
                    again = True
            self.responder.taken_back(now)
            if not refused and (again or self.responder.shared_waiting):
                # No further notice will come, and perhaps no handler ends soon.
                self.look_for_given_back()

        shared.step(Step([self._claim_line(row, given) for row, given, _ in claims], done, self._none_came))

    def _claim_line(self, row: PendingEntry, given: bool) -> Command:
        names, settings = self.shared.names, self.shared.settings
        if given:
            # RIPC-GROUP-27
            return commands.keep(names.stream, names.group, names.dispatcher, [row.id], GIVEN_BACK_FROM_MS)
        # If it is claimed to be rejected, the start count stays.
        starts = min(starts_of(row) + 1, settings.max_starts)
        idle = int(settings.reclaim_after * 1000)
        return commands.take_over(names.stream, names.group, names.dispatcher, row.id, idle, starts)
