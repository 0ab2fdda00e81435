"""Requests that this instance received: start, queue, give back or reject. Answers go to ``answers.py``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from redisipc.errors import AlreadyAnswered

from .answers import Answers
from .aside import Aside
from .endpoint_state import EndpointState
from .entry import Entry
from .events import CLOSING, Cancelled, Incoming, Start
from .giving_back import GivingBack
from .own_rejections import OwnRejections
from .ownership import TAKEN_OVER, Verdict, verify
from .reasons import ReasonCode
from .states import advance

_MOST_CHECKS = 64
_REMEMBERED = 4096
"""How many requests that ran here are remembered, so that a handler learns that one comes again."""
_LONG_ID = 64
"""Bytes of an id. Of a longer one, which no endpoint makes, only a digest is remembered."""


def _mark(entry_id: bytes, id: bytes) -> bytes:
    """The bytes by which the responder remembers a request."""
    if len(id) <= _LONG_ID:
        return entry_id + id
    from hashlib import sha256  # nobody else pays for it

    return entry_id + sha256(id).digest()


class Responder:
    """The requests that this instance holds: ``core.inflight`` maps the entry ID of each request to its record.

    ``siblings`` says how many other responders the group has, None while that is not known yet.
    ``takes_back``: a look for requests that were given back is under way; they start before new ones (RIPC-GROUP-34).
    ``started``: each handler that has not ended, and since when. A handler may outlive its request.
    """

    def __init__(self, shared: EndpointState) -> None:
        self.shared = shared
        self.queue: deque[Incoming] = deque()
        self.running: int = 0
        self.started: dict[Incoming, float] = {}
        self.serving: bool = shared.settings.responder
        self.takes_back: bool = False
        self.shared_waiting: bool = False
        self.behind: Aside = Aside()
        self.beyond: Aside = Aside()
        self.on_overload: Callable[[], None] = lambda: None
        self.siblings: Callable[[], int | None] = lambda: None
        self.on_room: Callable[[], None] = lambda: None
        self._checks = 1
        self._ran: set[bytes] = set()
        self._ran_in_order: deque[bytes] = deque()
        self.answers: Answers = Answers(shared)
        self.rejections: OwnRejections = OwnRejections(shared, self.answers)
        shared.outbox.make_give_back = GivingBack(shared).step

    @property
    def room(self) -> int:
        """How many more requests could start now."""
        if not self.serving:
            return 0
        return max(0, self.shared.settings.concurrency - self.running - len(self.queue))

    # a request was read

    def request(self, entry: Entry, now: float, kept_at: float, starts: int = 1, idle: bool = False) -> None:
        """``kept_at``: see ``Incoming``; ``idle``: it had been left by another member."""
        shared = self.shared
        known = shared.inflight.get(entry.entry_id)
        if known is not None:
            if self._is_same(known, entry):
                # RIPC-RECOV-4
                return
            self.lost(known, "Redis lost it, and gave its entry ID to another one")
        incoming = Incoming(entry.entry_id, entry.id, entry.instance_id, entry.source_group, entry.content, kept_at)
        incoming.kept_at = kept_at
        incoming.age = max(0.0, shared.server_clock(now) - int(entry.entry_id.partition(b"-")[0]) / 1000)
        incoming.starts = starts
        incoming.redelivered = starts > 1 or idle or _mark(entry.entry_id, entry.id) in self._ran
        shared.inflight[entry.entry_id] = incoming
        limit = shared.settings.max_request_age
        if limit is not None and incoming.age > limit:
            self.rejections.reject(
                incoming, ReasonCode.TOO_OLD, f"the request waited {incoming.age:.1f} s, the limit is {limit:g} s", now
            )
        elif starts > shared.settings.max_starts:
            # RIPC-GROUP-18, RIPC-GROUP-19
            self.rejections.reject(
                incoming,
                ReasonCode.GIVEN_UP,
                f"it was started {shared.settings.max_starts} times without an answer",
                now,
            )
        else:
            self._place(incoming, now)

    def _place(self, incoming: Incoming, now: float) -> None:
        """Start it, queue it, or leave it to other instances."""
        if self.shared.state is CLOSING:
            self._give_back(incoming)
        elif not self.serving:
            self._unserved(incoming, now)
        elif self.running >= self.shared.settings.concurrency or self.queue:
            self._without_room(incoming, now)
        elif self.takes_back:
            self.behind.add(incoming)
        elif self._must_check(incoming, now):
            self.queue.append(incoming)
            self._start_waiting(now)
        else:
            self._start(incoming)

    def _is_same(self, known: Incoming, entry: Entry) -> bool:
        """Under one entry ID there may be two, where Redis lost the first one."""
        return known.id == entry.id

    def _without_room(self, incoming: Incoming, now: float) -> None:
        siblings = self.siblings()
        if siblings:
            # RIPC-GROUP-23
            self._give_back(incoming)
        elif siblings is None or len(self.queue) < self.shared.settings.max_queue:
            # RIPC-GROUP-28
            self.queue.append(incoming)
        elif self.beyond.may_wait(now):
            if self.beyond.add(incoming):
                self.on_overload()
        else:
            # RIPC-RESP-17
            self.rejections.reject(
                incoming, ReasonCode.OVERLOADED, f"{len(self.queue)} requests wait in this instance", now
            )

    def taken_back(self, now: float) -> None:
        """The requests that were given back have started, or there are none: now place the new ones."""
        self.takes_back = False
        self.behind.settle(self._place, now)

    def _unserved(self, incoming: Incoming, now: float) -> None:
        """No handler here: an instance that has one runs it (RIPC-GROUP-35, RIPC-RESP-10)."""
        siblings = self.siblings()
        if siblings:
            self._give_back(incoming)
        elif siblings is None:
            self.queue.append(incoming)
        else:
            self.rejections.unserved(incoming, now)

    def _start(self, incoming: Incoming, event: str = "start") -> None:
        advance(incoming, event)
        self.running += 1
        self.started[incoming] = self.shared.now
        key = _mark(incoming.entry_id, incoming.id)
        if key not in self._ran:
            self._ran.add(key)
            self._ran_in_order.append(key)
            if len(self._ran) > _REMEMBERED:
                self._ran.discard(self._ran_in_order.popleft())
        self.shared.queue.append(Start(incoming))

    # calls of the user

    def answer(self, incoming: Incoming, status: bytes, text: bytes, now: float) -> None:
        if incoming.answer is not None:
            # RIPC-RESP-3
            name = incoming.id.decode(errors="replace")
            late = f"request {name!r} was rejected when its endpoint closed; answer before that"
            raise AlreadyAnswered(late if incoming.closed else f"request {name!r} is answered already; answer it once")
        if incoming.state == "gone":
            # RIPC-RESP-20, RIPC-GROUP-12: the requester gave up: whatever is written now would be a late response.
            incoming.answer = (status, text, now)
            return
        advance(incoming, "answer")
        self.answers.add(incoming, status, text, now)

    def handler_done(self, incoming: Incoming, now: float) -> None:
        if incoming.done:
            return
        incoming.done = True
        self.running -= 1
        self.started.pop(incoming, None)
        self.start_queued(now)

    def forget(self, incoming: Incoming, now: float) -> None:
        """The handler ended and will never answer: acknowledge and delete, the requester times out (RIPC-RESP-11)."""
        if incoming.answer is None and incoming.state == "running":
            self.shared.gone(incoming)
            self.shared.outbox.clean(incoming.entry_id, incoming.entry_id, now)

    def serve(self, on: bool, now: float) -> None:
        """Whether there is a handler."""
        self.serving = on
        self.siblings_known(now)

    # what waits

    def start_queued(self, now: float) -> None:
        """Start waiting requests while there is room. If room is left, notify the part that looks for more."""
        if self.queue:
            self._start_waiting(now)
        if self.shared_waiting:
            self._tell_room()

    def _start_waiting(self, now: float) -> None:
        shared = self.shared
        while self.queue and self.running < shared.settings.concurrency and self.serving and shared.connected:
            incoming = self.queue.popleft()
            if incoming.state != "queued":
                continue
            if self._must_check(incoming, now):
                self._check(incoming, now)
            else:
                self._start(incoming)

    def _tell_room(self) -> None:
        """Requests that were given back may be taken at once (RIPC-GROUP-33)."""
        if self.room:
            self.on_room()

    def siblings_known(self, now: float) -> None:
        """Siblings or a handler came or went: decide again about waiting requests."""
        self.beyond.settle(self._without_room, now)
        if self.shared.state is CLOSING or (self.siblings() and not self.room):
            self.give_back_queued()
        elif self.siblings() is not None and not self.serving:
            waiting, self.queue = self.queue, deque()
            for incoming in waiting:
                if incoming.state == "queued":
                    self._unserved(incoming, now)
        else:
            self.start_queued(now)

    def _must_check(self, incoming: Incoming, now: float) -> bool:
        """Whether to check its owner and its body before it starts (RIPC-RESP-13, RIPC-GROUP-31)."""
        return now - incoming.received_at > self.shared.settings.check_after_waiting

    def _check(self, first: Incoming, now: float) -> None:
        """Check whether it is still ours, and those behind it, too, if the last checks found abandoned requests."""
        checked = [first]
        while self.queue and len(checked) < self._checks and self._must_check(self.queue[0], now):
            incoming = self.queue.popleft()
            if incoming.state == "queued":
                checked.append(incoming)
        for incoming in checked:
            advance(incoming, "check")
        # One slot is reserved for all of them.
        self.running += 1

        def broken(now: float) -> None:
            self.running -= 1
            self.put_back([incoming for incoming in checked if incoming.state == "checking"])
            self.start_queued(now)

        self.shared.carry_out(verify(self.shared, checked, anew=False), self._checked, broken)

    def _checked(self, verdict: Verdict, now: float) -> None:
        self.running -= 1
        shared = self.shared
        for incoming in verdict.gone:
            shared.outbox.clean(incoming.entry_id, None, now)
        for incoming in verdict.gone + verdict.lost:
            if incoming.state == "checking":
                shared.gone(incoming)
        back: list[Incoming] = []
        for incoming in verdict.ours:
            if incoming.state != "checking":
                continue
            incoming.received_at = incoming.kept_at
            if shared.state is CLOSING:
                self._give_back(incoming)
            elif self.running < shared.settings.concurrency and now - incoming.kept_at < shared.settings.keep_alive:
                self._start(incoming, "exists")
            else:
                back.append(incoming)
        self._checks = 1 if verdict.ours else min(2 * self._checks, _MOST_CHECKS)
        self.put_back(back)
        self.start_queued(now)

    def put_back(self, waiting: list[Incoming]) -> None:
        """Whether they still exist is unknown: they continue to wait, before the others."""
        for incoming in reversed(waiting):
            advance(incoming, "not known")
            self.queue.appendleft(incoming)

    # giving back

    def _give_back(self, incoming: Incoming) -> None:
        self.shared.gone(incoming, "give back")
        incoming.done = True
        self.shared.outbox.returned.append(incoming)
        self.shared_waiting = True

    def give_back_queued(self) -> None:
        for incoming in (*self.beyond.take(), *self.behind.take()):
            self._give_back(incoming)
        while self.queue:
            incoming = self.queue.pop()
            if incoming.state == "queued":
                self._give_back(incoming)

    # closing

    def reject_running(self, now: float) -> None:
        """The time to close is over: reject requests that still run, and refuse their answers (RIPC-LIFE-26)."""
        for incoming in list(self.shared.inflight.values()):
            if incoming.state == "checking":
                self._give_back(incoming)
            elif incoming.state == "running":
                incoming.cancelled = incoming.closed = True
                self.rejections.closing(incoming, now)
                self.shared.queue.append(Cancelled(incoming, "the endpoint is closing"))

    # what Redis reports about requests

    def lost(self, incoming: Incoming, reason: str = TAKEN_OVER) -> None:
        """It is no longer ours: the handler learns it, its answer is not written (RIPC-GROUP-12, RIPC-RESP-19)."""
        if self.shared.inflight.get(incoming.entry_id) is not incoming:
            return
        was = incoming.state
        self.shared.gone(incoming)
        incoming.cancelled = True
        if was == "running":
            self.shared.queue.append(Cancelled(incoming, reason))
        elif was == "queued":
            incoming.done = True
