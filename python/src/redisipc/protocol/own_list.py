"""Its own consumer's pending list: responses that others handed to this instance (RIPC-GROUP-3, RIPC-GROUP-4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import commands, replies
from .commands import Failure, Step
from .endpoint_state import EndpointState
from .redis_errors import PERMANENT, class_of
from .restoring import PENDING_PAGE
from .settings import NEVER
from .siblings import Siblings

_ALONE_AFTER = 2
"""After so many reads in a row ended with a broken connection, each body is read alone."""


class OwnList:
    """Reads it often while responses may be put there. ``busy``: whether requests of this instance are outstanding."""

    def __init__(
        self,
        shared: EndpointState,
        siblings: Siblings,
        receive: Callable[[list[Any], float], None],
        busy: Callable[[], bool],
    ) -> None:
        self.shared = shared
        self.siblings = siblings
        self.next_poll: float | None = None
        self._receive = receive
        self._busy = busy
        self._polling = False
        self._broken = 0
        """How many reads in a row ended with a broken connection."""
        self._last_sent = 0.0

    def due(self) -> float:
        return NEVER if self.next_poll is None else self.next_poll

    def tick(self, now: float) -> None:
        if self.next_poll is not None and now >= self.next_poll:
            self.poll(now)

    def sent(self, now: float) -> None:
        """A request goes out: its response may be put into its own list soon."""
        due = self.next_poll
        if due is not None and now == self._last_sent:
            # It was planned for a request that is sent together with this one.
            return
        self._last_sent = now
        if due is None or (due > now + self.shared.settings.poll and due > now + self._interval(now)):
            self.next_poll = None
            self.plan(now)

    def plan(self, now: float) -> None:
        """While requests are outstanding, also if alone: a sibling that joined just now may hand us a response."""
        if not self._busy():
            self.next_poll = None
        elif self.next_poll is None and not self._polling:
            self.next_poll = now + self._interval(now)

    def _interval(self, now: float) -> float:
        settings = self.shared.settings
        if not self.siblings or (self.shared.listening and self.siblings.all_wake()):
            return settings.poll_with_wakeups
        # The longer a response takes, the less a small delay matters, and the more useless reads there would be.
        return min(settings.poll_most, max(settings.poll, settings.poll_share * (now - self._last_sent)))

    def poll(self, now: float) -> None:
        shared = self.shared
        self.next_poll = None
        if self._polling or not shared.connected:
            return
        if shared.pauses.lacking("own list", now):
            # Tried again when Redis may permit it (RIPC-RECOV-27): nothing else would cause the next read.
            self.next_poll = shared.pauses.until("own list") if self._busy() else None
            return
        self._polling = True
        names = shared.names
        if self._broken >= _ALONE_AFTER:
            self._move()
            return
        count = shared.sizes.count(shared.settings.read_count)

        def done(answers: list[Any], at: float) -> None:
            self._polling = False
            if isinstance(answers[0], Failure):
                if class_of(answers[0]) is PERMANENT:
                    shared.pauses.forbidden("own list", answers[0], at)
                shared.fail(answers[0])
                self.plan(at)
                return
            self._broken = 0
            entries = replies.read_entries(answers[0])
            self._receive(entries, at)
            if len(entries) >= count:
                self.poll(at)
            else:
                self.plan(at)

        def lost(sent: bool, _now: float) -> None:
            self._polling = False
            self._broken += sent

        shared.step(Step([commands.read_own(names.stream, names.group, names.consumer, count)], done, lost))

    def _move(self) -> None:
        """One of the bodies may break the connection: they go to the dispatcher's list, where each is read alone.

        RIPC-RECOV-28. Neither command reads a body.
        """
        shared = self.shared
        names = shared.names

        def listed(answers: list[Any], at: float) -> None:
            ids = [] if isinstance(answers[0], Failure) else [row.id for row in replies.pending_entries(answers[0])]
            if not ids:
                moved(answers, at)
                return
            for id in ids:
                shared.breakers.suspect(id)
            shared.step(Step([commands.keep(names.stream, names.group, names.dispatcher, ids)], moved, lost))

        def moved(answers: list[Any], at: float) -> None:
            self._polling = False
            if isinstance(answers[0], Failure):
                shared.fail(answers[0])
            else:
                self._broken = 0
                shared.breakers.due = at
            self.plan(at)

        def lost(_sent: bool, _now: float) -> None:
            self._polling = False

        shared.step(Step([commands.pending_of(names.stream, names.group, names.consumer, PENDING_PAGE)], listed, lost))

    def reset(self) -> None:
        """The connection is new, so no read is under way."""
        self._polling = False
        self.next_poll = None
