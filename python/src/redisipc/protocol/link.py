"""The connection as the core sees it: joining, going down, coming back, and the pauses between."""

from __future__ import annotations

from typing import Any

from . import conversations
from .commands import Batch, Command, Step
from .conversations import Refused, Talk
from .errors_of_redis import is_group_lost, is_permanent, is_refusal
from .events import CLOSED, CLOSING, DOWN, JOINING, UP, State, StateChanged
from .parts import Parts


class Link:
    """Runs one conversation at a time over the write lane and knows when to try again."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.core = parts.core
        self.epoch = 0
        self.talk: Talk | None = None
        self.retry_at = float("-inf")
        self.joined = False
        self.read_lost = False
        self._next: list[Command] | None = None
        self._backoff = 0.0
        self._reported: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether nothing but the conversation may be written now."""
        state = self.core.state
        return self.talk is not None or state is DOWN or state is JOINING

    def become(self, state: State, reason: str = "", permanent: bool = False) -> None:
        if self.core.state is not state:
            self.core.state = state
            self.core.queue.append(StateChanged(state, reason, permanent))

    def begin(self, talk: Talk) -> None:
        self.talk = talk
        self._next = None

    def join(self) -> None:
        self.become(JOINING)
        self.begin(conversations.join(self.core, self.parts.presence, self.parts.rename))

    def batch(self, read_running: bool) -> Batch | None:
        """The next commands of the conversation."""
        if self.talk is None:
            parts = self.parts
            self.begin(conversations.recover(self.core, parts.presence, parts.responder, parts.inbox, read_running))
        if self._next is None:
            self._go_on(None, self.core.now)
        return Batch([Step(self._next, self._go_on)], self.epoch) if self._next is not None else None

    def _go_on(self, answers: list[Any] | None, now: float) -> None:
        if self.talk is None:
            return
        try:
            self._next = next(self.talk) if answers is None else self.talk.send(answers)
        except StopIteration:
            self.begin_nothing()
            self._ended(now)
        except Refused as refused:
            self.begin_nothing()
            if self.core.state is not CLOSING:
                self.down(refused.failure.message, now, is_permanent(refused.failure))

    def begin_nothing(self) -> None:
        self.talk = self._next = None

    def _ended(self, now: float) -> None:
        if self.core.state is CLOSING:
            return
        first = not self.joined
        self.joined = True
        self._backoff = 0.0
        self.read_lost = False
        self.core.up_since = now
        self.core.failure = None
        parts = self.parts
        parts.presence.reset()
        parts.reclaimer.reset(now, hold=not first)
        parts.keepalive.restart(now)
        parts.responder.start_queued(now)
        parts.requester.connected(now)
        parts.presence.next_refresh = now
        self.become(UP)

    def down(self, reason: str, now: float, permanent: bool = False) -> None:
        """Both lanes connect anew after a pause that grows (RIPC-RECOV-1, RIPC-RECOV-2)."""
        self.epoch += 1
        if self.talk is not None:
            self.talk.close()
        self.begin_nothing()
        # A claim that is sent after an outage could take from another member what it runs by now.
        self.core.outbox.drop_steps(now)
        self.parts.requester.connection_lost(now)
        if self.core.state in (CLOSING, CLOSED):
            return
        settings = self.core.settings
        self._backoff = min(settings.backoff_most, max(settings.backoff_first, self._backoff * 2))
        pause = settings.backoff_most if permanent else self._backoff
        self.retry_at = now + pause * (0.5 + 0.5 * self.core.random.random())
        again = permanent and self.core.state is DOWN and reason != self.core.trouble
        self.core.trouble = reason
        if again:
            # Told once more: this does not pass by itself.
            self.core.queue.append(StateChanged(DOWN, reason, permanent))
        elif self.joined:
            self.become(DOWN, reason, permanent)
        else:
            self.core.queue.append(StateChanged(JOINING, reason, permanent))
            self.join()

    def after_failure(self, now: float) -> None:
        """An error reply in ordinary work: what it means for the connection."""
        failure, self.core.failure = self.core.failure, None
        if failure is None or self.talk is not None or self.core.state is not UP:
            return
        if is_group_lost(failure):
            # The connection is good: make the group again at once.
            self.core.trouble = failure.message
            self.become(DOWN, failure.message)
            self.retry_at = now
            self.parts.requester.connection_lost(now)
        elif is_refusal(failure):
            self.core.refused(failure, now)
        elif is_permanent(failure):
            if failure.message not in self._reported:
                self._reported.add(failure.message)
                self.core.problem("refused", f"Redis refuses a command: {failure.message}")
        else:
            self.down(failure.message, now)
