"""The entries and pending entries that are left when a run has come to rest, and those that may be left (G8)."""

from __future__ import annotations

from tests.simulation.checker import Checker
from tests.simulation.history import Ask, Process

from .limits import GEM, QUIESCENCE, STILL, SUSPECT
from .record import Record, seconds_in

TAKES = ("group", "trimmed", "failover", "rewind", "empty")
"""Faults of Redis that delete entries, or a group with its pending entries."""


def id_parts(entry: bytes) -> tuple[int, ...]:
    """An entry ID as numbers, which compare like the IDs."""
    return tuple(map(int, entry.split(b"-")))


class Residue(Checker):
    """The part of the judge for G8. ``unjudged``: the promises that this run cannot decide, and the reasons."""

    record: Record
    unjudged: list[str]

    def _residue(self) -> None:
        if self.record.left is None:
            self._say("G8", "nobody saw what was left")
            return
        rest = self.record.left_at - self.record.quiet_at
        still = seconds_in(self.record.still, self.record.quiet_at, self.record.left_at)
        if self.record.left and still > STILL * rest:
            self.unjudged.append(
                f"rest: the harness or Redis stood still for {still:.0f} of {rest:.0f} s, so G8 is not judged"
            )
            return
        processes = self.history.processes
        living = {p.group for p in processes if p.crashed_at is None} - {GEM}
        dead = [at for at in (self._gone_at(p) for p in processes) if at is not None]
        # Entries of a process that died a short time ago may still be there.
        due = not dead or max(dead) + QUIESCENCE < self.record.left_at
        destroyed = max((trouble.end for trouble in self.history.redis if trouble.kind in TAKES), default=0.0)
        asks = {id: self._of_entry(id) for _, id, _ in self.record.left}
        pending = [(asks[id], id, more[1]) for what, id, more in self.record.left if what == "pending"]
        running = {id for ask, id, consumer in pending if ask and self._runs_yet(ask, consumer)}
        for what, id, more in self.record.left:
            ask = asks[id]
            if id in running or (ask is not None and self._added_at(ask, id.encode()) <= destroyed):
                continue
            if ask is None and what == "entry" and self._stored_by(id.encode()) <= destroyed:
                # Nobody saw the reply to its XADD, nor ran it, since its pending entry was deleted.
                continue
            if ask is not None and more[-1] == ask.destination and self._before_its_group(ask, id.encode()):
                continue
            if ask is not None and not due and self._gone_at(processes[ask.sender]) is not None:
                continue
            if ask is None and not due and what == "pending" and self._is_of_the_dead(more[1]):
                # No reply named its request, and its body is deleted. So only the consumer shows its owner.
                continue
            if what == "entry" and more[-1] in living:
                self._say("G8", f"entry {id} to {more[-1]} ({more[5]}) is left", ask)
            elif what == "pending" and more[0] in living and not self._by_the_clock(more[1], more[2]):
                self._say("G8", f"{id} is left pending in {more[0]} for {more[1]}, idle {more[2] / 1000:.1f} s", ask)

    def _before_its_group(self, ask: Ask, entry: bytes) -> bool:
        """SPEC.md lists this: the entry came before its group was made again. A newcomer made it, since no member was alive."""
        at = self._added_at(ask, entry)
        lost = max((t.end for t in self.history.redis if t.kind in TAKES and t.end < at), default=None)
        members = [p for p in self.history.processes if p.group == ask.destination]
        return lost is not None and not any(
            p.up_at is not None and p.up_at <= at and (p.ended_at is None or p.ended_at > lost) for p in members
        )

    def _runs_yet(self, ask: Ask, consumer: str) -> bool:
        """Whether the process of this consumer was still running the handler of the entry."""
        owner = next((life.number for life in self.record.lives if life.instance and life.instance in consumer), None)
        started = sum(run.process == owner for run in ask.runs)
        ended = sum(key[1] == owner and time <= self.record.left_at for key, time in self._ends_of(ask))
        return started > ended and self.history.processes[owner or 0].crashed_at is None

    def _added_at(self, ask: Ask, entry: bytes) -> float:
        """The latest time at which Redis can have stored an entry of this request."""
        if ask.stored_at is None and all(entry != reply.entry_id for reply in ask.replies):
            return min(run.time for run in ask.runs)
        return ask.added_at(entry)

    def _stored_by(self, entry: bytes) -> float:
        """The latest time at which Redis can have stored it: a request with a higher ID was stored by then."""
        if any(trouble.kind == "clock" for trouble in self.history.redis):
            return float("inf")
        later = (
            ask.stored_at
            for ask in self.history.asks
            if ask.stored_at is not None and ask.entry_id is not None and id_parts(ask.entry_id) > id_parts(entry)
        )
        return min(later, default=float("inf"))

    def _by_the_clock(self, consumer: str, idle: float) -> bool:
        """Whether a dead member's entry counts as just claimed, because the clock was set back. ``idle``: ms."""
        if idle >= SUSPECT or not any(trouble.kind == "clock" for trouble in self.history.redis):
            return False
        lives = [life for life in self.record.lives if life.instance and life.instance in consumer]
        ended = [self.history.processes[life.number].ended_before(self.record.left_at) for life in lives]
        return bool(ended) and all(ended)

    def _is_of_the_dead(self, consumer: str) -> bool:
        lives = [life.number for life in self.record.lives if life.instance and life.instance in consumer]
        return bool(lives) and all(self._gone_at(self.history.processes[number]) is not None for number in lives)

    def _gone_at(self, process: Process) -> float | None:
        """The time at which it was killed, or left while it could not reach Redis."""
        if process.crashed_at is not None or process.closing_at is None or process.closed_at is None:
            return process.crashed_at
        start, end = process.closing_at, process.closed_at
        silent = self.history.redis_fault(start, end) or process.trouble_in(start, end) > 0.0
        return process.closed_at if silent else None

    def _of_entry(self, id: str) -> Ask | None:
        if not hasattr(self, "_by_entry"):
            self._by_entry: dict[bytes, Ask] = {}
            for ask in self.history.asks:
                # The reply to its XADD may have been lost. The process that ran it knows the entry, and the entry has its id.
                known = [ask.entry_id, *(run.entry_id for run in ask.runs), *(reply.entry_id for reply in ask.replies)]
                self._by_entry |= dict.fromkeys([each for each in known if each is not None], ask)
            for what, left, more in self.record.left or ():
                if what == "entry" and more[1].encode() in self.history.by_id:
                    self._by_entry.setdefault(left.encode(), self.history.by_id[more[1].encode()])
        return self._by_entry.get(id.encode())

    def _left(self) -> None:
        for process in self.history.processes:
            if process.closing_at is not None and process.closed_at is None and process.crashed_at is None:
                self._say("G8", f"process {process.number} never finished closing")

    def _ends_of(self, ask: Ask) -> list[tuple[tuple[int, int, int], float]]:
        if not hasattr(self, "_ends_by_ask"):
            self._ends_by_ask: dict[int, list[tuple[tuple[int, int, int], float]]] = {}
            for key, time in self.record.ends.items():
                self._ends_by_ask.setdefault(key[0], []).append((key, time))
        return self._ends_by_ask.get(ask.number, [])
