"""Takes over what other members left behind: two looks, then a claim.

A first look notes who has been holding an entry for too long. A second look follows, some seconds later by our clock.
Only if the same owner still holds the entry then, it is claimed. One look is not enough: Redis' clock may have stepped,
and Redis' own down time counts as idle (RIPC-GROUP-13 to 15).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import commands
from .commands import GIVEN_BACK_FROM_MS, RESPONSE_FROM_MS, Command, Failure, Step
from .endpoint_state import EndpointState
from .entry import PENDING, Entry, Malformed, parse
from .events import UP
from .inbox import Inbox
from .redis_errors import PERMANENT, class_of
from .replies import PendingEntry, pending_entries, starts_of
from .responder import Responder
from .settings import NEVER
from .siblings import Siblings
from .suspects import Suspect

_LOOK_COUNT = 100
_LOOK_AGAIN = 0.05
"""Seconds until the next attempt to look, if a look is under way."""
_SPARE = 4
"""A look checks so many more given-back requests than there is room for: the bodies of some may be gone."""


class Reclaimer:
    """Looks at the group's pending list from time to time, and at once when it learns that something was given back."""

    def __init__(self, shared: EndpointState, responder: Responder, siblings: Siblings, inbox: Inbox) -> None:
        self.shared = shared
        self.responder = responder
        self.siblings = siblings
        self.inbox = inbox
        self.next_look: float | None = None
        self._planned = 0.0
        self.hold_until: float = 0.0
        self.hold_given_until: float = 0.0
        self._suspects: dict[bytes, Suspect] = {}
        self._responses: dict[bytes, tuple[PendingEntry, bool]] = {}
        """Listed with the mark of responses, and not read yet. ``_taking``: the next ones are being read."""
        self._cursor = b"-"
        self._looking = self._look_again = self._left_for_room = self._taking = False
        self.reading: Callable[[float], bool] = lambda _now: False

    # when

    def due(self) -> float:
        return NEVER if self.next_look is None else self.next_look

    def tick(self, now: float) -> None:
        if self.next_look is None or now < self.next_look or self.shared.state is not UP:
            return
        settings = self.shared.settings
        if self._looking:
            self.next_look = now + _LOOK_AGAIN
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

        ``again``: not for the first time. Then given-back requests are left alone, too: an outage may have made them
        look so.
        """
        self._none_came(True, now)
        self._left_for_room = False
        self._suspects.clear()
        self._responses.clear()
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
        if self._looking:
            return
        self._looking = True
        shared = self.shared
        names = shared.names
        start, count = self._cursor, _LOOK_COUNT
        given_back = idle_ms >= GIVEN_BACK_FROM_MS
        if given_back:
            self.responder.takes_back = True
            start, count = b"-", min(count, self._wanted() * (1 + len(self.siblings.known)))
        lines = [commands.pending(names.stream, names.group, idle_ms, start, count)]
        if not given_back:
            lines = [*self._proof(), *lines]

        def done(answers: list[Any], now: float) -> None:
            self._looking = False
            failure = next((answer for answer in answers if isinstance(answer, Failure)), None)
            if failure is not None:
                if class_of(failure) is PERMANENT:
                    shared.pauses.forbidden("look", failure, now)
                shared.fail(failure)
                self.responder.taken_back(now)
                return
            rows = list(pending_entries(answers[-1]))
            if not given_back:
                if start == b"-" and len(rows) < count:
                    self._forget_all_but({row.id for row in rows})
                self._page(rows)
            elif len(rows) == count:
                self.responder.shared_waiting = True
            if not self._choose(rows, now):
                self.responder.taken_back(now)
            if self._look_again:
                self._look_again = False
                self.look_for_given_back()

        shared.step(Step(lines, done, self._none_came))

    def _none_came(self, _sent: bool, now: float) -> None:
        """The connection was lost."""
        self._looking = self._look_again = self._taking = False
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
            self.next_look = min(self.next_look or 0.0, self.shared.up_since)
        else:
            self._cursor = b"-"

    # who is lost

    def _forget_all_but(self, listed: set[bytes]) -> None:
        """A suspect that is not in the whole list is alive, and is forgotten (RIPC-GROUP-14)."""
        self._suspects = {id: suspect for id, suspect in self._suspects.items() if id in listed}

    def _choose(self, rows: list[PendingEntry], now: float) -> bool:
        """Whether some are read, so that they may start soon. A suspect that a look in between did not list was kept alive."""
        lapsed = now - 2.5 * self.shared.settings.look
        for id in [id for id, suspect in self._suspects.items() if suspect.listed < lapsed]:
            del self._suspects[id]
        lost: list[PendingEntry] = []
        given: list[PendingEntry] = []
        kept = set(self.inbox.hand_over.kept())
        breakers = self.shared.breakers
        for row in rows:
            if row.id in self.shared.inflight or row.id in kept:
                continue
            if row.idle >= GIVEN_BACK_FROM_MS:
                if now >= self.hold_given_until or row.consumer == self.shared.names.dispatcher:
                    if row.idle >= RESPONSE_FROM_MS and breakers.trusted((row.id,)):
                        self._responses[row.id] = (row, True)
                    else:
                        given.append(row)
            elif self._is_lost(row, now) and now >= self.hold_until:
                lost.append(row)
        read = self._readable([(row, False) for row in lost] + [(row, True) for row in self._chosen(given)], now)
        if read:
            self._read(read, {row.id: self._suspects.pop(row.id) for row, given_back in read if not given_back})
        if len(read) < sum(not breakers.waits(row.id, now) for row in lost):
            self._wait_for_room()
        self._read_responses()
        return bool(read)

    def _readable(self, chosen: list[tuple[PendingEntry, bool]], now: float) -> list[tuple[PendingEntry, bool]]:
        """Those whose bodies are read together, or one that is read alone, since it may break the connection."""
        breakers = self.shared.breakers
        if not breakers:
            return chosen[: self.shared.sizes.count(_LOOK_COUNT)]
        by_id = {row.id: (row, given) for row, given in chosen}
        ids = breakers.trusted(by_id)[: self.shared.sizes.count(_LOOK_COUNT)]
        if not ids and not self._responses and not self._taking:
            ids = breakers.alone(by_id, now)[:1]
        return [by_id[id] for id in ids]

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
        settings = self.shared.settings
        suspect = self._suspects.get(row.id)
        if suspect is None or suspect.owner != row.consumer:
            suspect = Suspect(row.consumer, now, now)
        self._suspects[row.id] = suspect._replace(listed=now)
        return now - suspect.since >= self._between_looks() and row.idle >= settings.reclaim_after * 1000

    def _between_looks(self) -> float:
        return self.shared.settings.between_looks

    # taking over

    def _wait_for_room(self) -> None:
        """There is more than we have room for: as handlers become free, further ones are taken (RIPC-GROUP-15)."""
        self._left_for_room = self.responder.shared_waiting = True

    def _left(self, row: PendingEntry, suspect: Suspect) -> None:
        """There was no room for it, but it has had its two looks and needs no further ones."""
        self._suspects.setdefault(row.id, suspect)
        self._wait_for_room()

    def _read_responses(self) -> None:
        """All of them, some at a time. They need no room (RIPC-GROUP-25). A request with their mark needs it as any other."""
        if self._responses and not self._taking:
            self._taking = True
            ids = list(self._responses)[: self.shared.sizes.count(_LOOK_COUNT)]
            self._read([self._responses.pop(id) for id in ids], {}, True)

    def _read(
        self, chosen: list[tuple[PendingEntry, bool]], suspects: dict[bytes, Suspect], responses: bool = False
    ) -> None:
        """Read the bodies before anything is claimed: acknowledge what is gone, and leave what we have no room for."""

        def done(answers: list[Any], now: float) -> None:
            room, gone = self._capacity(), False
            if responses:
                self._taking = False
                self._read_responses()
            claims: list[tuple[PendingEntry, bool, Entry | Malformed]] = []
            for (row, given), reply in zip(chosen, answers, strict=True):
                if isinstance(reply, Failure):
                    continue
                if not reply:
                    # RIPC-GROUP-16
                    self.shared.outbox.clean(row.id, None, now)
                    gone = gone or given
                    continue
                entry = parse(row.id, reply[0][1])
                if isinstance(entry, Entry) and entry.status == PENDING:
                    if room <= 0:
                        if given:
                            self.responder.shared_waiting = True
                        else:
                            self._left(row, suspects[row.id])
                        continue
                    room -= 1
                claims.append((row, given, entry))
            if claims:
                self._claim(claims, gone)
                return
            self.responder.taken_back(now)
            if gone:
                self.look_for_given_back()

        stream = self.shared.names.stream
        self.shared.step(Step([commands.one(stream, row.id) for row, _ in chosen], done, self._none_came))

    def _claim(self, claims: list[tuple[PendingEntry, bool, Entry | Malformed]], more: bool) -> None:
        """``more``: there may be other given-back requests for the remaining room."""
        shared = self.shared

        def done(answers: list[Any], now: float) -> None:
            again, refused = more, False
            self.responder.takes_back = False
            for (row, given, entry), reply in zip(claims, answers, strict=True):
                if isinstance(reply, list) and row.id in reply:
                    starts = starts_of(row) + (0 if given else 1)
                    self.inbox.take(entry, now, shared.sent_at, starts, not given)
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
