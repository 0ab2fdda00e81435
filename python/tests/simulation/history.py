"""The history of each request, written down as it happens and judged afterwards."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple


class Run(NamedTuple):
    """One start of a handler: when, by which process, and which start the core took it for.

    ``silence``: seconds since the last delivery to this process or claim by it, None where nobody watched.
    """

    time: float
    process: int
    starts: int
    entry_id: bytes
    silence: float | None = None


class Move(NamedTuple):
    """A claim that took a request from its owner. ``silence``: seconds since the last sign of life of that owner.

    ``given_back``: it was marked as free. Processes by number, None for a consumer of nobody known.
    """

    time: float
    before: int | None
    after: int | None
    silence: float
    given_back: bool


class Reply(NamedTuple):
    """A response as Redis stored it."""

    time: float
    entry_id: bytes
    by: int


class Ask:
    """One request: the plan for it, what its sender saw, what its handlers saw, what Redis saw. Times are virtual seconds."""

    __slots__ = (
        "answered", "answers", "cancelled_at", "content", "copies", "deadline", "deleted_at", "destination", "duration", "entry_id",
        "id", "kind", "last_sign", "moves", "number", "outcomes", "padding", "parent", "reason", "replies", "runs",
        "second_hand", "sender", "sent_at", "status", "stored_at", "timeout",
    )  # fmt: skip

    def __init__(self, number: int, sender: int, destination: str, timeout: float, kind: str, duration: float) -> None:
        self.number = number
        self.sender = sender
        self.destination = destination
        self.timeout = timeout
        self.kind = kind
        self.duration = duration
        self.id = b""
        self.sent_at = self.deadline = 0.0
        self.parent: int | None = None
        self.outcomes: list[float] = []
        self.status = ""
        self.content: bytes | None = None
        self.reason = ""
        self.cancelled_at: float | None = None
        self.runs: list[Run] = []
        self.answers = 0
        self.answered: list[tuple[float, int]] = []
        """When a handler answered, and in which process."""
        self.entry_id: bytes | None = None
        self.stored_at: float | None = None
        self.deleted_at: float | None = None
        self.copies = 0
        self.second_hand = False
        """Whether its entry ID had been given out before: lost writes, and a clock that is behind them."""
        self.replies: list[Reply] = []
        self.moves: list[Move] | None = None
        """Who took it from whom; None where nobody watched."""
        self.last_sign: float | None = None
        """The last sign of life of its owner when it was deleted, or when all was over."""
        self.padding = 0
        """Bytes of content beyond those that name it."""

    def added_at(self, entry_id: bytes) -> float:
        """When Redis stored an entry that belongs to it."""
        return next((reply.time for reply in self.replies if reply.entry_id == entry_id), self.stored_at or 0.0)

    def __repr__(self) -> str:
        return f"<Ask {self.number} {self.kind} to {self.destination} {self.status}>"


SHORT_OUTAGES = ("restart", "memory", "no writes")
"""Kinds of trouble of Redis that are not a fault as long as they are short."""
LONGEST_OUTAGE = 7.0
"""Seconds of no service, or of refused writes, from which on Redis has a fault."""


class Trouble(NamedTuple):
    """A stretch of time in which something was wrong with a process or with Redis.

    A process that is "redis away" is not to blame: all are. ``of``: the group that was hit, "" for all or where nobody knows.
    """

    start: float
    end: float
    kind: str
    of: str = ""


class Spans:
    """Finds the troubles of a list that touch a span of time, however many there are. The list may still grow."""

    def __init__(self, troubles: list[Trouble]) -> None:
        self.of: list[Trouble] = troubles
        self._sorted: list[Trouble] = []
        self._latest: list[float] = []
        """For each of them, the latest end of all that begin no later."""

    def touching(self, start: float, end: float) -> Iterator[Trouble]:
        """Those that begin before ``end`` and end after ``start``, the last one first."""
        if len(self._sorted) != len(self.of):
            self._sorted = sorted(self.of)
            self._latest = list(accumulate((trouble.end for trouble in self._sorted), max))
        for index in range(bisect_left(self._sorted, (end,)) - 1, -1, -1):
            if self._latest[index] <= start:
                return
            if self._sorted[index].end > start:
                yield self._sorted[index]


@dataclass
class Process:
    """The life of one endpoint. ``troubles``: paused, cut off, or not connected; ``full``: all places of handlers taken."""

    number: int
    group: str
    started_at: float
    up_at: float | None = None
    crashed_at: float | None = None
    closing_at: float | None = None
    closed_at: float | None = None
    troubles: list[Trouble] = field(default_factory=list)
    full: list[tuple[float, float]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    grace: float = 0.0
    """Seconds that it had to close in order."""
    gem: bool = False
    responder: bool = True
    asks_only: bool = False
    """A requester without a group."""
    connected_at: float = 0.0
    """When it was connected last."""
    _spans: Spans | None = field(default=None, repr=False, compare=False)

    @property
    def ended_at(self) -> float | None:
        """When it stopped taking part: crashed, or began to close."""
        ends = [end for end in (self.crashed_at, self.closing_at) if end is not None]
        return min(ends, default=None)

    def was_well(self, start: float, end: float) -> bool:
        """Connected, running and on time between two moments."""
        if self.up_at is None or self.up_at > start:
            return False
        if self.ended_at is not None and self.ended_at < end:
            return False
        return not self.was_troubled(start, end)

    def was_troubled(self, start: float, end: float) -> bool:
        """Whether there was a trouble at some moment of a span."""
        return any(self.troubles_in(start, end))

    def troubles_in(self, start: float, end: float) -> Iterator[Trouble]:
        """The troubles that touch a span of time."""
        if self._spans is None or self._spans.of is not self.troubles:
            self._spans = Spans(self.troubles)
        return self._spans.touching(start, end)

    def trouble_in(self, start: float, end: float, without: str = "") -> float:
        """Seconds of trouble (without one kind) within a span of time."""
        total, until = 0.0, start
        for trouble in sorted(t for t in self.troubles_in(start, end) if t.kind != without):
            total += max(0.0, min(trouble.end, end) - max(trouble.start, until))
            until = max(until, min(trouble.end, end))
        return total

    def ended_before(self, time: float) -> bool:
        """Whether it had died or begun to close by then."""
        return self.ended_at is not None and self.ended_at < time

    def left_before(self, time: float) -> bool:
        """Whether it had closed in order by then."""
        return self.closed_at is not None and self.closed_at < time

    def was_full(self, start: float, end: float) -> bool:
        """Whether it had no free place for a handler at some moment of a span."""
        # In the order of time and apart from each other: only the last one that begins before the end can reach into the span.
        index = bisect_left(self.full, (end,))
        return index > 0 and start < self.full[index - 1][1]

    def was_idle(self, start: float, end: float) -> bool:
        """Whether it was well, had a free place and started nothing in a span: it could have taken something."""
        if not self.was_well(start, end) or self.was_full(start, end):
            return False
        index = bisect_left(self.starts, start)
        return index == len(self.starts) or self.starts[index] >= end

    def stood_still(self, start: float, end: float) -> float:
        """For how many seconds of a span it was paused. Pauses never overlap."""
        spans = [(max(start, t.start), min(end, t.end)) for t in self.troubles_in(start, end) if t.kind == "paused"]
        return sum(last - first for first, last in spans if last > first)

    def longest_trouble(self, start: float, end: float, without: str = "") -> float:
        """The longest stretch of trouble (without one kind), in seconds, that reaches into a span of time."""
        spans = sorted((t.start, t.end) for t in self.troubles_in(start, end) if t.kind != without)
        longest = begin = until = 0.0
        for first, last in spans:
            if first > until:
                begin = first
            until = max(until, min(last, end))
            longest = max(longest, until - begin)
        return longest


@dataclass
class History:
    """Everything that one simulated world leaves behind for the checker."""

    seed: int
    asks: list[Ask] = field(default_factory=list)
    by_id: dict[bytes, Ask] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)
    redis: list[Trouble] = field(default_factory=list)
    steps: list[tuple[float, float]] = field(default_factory=list)
    """When Redis' clock stepped, and by how many seconds."""
    late: list[tuple[float, int]] = field(default_factory=list)
    """When Redis executed commands of a connection that its process, by number, had given up."""
    violations: list[tuple[str, str, int | None]] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    """How often each fault really struck (``coverage.FAULTS``), and each kind of work was done (``coverage.WORK``)."""

    lost: list[tuple[float, frozenset[bytes]]] | None = None
    """When Redis came back without writes, and the entries of which it lost one; None where nobody compared."""

    limit: int = 0
    """Bytes of one body from which on a reply breaks its connection; 0 for no limit."""

    _spans: Spans | None = field(default=None, repr=False, compare=False)

    def violation(self, guarantee: str, text: str, ask: Ask | None = None) -> None:
        self.violations.append((guarantee, text, None if ask is None else ask.number))

    def unreadable(self, ask: Ask) -> bool:
        """Whether its body breaks each connection over which it is read."""
        return 0 < self.limit <= ask.padding

    def clock_steps(self, start: float, end: float) -> list[float]:
        """The size of each step of Redis' clock in a span of time."""
        return [abs(size) for time, size in self.steps if start < time < end]

    def printed_fault(self, start: float, end: float) -> bool:
        """Whether Redis had a fault by SPEC.md's definition that touches a span of time."""
        for trouble in self._redis_troubles(start, end):
            if trouble.kind in SHORT_OUTAGES and trouble.end - trouble.start < LONGEST_OUTAGE:
                continue
            if trouble.kind == "clock":
                continue
            return True
        return any(size > 1.0 for size in self.clock_steps(start - 0.001, end))

    def redis_fault(self, start: float, end: float, *kinds: str) -> bool:
        """Whether Redis had a fault (of these kinds) that touches a span of time."""
        return any(not kinds or trouble.kind in kinds for trouble in self._redis_troubles(start, end))

    def _redis_troubles(self, start: float, end: float) -> Iterator[Trouble]:
        if self._spans is None or self._spans.of is not self.redis:
            self._spans = Spans(self.redis)
        return self._spans.touching(start, end)
