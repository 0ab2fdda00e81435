"""What waits to be written: intents are collected here and leave as one batch, as few commands as they can be.

Adding, answering and cleaning up are coalesced (XACK and XDEL take many ids); everything else comes as ready steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from . import commands
from .commands import Batch, Failure, Step
from .names import Names
from .settings import NEVER, Settings


class Outbox:
    """Intents in, one ``Batch`` out. Holds no rule but how many things travel together."""

    def __init__(self, names: Names, settings: Settings) -> None:
        self.names = names
        self.batch_count = settings.batch_count
        self.linger = settings.linger
        self.wakeups = settings.wakeups
        self.steps: deque[Step] = deque()
        self.adds: deque[Any] = deque()
        self.answers: deque[Any] = deque()
        self.returned: list[bytes] = []
        self.handed: dict[tuple[bytes, bytes | None], list[bytes]] = {}
        self.acknowledge: list[bytes] = []
        self.delete: list[bytes] = []
        self.cleanup_due: float | None = None
        self.add_step: Callable[[list[Any]], Step]
        self.answer_step: Callable[[list[Any]], Step]

    def clean(self, acknowledge: bytes | None, delete: bytes | None, now: float) -> None:
        """Acknowledge and/or delete an entry soon: with the next batch, or after ``linger`` seconds on its own."""
        if acknowledge is not None:
            self.acknowledge.append(acknowledge)
        if delete is not None:
            self.delete.append(delete)
        if self.cleanup_due is None:
            self.cleanup_due = now + self.linger

    def hand_over(self, entry_id: bytes, consumer: bytes, wakeup: bytes | None) -> None:
        """Claim a response to the consumer of the instance that waits for it, and wake that instance where it listens.

        RIPC-GROUP-1, RIPC-GROUP-6.
        """
        self.handed.setdefault((consumer, wakeup), []).append(entry_id)

    def drop_steps(self, now: float) -> None:
        """What was not sent before the connection broke is not sent at all; whoever wanted it learns that."""
        steps, self.steps = self.steps, deque()
        for step in steps:
            if step.lost is not None:
                step.lost(False, now)

    def due(self, writes: bool = True) -> float:
        """When the next batch must leave: minus infinity for at once. ``writes``: whether Redis takes XADD now."""
        if self.steps or self.handed or self.returned or (writes and (self.adds or self.answers)):
            return -NEVER
        return NEVER if self.cleanup_due is None else self.cleanup_due

    def take(self, epoch: int, now: float, writes: bool = True) -> Batch | None:
        """The next batch: requests first, then answers, then the rest, then what only cleans up."""
        if self.due(writes) > now:
            return None
        steps: list[Step] = []
        if writes and self.adds:
            steps.append(self.add_step(_some(self.adds, self.batch_count)))
        if writes and self.answers:
            steps.append(self.answer_step(_some(self.answers, self.batch_count)))
        if self.handed:
            steps.append(self._hand_over())
        while self.steps and len(steps) < self.batch_count:
            steps.append(self.steps.popleft())
        if self.returned and not self.steps:
            # After the claims that were made before: a keep-alive would undo the mark of a give-back.
            steps.append(self._give_back())
        if self.acknowledge or self.delete:
            steps.append(self._cleanup())
        return Batch(steps, epoch)

    def _hand_over(self) -> Step:
        names = self.names
        handed, self.handed = self.handed, {}
        lines: list[commands.Command] = []
        for (consumer, wakeup), ids in handed.items():
            lines.append(commands.keep(names.stream, names.group, consumer, ids))
            if wakeup is not None and self.wakeups:
                lines.append(("PUBLISH", wakeup, b""))

        def lost(sent: bool, _now: float) -> None:
            if not sent:
                for key, ids in handed.items():
                    self.handed.setdefault(key, []).extend(ids)

        return Step(lines, _nothing, lost)

    def _give_back(self) -> Step:
        names = self.names
        ids, self.returned = self.returned, []
        lines: list[commands.Command] = [commands.give_back(names.stream, names.group, names.dispatcher, ids)]
        if self.wakeups:
            lines.append(("PUBLISH", names.group_wakeup, b""))
        # Lost or refused: the entries stay in the own list, where recovery or reclaim finds them.
        return Step(lines, _nothing)

    def _cleanup(self) -> Step:
        acknowledge, self.acknowledge = self.acknowledge, []
        delete, self.delete = self.delete, []
        self.cleanup_due = None
        names = self.names
        lines: list[commands.Command] = []
        if acknowledge:
            lines.append(commands.acknowledge(names.stream, names.group, acknowledge))
        if delete:
            lines.append(commands.delete(names.stream, delete))

        def again(now: float) -> None:
            # RIPC-RECOV-13: acknowledging and deleting twice does no harm, so both are simply repeated.
            self.acknowledge.extend(acknowledge)
            self.delete.extend(delete)
            self.cleanup_due = now + 1.0

        def done(replies: list[Any], now: float) -> None:
            if any(isinstance(reply, Failure) and reply.kind != "NOGROUP" for reply in replies):
                again(now)

        return Step(lines, done, lambda _sent, now: again(now))


def _some(queue: deque[Any], count: int) -> list[Any]:
    if len(queue) <= count:
        items = list(queue)
        queue.clear()
        return items
    return [queue.popleft() for _ in range(count)]


def _nothing(_replies: list[Any], _now: float) -> None:
    return None
