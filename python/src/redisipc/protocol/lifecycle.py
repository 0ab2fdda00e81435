"""The life of an endpoint along with its connection: joining, up, down, coming back, and the pauses between."""

from __future__ import annotations

from bisect import insort
from typing import Any

from . import leaving
from .away import Away
from .commands import Batch, Command, Failure, Step
from .endpoint_state import EndpointState, Procedure, ProcedureFailed
from .events import CLOSED, CLOSING, DOWN, JOINING, UP, State, StateChanged
from .redis_errors import GROUP_LOST, NO_MEMORY, NO_WRITES, PERMANENT, class_of, is_permanent
from .settings import NEVER
from .wiring import Wiring

SAME_LOSS = 1.0
"""A connection that is lost again within so many seconds counts as never restored (RIPC-RECOV-14)."""
_PERMANENT = 0.8
"""Seconds at most between two attempts if Redis refuses this endpoint: who repairs that wants to see it work."""
_AGAIN = 1.0
"""Seconds after which an own list that could not be read is tried again."""
_MOST_REPORTED = 100
"""So many texts of refusals are remembered, to report each once."""
_BATCH_LATER = 4.2
"""Seconds after a batch was given up until its own list is read again: Redis may execute its read late."""
_LATER = 0.5
"""Seconds beyond BLOCK after which Redis, too, has ended a lost read."""
_ONE_LOOK = 0.25
"""Seconds between two planned looks at most for which one of them is enough: the read has still ended, and 1 s is not over."""


