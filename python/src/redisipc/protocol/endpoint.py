"""The object that a runtime holds: it joins the parts and decides nothing about entries itself.

Two lanes lead to Redis, each a connection of its own. On the write lane one batch at a time is under way; on the read lane one
blocking read. A runtime asks ``next_batch`` and ``next_read``, reports what became of them, drains ``events`` after each call
and calls ``tick`` at ``deadline``. Times are monotonic seconds that the caller hands in. Not thread-safe: hold one lock.
"""

from __future__ import annotations

import random
from typing import Any

from . import commands, replies
from .closing import Closing
from .commands import Batch, Failure, Read
from .events import CLOSED, CLOSING, DOWN, JOINING, NEW, UP, Event, Incoming, Outgoing, State
from .link import Link
from .parts import Parts
from .settings import NEVER, Settings

_LEAST_READ = 8
"""How many entries are read at once where nothing could start: responses go on."""


class Endpoint:
    """One instance of one group on one stream. See the module's text for the contract with a runtime."""

    def __init__(self, settings: Settings, source: random.Random) -> None:
        self.settings = settings
        self.parts = Parts(settings, source)
        self.core = self.parts.core
        self.link = Link(self.parts)
        self.closing = Closing(self.parts, self.link)
        self._requester = self.parts.requester
        self._responder = self.parts.responder
        self._writing: Batch | None = None
        self._reading: Read | None = None

    # what a runtime may look at

    @property
    def instance(self) -> str:
        """6 lower-case hex characters; may change until the endpoint has joined."""
        return self.core.names.instance.decode()

    @property
    def state(self) -> State:
        return self.core.state

    @property
    def outstanding(self) -> int:
        """Requests sent that have no outcome yet."""
        return len(self._requester.outstanding)

    @property
    def inflight(self) -> int:
        """Requests received that are neither answered nor gone."""
        return len(self.core.inflight)

    def wakeup_channels(self) -> list[bytes]:
        """Pub/sub channels to listen to, once joined."""
        return [self.core.names.wakeup, self.core.names.group_wakeup]

    # calls of the user

    def start(self, now: float) -> None:
        """Begin to connect. Ends in ``StateChanged(UP)``."""
        self.core.now = now
        self.link.join()

    def send(self, text: bytes, destination: str, timeout: float, now: float) -> Outgoing:
        """Ask ``destination`` (a group). Exactly one ``Finished`` follows, by ``timeout`` + 1 seconds (G1)."""
        outgoing = self._requester.send(text, destination, timeout, now)
        self.parts.presence.sent(now)
        return outgoing

    def cancel(self, outgoing: Outgoing, now: float) -> None:
        """Give a request up: it ends as cancelled and is deleted, which its handler learns within 3 seconds."""
        self._requester.cancel(outgoing, now)

    def answer(self, incoming: Incoming, status: str, text: bytes, now: float) -> None:
        """Answer with status ``fulfilled`` or ``rejected``. Raises ``AlreadyAnswered``."""
        self._responder.answer(incoming, status.encode(), text, now)

    def handler_done(self, incoming: Incoming, now: float) -> None:
        """The handler returned: its place is free. An unanswered request stays ours until ``answer`` or ``forget``."""
        self._responder.handler_done(incoming, now)

    def forget(self, incoming: Incoming, now: float) -> None:
        """The handler will never answer: the request is dropped and its requester times out."""
        self._responder.forget(incoming, now)

    def close(self, now: float, grace: float) -> None:
        """Stop taking requests, let handlers and own requests end for up to ``grace`` seconds, leave. ``Closed`` follows."""
        self.core.now = now
        self.closing.begin(now, grace)

    # the write lane

    def next_batch(self, now: float) -> Batch | None:
        """What to write now, or None. The next one is given only after this one is done or lost."""
        core = self.core
        core.now = now
        if self._writing is not None or core.state is NEW or core.state is CLOSED:
            return None
        if core.state is CLOSING:
            self.closing.go_on(self._reading is not None, now)
            if self.state is CLOSED:
                return None
        if self.link.busy:
            if now >= self.link.retry_at:
                self._writing = self.link.batch(self._reading is not None)
        else:
            self._writing = core.outbox.take(self.link.epoch, now, now >= core.write_blocked_until)
        return self._writing

    def batch_done(self, batch: Batch, answers: list[Any], now: float) -> None:
        """All replies came, in order; an error reply is a ``Failure``."""
        self.core.now = now
        self._writing = None
        position = 0
        for step in batch.steps:
            end = position + len(step.commands)
            step.done(answers[position:end], now)
            position = end
        if self.core.failure is not None:
            self.link.after_failure(now)

    def batch_lost(self, batch: Batch, sent: bool, reason: str, now: float, permanent: bool = False) -> None:
        """No connection (``sent`` False), or it broke after something was written: what was executed is unknown.

        ``permanent``: Redis refuses the connection, and only the user can mend it.
        """
        self.core.now = now
        self._writing = None
        for step in batch.steps:
            if step.lost is not None:
                step.lost(sent, now)
        self.link.down(reason, now, permanent)
        if self.core.state is CLOSING:
            self.closing.finish(f"the endpoint was closed; Redis could not be reached: {reason}")

    # the read lane

    def next_read(self, now: float) -> Read | None:
        """The blocking read to send now, or None."""
        core = self.core
        core.now = now
        if self._reading is not None or self.link.talk is not None or self.link.read_lost:
            return None
        if core.state is not UP and not (core.state is CLOSING and self.closing.draining):
            return None
        if self._responder.answers.refused:
            # RIPC-RESP-16: answers wait for memory at Redis, nothing new is taken meanwhile.
            return None
        names, settings = core.names, self.settings
        count = settings.read_count
        if self.parts.presence.siblings:
            # What could not start would only be given back: that costs three commands more, and a sibling could read it now.
            count = min(count, max(_LEAST_READ, self._responder.room))
        command = commands.read_new(names.stream, names.group, names.dispatcher, count, settings.block)
        self._reading = Read(command, settings.block, self.link.epoch)
        return self._reading

    def read_done(self, read: Read, answer: Any, now: float) -> None:
        """The blocking read returned: entries, nothing, or a ``Failure``."""
        core = self.core
        core.now = now
        self._reading = None
        if isinstance(answer, Failure):
            core.fail(answer)
            self.link.after_failure(now)
        else:
            rows = replies.read_entries(answer)
            if rows:
                core.last_read = rows[-1][0]
                self.parts.inbox.receive(rows, now)
        if self.parts.inbox.relisted:
            self.parts.inbox.relisted.clear()

    def read_lost(self, read: Read, reason: str, now: float, permanent: bool = False) -> None:
        """The read failed, was cancelled or timed out: its entries, if any, wait in the own pending list."""
        self.core.now = now
        self._reading = None
        self.parts.inbox.relisted.clear()
        if self.core.without("rule2"):
            self.link.epoch += 1
            return
        self.link.read_lost = True
        if self.core.state is not CLOSING:
            self.link.down(reason, now, permanent)

    # hints

    def listening(self, on: bool, now: float) -> None:
        """Whether wake-ups reach this instance; others are told, and the own list is polled less often while they do."""
        self.core.now = now
        if on is self.core.listening:
            return
        self.core.listening = on
        if self.core.state is UP:
            self.parts.presence.announce()
            if self._requester.outstanding:
                self.parts.presence.poll(now)

    def woken(self, channel: bytes, now: float) -> None:
        """A wake-up came on ``channel``: look at once. Nothing but latency depends on it."""
        self.core.now = now
        if self.core.state is not UP:
            return
        presence = self.parts.presence
        if channel == self.core.names.wakeup:
            presence.poll(now)
        else:
            self.parts.reclaimer.look_for_given_back()
            if presence.next_refresh is not None:
                presence.next_refresh = min(presence.next_refresh, now + 0.5)

    # time

    def deadline(self) -> float | None:
        """When to call ``tick`` and ``next_batch``; a time in the past means at once."""
        core = self.core
        state = core.state
        if state is NEW or state is CLOSED:
            return None
        parts, first = self.parts, self._requester.due()
        if self._writing is None:
            if self.link.talk is not None or state is DOWN or state is JOINING:
                first = min(first, self.link.retry_at)
            else:
                writes = core.now >= core.write_blocked_until
                first = min(first, core.outbox.due(writes))
                if not writes:
                    first = min(first, core.write_blocked_until)
            if state is CLOSING:
                # While a batch is under way the next step waits for it.
                first = min(first, self.closing.due())
        if state is UP:
            first = min(first, parts.presence.due(), parts.reclaimer.due(), parts.keepalive.due())
        elif state is CLOSING:
            first = min(first, parts.keepalive.due())
        return None if first == NEVER else first

    def tick(self, now: float) -> None:
        """Do what is due."""
        core = self.core
        core.now = now
        if core.state is NEW or core.state is CLOSED:
            return
        self._requester.tick(now)
        self.parts.keepalive.tick(now)
        if core.state is UP:
            self.parts.presence.tick(now)
            self.parts.reclaimer.tick(now)
        elif core.state is CLOSING and self._writing is None:
            self.closing.go_on(self._reading is not None, now)

    def events(self) -> list[Event]:
        """What happened since the last call."""
        queue = self.core.queue
        if queue:
            self.core.queue = []
        return queue
