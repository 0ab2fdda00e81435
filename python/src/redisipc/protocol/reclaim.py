"""Taking over what others of the group left behind: two looks, then a claim.

A first look notes who has been holding an entry for too long. Only where the same owner still holds it at a second look, some
seconds later by our own clock, it is claimed: Redis' clock may have stepped, and Redis' own down time counts as idle
(RIPC-GROUP-13 to 15).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from . import commands, replies
from .commands import GIVEN_BACK, Command, Failure, Step
from .core import Core
from .entry import PENDING, Entry, Malformed, parse
from .events import UP
from .replies import PendingEntry
from .responder import Responder
from .settings import NEVER

_LOOK_COUNT = 100
_SPARE = 4
"""How many more given-back requests are looked at than there is room for: the bodies of some may be gone."""


def starts_of(row: PendingEntry) -> int:
    """How often a pending entry was started: a dispatcher of ours counts 1 each, a gem's consumer sees 3 deliveries a start.

    RIPC-GROUP-20.
    """
    if row.consumer.startswith(b"consumer_"):
        return -(-row.deliveries // 3)
    return row.deliveries


class Suspect(NamedTuple):
    """Who holds an entry for too long, since which look (monotonic seconds), and at which look it was listed last."""

    owner: bytes
    since: float
    listed: float


class Reclaimer:
    """Looks at the group's pending list now and then, and at once when told that something was given back."""

    def __init__(
        self,
        core: Core,
        responder: Responder,
        receive: Callable[[Entry | Malformed, int, bool, float], None],
        siblings: Callable[[], int],
    ) -> None:
        self.core = core
        self.responder = responder
        self.next_look: float | None = None
        self.hold_until = 0.0
        self._receive = receive
        self._siblings = siblings
        self._suspects: dict[bytes, Suspect] = {}
        self._cursor = b"-"
        self._looking = False
        self._look_again = False

    def due(self) -> float:
        return NEVER if self.next_look is None else self.next_look

    def tick(self, now: float) -> None:
        if self.next_look is None or now < self.next_look or self.core.state is not UP:
            return
        # Never earlier than a second look counts: otherwise it takes a third, and more than 15 s (RIPC-GROUP-15).
        self.next_look = now + self.core.settings.look * (1.02 + 0.1 * self.core.random.random())
        self._look(int(self.core.settings.suspect_after * 1000))

    def look_for_given_back(self) -> None:
        """Somebody gave something back, or we have room again for what we gave back (RIPC-GROUP-25, RIPC-GROUP-26)."""
        if self.core.state is not UP or self.core.without("rule8"):
            return
        if self.responder.room == 0:
            self.responder.shared_waiting = True
            return
        if self._looking:
            self._look_again = True
            return
        self.responder.shared_waiting = False
        self._look(GIVEN_BACK)

    def reset(self, now: float, hold: bool) -> None:
        """Connected (anew: ``hold``): Redis' down time counts as idle, so for a while nothing of others is taken (RIPC-RECOV-7)."""
        self._looking = self._look_again = False
        self._suspects.clear()
        self._cursor = b"-"
        held = hold and not self.core.without("rule3")
        self.hold_until = now + (self.core.settings.claim_after if held else 0.0)
        self.next_look = now + self.core.settings.look * self.core.random.random()

    def _look(self, idle_ms: int) -> None:
        if self._looking:
            return
        self._looking = True
        names = self.core.names
        start, count = self._cursor, _LOOK_COUNT
        if idle_ms >= GIVEN_BACK:
            start, count = b"-", min(count, self._wanted() * (1 + self._siblings()))

        def done(answers: list[Any], now: float) -> None:
            self._looking = False
            if isinstance(answers[0], Failure):
                self.core.fail(answers[0])
                return
            rows = list(replies.pending_entries(answers[0]))
            if idle_ms < GIVEN_BACK:
                self._page(rows)
            elif len(rows) == count:
                self.responder.shared_waiting = True
            self._choose(rows, now)
            if self._look_again:
                self._look_again = False
                self.look_for_given_back()

        def lost(_sent: bool, _now: float) -> None:
            self._looking = self._look_again = False

        self.core.step(Step([commands.pending(names.stream, names.group, idle_ms, start, count)], done, lost))

    def _capacity(self) -> int:
        """How many requests may be taken over now: what can start, and alone in the group what may queue."""
        if self._siblings():
            return self.responder.room
        return self.responder.room + self.core.settings.max_queue - len(self.responder.queue)

    def _wanted(self) -> int:
        """How many requests that were given back to look at."""
        return self._capacity() + _SPARE

    def _page(self, rows: list[PendingEntry]) -> None:
        """Next time go on behind this page, so that many that are kept alive never hide one that is dead (RIPC-GROUP-22)."""
        if len(rows) == _LOOK_COUNT and not self.core.without("rule4"):
            self._cursor = b"(" + rows[-1].id
            self.next_look = min(self.next_look or 0.0, self.core.up_since)
        else:
            self._cursor = b"-"

    def _choose(self, rows: list[PendingEntry], now: float) -> None:
        # Who was not listed again at the looks in between is no suspect any more: it was kept alive.
        lapsed = now - 2.5 * self.core.settings.look
        for id in [id for id, suspect in self._suspects.items() if suspect.listed < lapsed]:
            del self._suspects[id]
        chosen: list[tuple[PendingEntry, bool]] = []
        given: list[PendingEntry] = []
        for row in rows:
            if row.id in self.core.inflight:
                continue
            if row.idle >= GIVEN_BACK and not self.core.without("rule8"):
                given.append(row)
                continue
            if now < self.hold_until:
                continue
            if self._is_lost(row, now):
                chosen.append((row, False))
        chosen += [(row, True) for row in self._some(given)]
        if chosen:
            self._read(chosen)

    def _some(self, given: list[PendingEntry]) -> list[PendingEntry]:
        """As many as we want of what was given back, from anywhere in it, so that siblings who look too seldom meet."""
        wanted = self._wanted()
        if len(given) <= wanted:
            return given
        self.responder.shared_waiting = True
        start = self.core.random.randrange(len(given) - wanted + 1)
        return given[start : start + wanted]

    def _is_lost(self, row: PendingEntry, now: float) -> bool:
        """Whether this is the second look at an entry that the same owner has left alone for too long."""
        settings = self.core.settings
        suspect = self._suspects.get(row.id)
        if suspect is None or suspect.owner != row.consumer:
            suspect = Suspect(row.consumer, now, now)
        self._suspects[row.id] = suspect._replace(listed=now)
        looked_twice = now - suspect.since >= settings.second_look or self.core.without("rule4")
        if not looked_twice or row.idle < settings.claim_after * 1000:
            return False
        del self._suspects[row.id]
        return True

    def _read(self, chosen: list[tuple[PendingEntry, bool]]) -> None:
        """Read the bodies before anything is claimed: what is gone is acknowledged, what we have no room for is left."""
        names = self.core.names

        def done(answers: list[Any], now: float) -> None:
            room = self._capacity()
            gone = False
            claims: list[tuple[PendingEntry, bool, Entry | Malformed]] = []
            for (row, given), reply in zip(chosen, answers, strict=True):
                if isinstance(reply, Failure):
                    continue
                if not reply:
                    # RIPC-GROUP-16
                    self.core.outbox.clean(row.id, None, now)
                    gone = gone or given
                    continue
                entry = parse(row.id, reply[0][1])
                if isinstance(entry, Entry) and entry.status == PENDING:
                    if room <= 0:
                        self.responder.shared_waiting = True
                        continue
                    room -= 1
                claims.append((row, given, entry))
            if claims:
                self._claim(claims, gone)
            elif gone:
                self.look_for_given_back()

        self.core.step(Step([commands.one(names.stream, row.id) for row, _ in chosen], done))

    def _claim(self, claims: list[tuple[PendingEntry, bool, Entry | Malformed]], more: bool) -> None:
        """``more``: there may be other given-back requests for the room that is left."""
        names, settings = self.core.names, self.core.settings
        lines: list[Command] = []
        for row, given, _ in claims:
            if given:
                # RIPC-GROUP-27
                lines.append(commands.claim(names.stream, names.group, names.dispatcher, row.id, GIVEN_BACK))
            else:
                starts = starts_of(row) + 1
                idle = int(settings.claim_after * 1000)
                lines.append(commands.claim(names.stream, names.group, names.dispatcher, row.id, idle, starts))

        def done(answers: list[Any], now: float) -> None:
            again = more
            for (row, given, entry), reply in zip(claims, answers, strict=True):
                if isinstance(reply, list) and row.id in reply:
                    self._receive(entry, starts_of(row) + (0 if given else 1), not given, now)
                elif given and isinstance(reply, list):
                    # A sibling was faster.
                    again = True
            if again or self.responder.shared_waiting:
                # Nobody will tell us again, and no handler may end soon.
                self.look_for_given_back()

        self.core.step(Step(lines, done))
