"""The object that a runtime uses. It connects the parts, and decides nothing about entries itself.

Two connections lead to Redis. On the one for writing, one batch at a time is under way; on the one for reading, one blocking
read. A runtime asks ``next_batch`` and ``next_read``, reports the results, drains ``events`` after each call
and calls ``tick`` at ``deadline``. Times are monotonic seconds that the caller hands in. Not thread-safe: one thread uses it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from . import commands, replies
from .closing import Closing
from .commands import Batch, Failure, Read
from .endpoint_state import EndpointState
from .events import CLOSED, CLOSING, NEW, UP, Event, Incoming, Outgoing, State, Unblock
from .lifecycle import Lifecycle
from .mending import mend
from .reading import Reading
from .redis_errors import PERMANENT, class_of
from .settings import LONGEST_BLOCK, NEVER, Settings
from .timers import Timers
from .wiring import Wiring


class Endpoint:
    """One instance of one group on one stream. The module's docstring has the contract with a runtime."""

    def __init__(self, settings: Settings, source: random.Random) -> None:
        self.settings = settings
        self.wiring: Wiring = Wiring(settings, source)
        self.shared: EndpointState = self.wiring.shared
        self.lifecycle: Lifecycle = Lifecycle(self.wiring)
        self.closing: Closing = Closing(self.wiring, self.lifecycle)
        self._requester = self.wiring.requester
        self._responder = self.wiring.responder
        self._reads = Reading(self.wiring, self.lifecycle, self.closing)
        self._writing: Batch | None = None
        self._reading: Read | None = None
        self.timers: Timers = Timers(self.shared, self.wiring, self.lifecycle, self.closing)
        self.wiring.reclaimer.reading = self._is_reading

    # for a runtime to read

    @property
    def instance(self) -> str:
        """6 lower-case hex characters; may change until the endpoint has joined."""
        return self.shared.names.instance.decode()

    @property
    def state(self) -> State:
        return self.shared.state

    @property
    def outstanding(self) -> int:
        """Requests sent that have no outcome yet."""
        return len(self._requester.outstanding)

    @property
    def inflight(self) -> int:
        """Requests received that are neither answered nor gone."""
        return len(self.shared.inflight)

    def wakeup_channels(self) -> list[bytes]:
        """Pub/sub channels to listen to, once joined."""
        return [self.shared.names.wakeup, self.shared.names.group_wakeup]

    # calls of the user

    def start(self, now: float) -> None:
        """Begin to connect. Ends in ``StateChanged(UP)``."""
        self.shared.called(now)
        self.lifecycle.join()

    def check_send(self, destination: str, timeout: float) -> float:
        """Raise what ``send`` would raise, except for ``Overloaded``, and change nothing. Returns the timeout as a float."""
        return self._requester.check(destination, timeout)

    def send(
        self, text: bytes, destination: str, timeout: float, now: float, request_id: bytes | None = None
    ) -> Outgoing:
        """Ask ``destination`` (a group). Exactly one ``Finished`` follows, by ``timeout`` + 1 seconds (G1)."""
        outgoing = self._requester.send(text, destination, timeout, now, request_id)
        self.wiring.own_list.sent(now)
        self.wiring.registration.sooner(now + self.settings.refresh_busy)
        return outgoing

    def cancel(self, outgoing: Outgoing, now: float) -> None:
        """Give a request up: it ends as cancelled and is deleted. Its handler learns this within 3 seconds."""
        self._requester.cancel(outgoing, now)
        self._requester.last_look.begin()

    def answer(self, incoming: Incoming, status: str, text: bytes, now: float) -> None:
        """Answer with status ``fulfilled`` or ``rejected``. Raises ``AlreadyAnswered``."""
        self._responder.answer(incoming, status.encode(), text, now)

    def handler_done(self, incoming: Incoming, now: float) -> None:
        """The handler returned: its place is free. An unanswered request stays ours until ``answer`` or ``forget``."""
        self._responder.handler_done(incoming, now)

    def forget(self, incoming: Incoming, now: float) -> None:
        """The handler will never answer: the request is dropped and its requester times out."""
        self._responder.forget(incoming, now)

    def serve(self, on: bool, now: float) -> None:
        """Whether there is a handler: without one, requests are left to siblings that have one (RIPC-GROUP-35, RIPC-VERS-7)."""
        if on is self._responder.serving:
            return
        self.shared.called(now)
        self.wiring.registration.serving = on
        self.wiring.registration.announce()
        self._responder.serve(on, now)

    def close(self, now: float, grace: float) -> None:
        """Stop taking requests, wait for handlers and own requests for ``grace`` seconds, leave. ``Closed`` follows."""
        self.shared.called(now)
        self.closing.begin(now, grace)

    def abandon(self, now: float) -> None:
        """Close at once, even if something is under way. ``Closed`` follows."""
        self.shared.now = now
        self.closing.finish("the endpoint was closed")

    def mend(self, started: Iterable[Incoming], reason: str, now: float) -> None:
        """After an exception anywhere in the core: make its parts agree, and connect again.

        ``started``: the requests whose handlers were started and not reported as done.
        """
        self.shared.now = now
        writing, self._writing, self._reading = self._writing, None, None
        self.lifecycle.end_procedure()
        mend(self.wiring, writing, started, now)
        self.wiring.inbox.relisted.clear()
        if self.wiring.own_entries.under_way:
            self.wiring.own_entries.under_way = False
            self.lifecycle.batch_lost(now)
        self.lifecycle.read_lost(now, self.settings.block)
        self.lifecycle.down(reason, now)
        if self.shared.state is CLOSING:
            self.closing.finish("the endpoint was closed")

    def find(self, request_id: bytes) -> Outgoing | None:
        """A request that is outstanding."""
        return self._requester.outstanding.get(request_id)

    # the connection for writing

    def next_batch(self, now: float) -> Batch | None:
        """The batch to write now, or None. The next batch comes only after this one is done or lost."""
        shared, lifecycle = self.shared, self.lifecycle
        shared.called(now)
        if self._writing is not None or shared.state is NEW or shared.state is CLOSED:
            return None
        if shared.state is CLOSING:
            self.closing.go_on(self._reading is not None, now)
            if self.state is CLOSED:
                return None
        if lifecycle.relist_is_due(now):
            lifecycle.relist(self._reading is not None)
        if lifecycle.procedure is None and shared.connected:
            self._writing = shared.outbox.take(lifecycle.epoch, now)
        elif now >= lifecycle.retry_at:
            self._writing = lifecycle.batch(self._reading is not None, now)
        elif shared.reachable:
            self._writing = shared.outbox.take_looks(lifecycle.epoch, now)
        return self._writing

    def batch_done(self, batch: Batch, answers: list[Any], now: float) -> None:
        """All replies came, in order; an error reply is a ``Failure``."""
        shared = self.shared
        shared.called(now)
        shared.sent_at = batch.taken_at
        shared.sizes.took(now - batch.taken_at)
        self._writing = None
        if shared.breakers:
            shared.breakers.came(batch.commands)
        position = 0
        for step in batch.steps:
            end = position + len(step.commands)
            step.done(answers[position:end], now)
            position = end
        if shared.pauses.writes.active:
            self._writes_again(batch, answers)
        if shared.failure is not None:
            self.lifecycle.after_failure(now)

    def _writes_again(self, batch: Batch, answers: list[Any]) -> None:
        """Whether Redis takes writes again, though no write needed memory."""
        for command, answer in zip(batch.commands, answers, strict=True):
            if command[0] not in commands.LOOKS and not isinstance(answer, Failure) and answer != b"QUEUED":
                if command[0] not in ("MULTI", "PUBLISH"):
                    self.shared.pauses.writes.over()
                return

    def batch_lost(self, batch: Batch, sent: bool, reason: str, now: float, permanent: bool = False) -> None:
        """No connection (``sent`` False), or it broke after something was written: what was executed is unknown.

        ``permanent``: Redis refuses the connection, and only the user can repair it.
        """
        shared = self.shared
        shared.called(now)
        self._writing = None
        if sent:
            shared.breakers.broke(batch.commands, now)
        for step in batch.steps:
            if step.lost is not None:
                step.lost(sent, now)
        own_entries = self.wiring.own_entries
        if own_entries.under_way:
            own_entries.under_way = False
            if sent:
                self.lifecycle.batch_lost(now)
        if sent and self._reading is not None:
            # A cause that broke one connection silently has probably broken the other: its read would wait for nothing.
            shared.queue.append(Unblock())
        self.lifecycle.down(reason, now, permanent)
        if shared.state is CLOSING:
            self.closing.finish(f"the endpoint was closed; Redis could not be reached: {reason}")

    # the connection for reading

    def next_read(self, now: float) -> Read | None:
        """The blocking read to send now, or None."""
        rested = self.shared.rests
        self.shared.called(now)
        if self._reading is None:
            self._reading = self._reads.again(now) if rested else self._reads.next(now)
            return self._reading
        return None

    def _is_reading(self, now: float) -> bool:
        """Whether Redis took a blocking read that ends, and is sent again, at most 5 s after it was sent."""
        read = self._reading
        return read is not None and read.block <= LONGEST_BLOCK and now - read.taken_at <= read.block

    def read_done(self, read: Read, answer: Any, now: float, begun_at: float | None = None) -> None:
        """The blocking read returned: entries, nothing, or a ``Failure``. ``begun_at``: when the first byte of it came."""
        shared = self.shared
        before = shared.called_at
        shared.called(now)
        self._reading = None
        if isinstance(answer, Failure):
            if class_of(answer) is PERMANENT:
                shared.pauses.forbidden("read", answer, now)
            # RIPC-RECOV-3: entries of a failed read, if any, are in its own list.
            self.lifecycle.must_relist = True
            shared.fail(answer)
            self.lifecycle.after_failure(now)
        else:
            rows = replies.read_entries(answer)
            pace, inbox, own_entries = self.wiring.pace, self.wiring.inbox, self.wiring.own_entries
            if not rows:
                pace.over()
            else:
                last = rows[-1][0]
                shared.saw_read(last if own_entries.highest is None else own_entries.last_of(last))
                rest = inbox.skip_others(rows, now)
                if rest:
                    begun_at = before if begun_at is None else min(before, begun_at)
                    inbox.receive(rest, now, shared.heard_since(read.taken_at, begun_at))
                pace.read(len(rows), len(rows) - len(rest), now)
        if self.wiring.inbox.relisted:
            self.wiring.inbox.relisted.clear()

    def read_lost(self, read: Read, reason: str, now: float, permanent: bool = False) -> None:
        """The read failed, was cancelled or timed out: its entries, if any, wait in its own pending list."""
        self.shared.called(now)
        self._reading = None
        self.wiring.inbox.relisted.clear()
        self.lifecycle.read_lost(read.taken_at, read.block)
        # While the endpoint closes, it reads its own list again, and continues to read over another connection.
        if read.epoch == self.lifecycle.epoch and self.shared.state is not CLOSING:
            self.lifecycle.down(reason, now, permanent)

    # wake-ups

    def listening(self, on: bool, now: float) -> None:
        """Whether wake-ups reach this instance.

        It announces this to others, and polls its own list less often while wake-ups reach it.
        """
        shared = self.shared
        shared.called(now)
        if on is shared.listening:
            return
        shared.listening = on
        if shared.state is UP:
            self.wiring.registration.announce()
            if self._requester.outstanding:
                self.wiring.own_list.poll(now)

    def woken(self, channel: bytes, now: float) -> None:
        """A wake-up came for ``channel``: look at once. Only latency depends on it."""
        shared = self.shared
        shared.called(now)
        if not shared.connected:
            return
        if channel == shared.names.wakeup:
            self.wiring.own_list.poll(now)
        else:
            self.wiring.reclaimer.look_for_given_back()
            self.wiring.registration.sooner(now + 0.5)

    # time

    def deadline(self) -> float | None:
        """When to call ``tick`` and ``next_batch``; a time in the past means at once."""
        return self.timers.next(self._writing is not None, self._reading is not None)

    def rests(self, now: float, by: float) -> float:
        """Until then only the next read is due, since only entries of others were read. Minus infinity if more is due.

        ``by``: when the runtime comes anyway. It may wait without ``events``, ``next_batch`` and ``deadline`` until then.
        """
        shared, lifecycle, until = self.shared, self.lifecycle, self.wiring.pace.until
        # With ``by`` in the past, the runtime itself is late: its process stood still.
        if now >= min(until, by) or self._reading or self._writing or shared.state is not UP:
            return -NEVER
        if shared.queue or shared.inflight or self._requester.outstanding:
            return -NEVER
        shared.rests = shared.outbox.due(now) >= by and lifecycle.rests(by)
        return until if shared.rests else -NEVER

    def tick(self, now: float) -> None:
        """Do what is due."""
        shared, wiring = self.shared, self.wiring
        shared.called(now)
        if shared.state is NEW or shared.state is CLOSED:
            return
        self._requester.tick(now)
        if shared.connected:
            wiring.keepalive.tick(now)
            wiring.registration.tick(now)
            wiring.own_list.tick(now)
            wiring.hand_over.tick(now)
            if shared.state is UP:
                wiring.reclaimer.tick(now)
        if shared.state is CLOSING and self._writing is None:
            self.closing.go_on(self._reading is not None, now)

    def events(self) -> list[Event]:
        """The events since the last call."""
        queue = self.shared.queue
        if queue:
            self.shared.queue = []
        return queue
