"""Requests that this instance received: start, queue or give back. What is answered goes to ``answers.py``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from redisipc.errors import AlreadyAnswered

from . import commands
from .answers import Answers
from .commands import Failure, Step
from .core import Core
from .entry import REJECTED, Entry
from .events import CLOSING, Cancelled, Incoming, Problem, Start
from .states import advance

_MOST_CHECKS = 64


class Responder:
    """What this instance holds: ``core.inflight`` maps the entry ID of each request to its record."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.queue: deque[Incoming] = deque()
        self.running = 0
        self.shared_waiting = False
        self.on_room: Callable[[], None] = lambda: None
        self._checks = 1
        self.answers = Answers(core)

    @property
    def room(self) -> int:
        """How many more requests could start now."""
        return max(0, self.core.settings.concurrency - self.running - len(self.queue))

    # a request was read

    def request(self, entry: Entry, now: float, siblings: bool, starts: int = 1, idle: bool = False) -> None:
        core = self.core
        if entry.entry_id in core.inflight:
            # RIPC-RECOV-4
            return
        incoming = Incoming(entry.entry_id, entry.id, entry.instance_id, entry.source_group, entry.content, now)
        stored = int(entry.entry_id.partition(b"-")[0]) / 1000
        incoming.age = max(0.0, core.server_clock(now) - stored)
        incoming.starts = starts
        incoming.redelivered = starts > 1 or idle
        core.inflight[entry.entry_id] = incoming
        limit = core.settings.max_request_age
        if limit is not None and incoming.age > limit:
            self._reject(incoming, f"Too old: the request waited {incoming.age:.1f} s, the limit is {limit:g} s", now)
        elif starts > core.settings.max_starts:
            # RIPC-GROUP-18, RIPC-GROUP-19
            message = f"Given up after {core.settings.max_starts} starts"
            core.queue.append(Problem("given-up", f"request {entry.id!r}: {message}", entry.entry_id))
            self._reject(incoming, message, now)
        elif core.state is CLOSING:
            self._give_back(incoming)
        elif self.running < core.settings.concurrency and not self.queue:
            self._start(incoming)
        elif siblings and not core.without("rule8"):
            # RIPC-GROUP-23
            self._give_back(incoming)
        elif len(self.queue) < core.settings.max_queue:
            # RIPC-GROUP-28
            self.queue.append(incoming)
        else:
            # RIPC-RESP-17
            self._reject(incoming, f"Overloaded: {len(self.queue)} requests are waiting in this instance", now)

    def _start(self, incoming: Incoming, event: str = "start") -> None:
        advance(incoming, event)
        self.running += 1
        self.core.queue.append(Start(incoming))

    def _reject(self, incoming: Incoming, message: str, now: float) -> None:
        advance(incoming, "overload")
        incoming.done = True
        self.answers.add(incoming, REJECTED, message.encode(), now)

    # calls of the user

    def answer(self, incoming: Incoming, status: bytes, text: bytes, now: float) -> None:
        if incoming.answer is not None:
            # RIPC-RESP-3
            raise AlreadyAnswered(
                f"request {incoming.id.decode(errors='replace')!r} is answered already; answer it once"
            )
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
        self.start_queued(now)

    def forget(self, incoming: Incoming, now: float) -> None:
        """The handler ended and will never answer: acknowledge and delete, the requester times out (RIPC-RESP-11)."""
        if incoming.answer is None and incoming.state == "running":
            self.core.gone(incoming)
            self.core.outbox.clean(incoming.entry_id, incoming.entry_id, now)

    def start_queued(self, now: float) -> None:
        """Start what waits while there is room, and tell who looks for more when there is room left."""
        core = self.core
        while self.queue and self.running < core.settings.concurrency:
            incoming = self.queue.popleft()
            if incoming.state != "queued":
                continue
            if self._must_check(incoming, now):
                self._check(incoming, now)
            else:
                self._start(incoming)
        if self.shared_waiting and self.room:
            self.on_room()

    def _must_check(self, incoming: Incoming, now: float) -> bool:
        """RIPC-RESP-13"""
        waited = now - incoming.received_at
        return waited > self.core.settings.check_after_waiting and not self.core.without("rule7")

    def _check(self, first: Incoming, now: float) -> None:
        """Look whether it still exists, and those behind it too where the last looks found that their requesters gave up."""
        checked = [first]
        while self.queue and len(checked) < self._checks and self._must_check(self.queue[0], now):
            incoming = self.queue.popleft()
            if incoming.state == "queued":
                checked.append(incoming)
        for incoming in checked:
            advance(incoming, "check")
        # One place is kept for all of them.
        self.running += 1

        def done(answers: list[Any], now: float) -> None:
            self.running -= 1
            back: list[Incoming] = []
            for incoming, reply in zip(checked, answers, strict=True):
                if incoming.state != "checking":
                    continue
                if isinstance(reply, Failure):
                    incoming.received_at = now
                    back.append(incoming)
                elif not reply:
                    self.core.gone(incoming)
                    self.core.outbox.clean(incoming.entry_id, None, now)
                elif self.core.state is CLOSING:
                    self._give_back(incoming)
                elif self.running < self.core.settings.concurrency:
                    self._start(incoming, "exists")
                else:
                    back.append(incoming)
            self._checks = 1 if any(answers) else min(2 * self._checks, _MOST_CHECKS)
            self._put_back(back)
            self.start_queued(now)

        def lost(_sent: bool, now: float) -> None:
            self.running -= 1
            self._put_back([incoming for incoming in checked if incoming.state == "checking"])

        self.core.step(Step([commands.one(self.core.names.stream, i.entry_id) for i in checked], done, lost))

    def _put_back(self, waiting: list[Incoming]) -> None:
        for incoming in reversed(waiting):
            advance(incoming, "not known")
            self.queue.appendleft(incoming)

    # giving back

    def _give_back(self, incoming: Incoming) -> None:
        self.core.gone(incoming, "give back")
        incoming.done = True
        self.core.outbox.returned.append(incoming.entry_id)
        self.shared_waiting = True

    def give_back_queued(self) -> None:
        while self.queue:
            incoming = self.queue.pop()
            if incoming.state == "queued":
                self._give_back(incoming)

    # what Redis tells of it

    def lost(self, entry_id: bytes, reason: str) -> None:
        """It is no longer pending for us: given up by its requester, answered, or another member's now."""
        incoming = self.core.inflight.get(entry_id)
        if incoming is not None:
            self._cancelled(incoming, reason)

    def _cancelled(self, incoming: Incoming, reason: str) -> None:
        """It is gone from Redis, or another's: the handler learns it, its answer is not written (RIPC-GROUP-12, RIPC-RESP-19)."""
        was = incoming.state
        self.core.gone(incoming)
        incoming.cancelled = True
        if was == "running":
            self.core.queue.append(Cancelled(incoming, reason))
        elif was == "queued":
            incoming.done = True
