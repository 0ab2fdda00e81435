"""The waiting writes: the outbox collects intents, and sends them as one batch with as few commands as possible.

It merges adding, answering, giving back and cleaning up (XACK and XDEL take many IDs). All other work comes as ready
steps. Claims are made only when they are sent, so that they use the newest knowledge.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from . import commands
from .commands import Batch, Failure, Step
from .names import Names
from .pauses import Pauses
from .redis_errors import NO_WRITES, class_of
from .settings import NEVER, Settings
from .sizes import BATCH_BYTES, Sizes

if TYPE_CHECKING:
    from .events import Incoming, Outgoing

T = TypeVar("T")
_AGAIN = 1.0
"""Seconds after which a failed clean-up is tried again."""
_SKIPPED = 50
"""How many times ``linger`` entries for other groups wait to be acknowledged."""
_MOST_CLEANUP = 100_000
"""The most IDs that are kept for another attempt."""


class Outbox:
    """Intents in, one ``Batch`` out. It only decides what may be sent now, and how many things are sent together."""

    def __init__(self, names: Names, settings: Settings, pauses: Pauses, sizes: Sizes) -> None:
        self.names = names
        self.pauses = pauses
        self.sizes = sizes
        self.batch_count: int = settings.batch_count
        self.linger: float = settings.linger
        self.wakeups: bool = settings.wakeups
        self.steps: deque[Step] = deque()
        self.looks: deque[Step] = deque()
        self.adds: deque[Outgoing] = deque()
        self.answers: deque[Incoming] = deque()
        self.alone: deque[Incoming] = deque()
        """Answers whose write broke the connection: each is sent in a batch of its own (RIPC-RESP-25)."""
        self.keep_due: bool = False
        self.returned: list[Incoming] = []
        self.handed: dict[tuple[bytes, bytes | None], list[bytes]] = {}
        self.acknowledge: list[bytes] = []
        self.delete: list[bytes] = []
        self.cleanup_due: float | None = None
        self._only_skipped = False
        self._was_alone = False
        self.make_adds: Callable[[list[Outgoing]], Step]
        self.make_answers: Callable[[list[Incoming]], Step]
        self.make_keep_alive: Callable[[float], Step | None]
        self.make_give_back: Callable[[list[Incoming], float], Step | None]
        self.adds_from: Callable[[float], float] = lambda _now: -NEVER
        self.fail: Callable[[Failure], None] = lambda _failure: None

    def add_step(self, step: Step) -> None:
        (self.looks if step.looks else self.steps).append(step)

    def clean(self, acknowledge: bytes | None, delete: bytes | None, now: float) -> None:
        """Acknowledge and/or delete an entry soon: with the next batch, or after ``linger`` seconds on its own."""
        if acknowledge is not None:
            self.acknowledge.append(acknowledge)
        if delete is not None:
            self.delete.append(delete)
        if self.cleanup_due is None:
            self.cleanup_due = now + self.linger
        elif self._only_skipped:
            self.cleanup_due = min(self.cleanup_due, now + self.linger)
        self._only_skipped = False

    def skip(self, entry_ids: list[bytes], now: float) -> None:
        """Acknowledge entries for other groups: with the next batch, else later than other work, since nobody waits for
        it.

        Otherwise an idle group on a busy stream would write after every few entries that it reads (RIPC-ROUTE-13).
        """
        self.acknowledge += entry_ids
        if self.cleanup_due is None:
            self.cleanup_due = now + _SKIPPED * self.linger
            self._only_skipped = True

    def hand_over(self, entry_id: bytes, consumer: bytes, wakeup: bytes | None) -> None:
        """Claim a response to the consumer of the instance that waits for it, and wake that instance if it listens.

        RIPC-GROUP-1, RIPC-GROUP-6.
        """
        self.handed.setdefault((consumer, wakeup), []).append(entry_id)

    def drop_steps(self, now: float) -> None:
        """Drop the steps that were not sent before the connection broke, and notify those that wanted them."""
        steps = [*self.looks, *self.steps]
        self.looks.clear()
        self.steps.clear()
        self.keep_due = False
        for step in steps:
            if step.lost is not None:
                step.lost(False, now)

    def forget_claims(self) -> None:
        """Another member may run by now what was to be given back.

        Recovery finds again what is still ours (RIPC-RECOV-18).
        """
        self.returned.clear()

    # the time and the content of the next batch

    def due(self, now: float) -> float:
        """When the next batch must leave: minus infinity for at once."""
        # Run several times for each request: plain comparisons take a third of the time of min() and max().
        pauses, first = self.pauses, NEVER
        if self.adds:
            first = self.adds_from(now)
            if pauses.memory.until > first:
                first = pauses.memory.until
        if self.looks:
            return -NEVER
        if self.steps or self.handed or self.returned or self.keep_due:
            first = -NEVER
        else:
            if self.cleanup_due is not None and self.cleanup_due < first:
                first = self.cleanup_due
            if self.answers or self.alone:
                answers_from = self.answers_from()
                if answers_from < first:
                    first = answers_from
            if first == NEVER:
                return NEVER
        return first if first > pauses.writes.until else pauses.writes.until

    def answers_from(self) -> float:
        """No answer is written before this moment, since Redis refused one."""
        pauses = self.pauses
        refused = pauses.rights.get("answers") if pauses.rights else None
        return pauses.memory.until if refused is None else max(pauses.memory.until, refused.until)

    def take(self, epoch: int, now: float) -> Batch | None:
        """The next batch: what keeps claims, requests, answers, the rest, and at last what only cleans up."""
        if self.due(now) > now:
            return None
        if now < self.pauses.writes.until:
            return self._batch(self._take_looks(), epoch, now)
        answers = now >= self.answers_from()
        if self.alone and answers and not self._was_alone:
            self._was_alone = True
            return Batch([self.make_answers([self.alone.popleft()])], epoch, now)
        self._was_alone = False
        steps: list[Step] = []
        if self.keep_due:
            self.keep_due = False
            kept = self.make_keep_alive(now)
            if kept is not None:
                steps.append(kept)
        if self.adds and now >= self.pauses.memory.until and now >= self.adds_from(now):
            steps.append(self.make_adds(self._take(self.adds, _text)))
        if self.answers and answers:
            steps.append(self.make_answers(self._take(self.answers, _answer)))
        if self.handed:
            steps.append(self._hand_over())
        while self.steps and len(steps) < self.batch_count:
            steps.append(self.steps.popleft())
        if self.looks and not self.steps:
            # After the writes that came before them (RIPC-TIME-13).
            steps += self._take_looks()
        if self.returned:
            returned, self.returned = self.returned, []
            step = self.make_give_back(returned, now)
            if step is not None:
                steps.append(step)
        if (self.acknowledge or self.delete) and self._cleans(now):
            steps.append(self._cleanup())
        return self._batch(steps, epoch, now)

    def _cleans(self, now: float) -> bool:
        """It goes with any batch, except what Redis refused for good: that waits for its own time (RIPC-RECOV-27)."""
        if not self.pauses.lacking("cleanup", now):
            return True
        return self.cleanup_due is not None and self.cleanup_due <= now

    def take_looks(self, epoch: int, now: float) -> Batch | None:
        """Only what writes nothing."""
        return self._batch(self._take_looks(), epoch, now)

    def _take_looks(self) -> list[Step]:
        count = min(len(self.looks), self.batch_count)
        return [self.looks.popleft() for _ in range(count)]

    def _batch(self, steps: list[Step], epoch: int, now: float) -> Batch | None:
        return Batch(steps, epoch, now) if steps else None

    def _take(self, queue: deque[T], text: Callable[[T], bytes]) -> list[T]:
        """The part of a queue that fits into one batch."""
        items, size = take_up_to(queue, self.batch_count, text, min(BATCH_BYTES, self.sizes.budget))
        self.sizes.wrote(size)
        return items

    def _hand_over(self) -> Step:
        names = self.names
        handed, self.handed = self.handed, {}
        lines: list[commands.Command] = []
        for (consumer, wakeup), ids in handed.items():
            lines.append(commands.keep(names.stream, names.group, consumer, ids))
            if wakeup is not None and self.wakeups:
                lines.append(("PUBLISH", wakeup, b""))

        def done(answers: list[object], _now: float) -> None:
            replies = iter(answers)
            for (consumer, wakeup), ids in handed.items():
                reply = next(replies)
                if wakeup is not None and self.wakeups:
                    next(replies)
                if isinstance(reply, Failure):
                    self.fail(reply)
                    if class_of(reply) is NO_WRITES:
                        self.handed.setdefault((consumer, wakeup), []).extend(ids)

        def lost(sent: bool, _now: float) -> None:
            # If it was sent and its reply did not come, it is not sent again (RIPC-RECOV-18).
            if not sent:
                for key, ids in handed.items():
                    self.handed.setdefault(key, []).extend(ids)

        return Step(lines, done, lost)

    def _cleanup(self) -> Step:
        acknowledge, self.acknowledge = self.acknowledge, []
        delete, self.delete = self.delete, []
        self.cleanup_due = None
        self._only_skipped = False
        names = self.names
        lines: list[commands.Command] = []
        if acknowledge:
            lines.append(commands.acknowledge(names.stream, names.group, acknowledge))
        if delete:
            lines.append(commands.delete(names.stream, delete))

        def again(now: float) -> None:
            # RIPC-RECOV-13: acknowledging and deleting twice does no harm, so both are simply repeated.
            self.acknowledge.extend(acknowledge[:_MOST_CLEANUP])
            self.delete.extend(delete[:_MOST_CLEANUP])
            pause = self.pauses.rights.get("cleanup")
            self.cleanup_due = now + _AGAIN if pause is None else max(now + _AGAIN, pause.until)

        def done(replies: list[object], now: float) -> None:
            for reply in replies:
                if isinstance(reply, Failure) and reply.kind != "NOGROUP":
                    if reply.kind == "NOPERM":
                        self.pauses.forbidden("cleanup", reply, now)
                    self.fail(reply)
                    again(now)
                    return
            self.pauses.granted("cleanup")

        return Step(lines, done, lambda _sent, now: again(now))


def take_up_to(queue: deque[T], count: int, text: Callable[[T], bytes], room: float) -> tuple[list[T], int]:
    """From the left of a queue, ``count`` at most, and about ``room`` bytes; at least one. And the bytes that they have."""
    items: list[T] = []
    size = 0
    for _ in range(min(count, len(queue))):
        more = len(text(queue[0]))
        if size + more > room and items:
            break
        size += more
        items.append(queue.popleft())
    return items, size


_text: Callable[[Outgoing], bytes] = attrgetter("text")


def _answer(incoming: Incoming) -> bytes:
    return b"" if incoming.answer is None else incoming.answer[1]