class Lifecycle:
    """Runs one procedure at a time over the connection for writing and knows when to try again.

    ``epoch``: batches and reads of a lower epoch belong to abandoned connections.
    """

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.shared: EndpointState = wiring.shared
        self.epoch: int = 0
        self.procedure: Procedure[None] | None = None
        self.retry_at: float = -NEVER
        self.joined: bool = False
        self.relist_at: float = NEVER
        """When to read its own list again, after a lost read or a lost batch that reads: the first of ``_looks``."""
        self._looks: list[float] = []
        self.must_relist: bool = False
        """A read was lost, and its own list was not read since (RIPC-RECOV-3)."""
        self.leaving: bool = False
        """Its own list is read once more at most, by the procedure of leaving."""
        self.answered: bool = False
        """Redis has replied over the connection on which it joins or recovers."""
        self._next: list[Command] | None = None
        self._backoff = 0.0
        self._lost = False
        """Whether it lost its connection before."""
        self._away = Away()
        self._reported: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether only the procedure may write now."""
        return self.procedure is not None or not self.shared.connected

    def midway(self, now: float) -> bool:
        """Whether it is joining or recovering at a Redis that replies: then it can clean up."""
        return self.answered and not self.shared.connected and self.retry_at <= now

    def due(self) -> float:
        shared = self.shared
        if self.procedure is not None or not shared.connected:
            return self.retry_at
        if self.leaving:
            return NEVER
        if self.must_relist:
            return -NEVER
        return self.relist_at if self.relist_at < shared.breakers.due else shared.breakers.due

    def rests(self, by: float) -> bool:
        """Whether nothing of it is due before ``by``."""
        if self.procedure is not None or self.must_relist or not self.shared.connected:
            return False
        return self.relist_at >= by and self.shared.breakers.due >= by

    def relist_is_due(self, now: float) -> bool:
        return self.procedure is None and self.shared.connected and self.due() <= now

    def become(self, state: State, reason: str = "", permanent: bool = False, told: bool = False) -> None:
        if self.shared.state is not state:
            self.shared.state = state
            self.shared.queue.append(StateChanged(state, reason, permanent, told))

    # procedures

    def join(self) -> None:
        self.become(JOINING)
        self._begin(self.wiring.recovering.join())

    def leave(self, read_ended: bool) -> None:
        # Redis may serve a lost read later.
        ended = read_ended and not self.must_relist and self.relist_at == NEVER
        wiring = self.wiring
        self._begin(leaving.leave(self.shared, wiring.siblings, ended, wiring.hand_over.kept))

    def relist(self, reading: bool) -> None:
        """Redis may serve a lost read after its own list was read. So the list is read once more later."""
        self._looks = [at for at in self._looks if at > self.shared.now]
        self.relist_at = self._looks[0] if self._looks else NEVER
        self.must_relist = False
        self.wiring.recovering.reading = reading
        self._begin(self.wiring.recovering.relist())

    def _begin(self, procedure: Procedure[None]) -> None:
        self.procedure = procedure
        self._next = None

    def batch(self, reading: bool, now: float) -> Batch | None:
        """The next commands of the procedure."""
        if self.procedure is None:
            self.wiring.recovering.reading = reading
            self.must_relist = False
            self._begin(self.wiring.recovering.recover())
        if self._next is None:
            self._go_on(None, now)
        return Batch([Step(self._next, self._go_on)], self.epoch, now) if self._next is not None else None

    def _go_on(self, answers: list[Any] | None, now: float) -> None:
        if self.procedure is None:
            return
        self.answered = self.answered or answers is not None
        try:
            self._next = next(self.procedure) if answers is None else self.procedure.send(answers)
        except StopIteration:
            self.end_procedure()
            if not self.shared.connected:
                self._ended(now)
        except ProcedureFailed as failed:
            self.end_procedure()
            self._procedure_failed(failed.failure, now)

    def end_procedure(self) -> None:
        self.procedure = self._next = None

    def _procedure_failed(self, failure: Failure, now: float) -> None:
        shared = self.shared
        if shared.connected or shared.state is CLOSED:
            # In ordinary work, or while leaving: its meaning is decided after the batch.
            shared.fail(failure)
            self._look_at(now + _AGAIN)
        elif class_of(failure) in (NO_WRITES, NO_MEMORY) and self.joined:
            # The connection is good: try again on it, and meanwhile a last look works.
            shared.writes_refused(failure, now)
            shared.reachable = True
            shared.trouble = failure.message
            self.retry_at = max(shared.pauses.writes.until, shared.pauses.memory.until, now)
        else:
            self.down(failure.message, now, is_permanent(failure))

    def _ended(self, now: float) -> None:
        """Joined or recovered."""
        shared, wiring = self.shared, self.wiring
        if shared.state is CLOSED:
            return
        if self.must_relist:
            # A read was lost meanwhile.
            self.retry_at = now
            return
        first, self.joined = not self.joined, True
        shared.came_up(now)
        shared.pauses.writes.over()
        wiring.own_list.reset()
        wiring.registration.reset(now)
        wiring.hand_over.reset()
        wiring.reclaimer.reset(now, again=not first)
        wiring.keepalive.restart(now)
        wiring.requester.connected()
        if shared.state is not CLOSING:
            self.become(UP)
        wiring.responder.siblings_known(now)

    # losses

    def read_lost(self, taken_at: float, block: float) -> None:
        """Its entries, if any, are in its own list, or will be: Redis may still serve the dead connection."""
        self.must_relist = True
        self._read_again(taken_at + block + _LATER)

    def batch_lost(self, now: float) -> None:
        """A batch that reads: handled like a lost read, but Redis does not delay it."""
        self.must_relist = True
        self._read_late(now + _BATCH_LATER)

    def _read_again(self, at: float) -> None:
        self._look_at(at)

    def _read_late(self, at: float) -> None:
        self._look_at(at)

    def _look_at(self, at: float) -> None:
        """Plan a look. Each lost read has its own one (RIPC-RECOV-21), but one look serves for two moments close together."""
        if all(abs(planned - at) > _ONE_LOOK for planned in self._looks):
            insort(self._looks, at)
            self.relist_at = self._looks[0]

    def down(self, reason: str, now: float, permanent: bool = False) -> None:
        """Both connections are opened again after a growing pause (RIPC-RECOV-1, RIPC-RECOV-2)."""
        shared = self.shared
        if shared.connected and now - shared.up_since >= SAME_LOSS:
            self._backoff = 0.0
        same = self._lost and not permanent and shared.state is UP and now - shared.up_since < SAME_LOSS
        self.epoch += 1
        self.answered = False
        self._stop(now)
        if shared.state is CLOSED:
            return
        self._grow()
        pause = _PERMANENT if permanent else self._backoff
        self.retry_at = now + pause * (0.5 + 0.5 * shared.random.random())
        again = permanent and shared.state is DOWN and reason != shared.trouble
        shared.trouble = reason
        if shared.state is CLOSING:
            return
        if shared.state is not DOWN and not same:
            self._away.began(now)
        self._lost = self.joined
        if again:
            # Reported once more, since this does not end by itself.
            shared.queue.append(StateChanged(DOWN, reason, permanent))
            self._away.told(reason, now)
        elif (shared.state is DOWN or same) and self._away.is_due(reason, now):
            away = now - self._away.since
            shared.problem("connection", f"still no connection to Redis after {away:.0f} s, trying again: {reason}")
            self.become(DOWN, reason, told=True)
        elif self.joined:
            self.become(DOWN, reason, permanent, same)
        else:
            shared.queue.append(StateChanged(JOINING, reason, permanent))
            self.join()

    def _grow(self) -> None:
        settings = self.shared.settings
        self._backoff = min(settings.backoff_most, max(settings.backoff_first, self._backoff * 2))

    def _stop(self, now: float) -> None:
        """No ordinary work until everything is restored."""
        shared = self.shared
        shared.cut_off()
        if self.procedure is not None:
            self.procedure.close()
        self.end_procedure()
        # A claim sent after an outage could take a request from another member that runs it by now.
        shared.outbox.drop_steps(now)
        self.wiring.requester.connection_lost(now)

    def after_failure(self, now: float) -> None:
        """Handle an error reply in ordinary work: what it means for the connection."""
        shared = self.shared
        failure = shared.take_failure()
        if failure is None or not shared.connected:
            return
        kind = class_of(failure)
        if kind is GROUP_LOST:
            # The connection works: create the group again at once, unless it was created just now.
            shared.trouble = failure.message
            if now - shared.up_since >= SAME_LOSS:
                self._backoff = 0.0
            self._stop(now)
            self.retry_at = now + self._backoff
            self._grow()
            if shared.state is UP:
                # Redis may refuse the attempts to recover: the time away counts from here.
                self._away.began(now)
                self.become(DOWN, failure.message)
        elif kind in (NO_MEMORY, NO_WRITES):
            shared.writes_refused(failure, now)
            if kind is NO_WRITES:
                self.wiring.reclaimer.hold(now)
        elif kind is PERMANENT:
            if failure.message not in self._reported:
                if len(self._reported) >= _MOST_REPORTED:
                    self._reported.clear()
                self._reported.add(failure.message)
                shared.problem("refused", f"Redis refuses a command: {failure.message}")
        else:
            self.down(failure.message, now)
