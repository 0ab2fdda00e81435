"""Proves G1 to G8 for one history, and what the rules promise beyond them; every doubt is a violation."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

from .causes import LOST_WRITES, cause
from .history import Ask, History, Process
from .redis_model.data import Stream

if TYPE_CHECKING:
    from .world import World

EPSILON = 1e-6
NEXT_START = 15.0
"""Seconds within which a crashed member's request starts again (G5)."""
CONNECTED = 13.0
"""Seconds for which a member has to be connected before it takes over what others left (G5)."""
LYING = 4.5
"""Seconds that a request may lie about in a group of which all members are well and one has a free place."""
IDLENESS = 0.4
"""Seconds that a request may wait while a member of its group has nothing to do."""
IDLENESS_UNHINTED = 4.0
"""The same where wake-ups are off or get lost: a look now and then finds it."""
OWN_WORDS = (b"overloaded: ", b"given_up: ", b"too_old: ", b"closing: ", b"no_handler: ", b"not_encodable: ")
"""How rejections begin that an endpoint makes itself."""


class Checker:
    """Judges a world that has come to rest. Violations go into the history; ``causes`` counts second runs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.plan = world.plan
        self.history: History = world.history
        self.causes: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()

    def check(self) -> None:
        if any(name == "CORE" for name, _, _ in self.history.violations):
            return
        for ask in self.history.asks:
            sender = self.history.processes[ask.sender]
            self.outcomes[ask.status or "none"] += 1
            self._ends(ask, sender)
            self._belongs(ask)
            self._runs(ask, sender)
            self._at_least_once(ask)
            self._in_time(ask)
            self._delivered(ask, sender)
            if self.plan.calm:
                self._calm(ask)
        self._residue()
        if self.plan.leaves:
            self._left()

    def _say(self, guarantee: str, text: str, ask: Ask | None = None) -> None:
        self.history.violation(guarantee, text, ask)

    # G1, G2

    def _ends(self, ask: Ask, sender: Process) -> None:
        if not ask.outcomes:
            if sender.crashed_at is None:
                self._say("G1", f"never ended (timeout {ask.timeout:g} s)", ask)
            return
        end = ask.outcomes[0]
        if len(ask.outcomes) > 1:
            self._say("G2", f"has {len(ask.outcomes)} outcomes", ask)
        late = end - ask.deadline
        # Only a process that stands still is excused, and only for as long as it does.
        if late > 1.0 + EPSILON and late - sender.stood_still(ask.deadline, end) > 1.0 + EPSILON:
            self._say("G1", f"ended {late:.3f} s after its deadline as {ask.status}", ask)
        if ask.status == "timeout" and late < -EPSILON:
            self._say("G1", f"timed out {-late:.3f} s before its deadline", ask)
        if ask.status == "closed" and sender.closing_at is None:
            self._say("G1", "ended as closed, but nobody closed", ask)
        if ask.status == "cancelled" and ask.cancelled_at is None:
            self._say("G1", "ended as cancelled, but nobody cancelled", ask)
        if ask.status == "failed" and not self.history.redis:
            self._say("G1", f"failed: {ask.reason}", ask)

    def _belongs(self, ask: Ask) -> None:
        content = ask.content
        if ask.status == "fulfilled" or (ask.status == "rejected" and content is not None and content[:1] == b"["):
            numbers = (content or b"")[1:-1].split(b",")
            if len(numbers) != 2 or int(numbers[0]) != ask.number or int(numbers[1]) > len(ask.runs):
                self._say("G2", f"has the outcome {content!r} of another request", ask)
            elif (ask.status == "rejected") != (ask.kind == "reject"):
                self._say("G2", f"is {ask.status}, its handler said otherwise", ask)
        elif ask.status == "rejected" and not (content or b"").startswith(OWN_WORDS):
            self._say("G2", f"was rejected with {content!r}, which nobody said", ask)

    # G3, G4, G6

    def _runs(self, ask: Ask, sender: Process) -> None:
        runs = ask.runs
        if len(runs) < 2:
            return
        redis_fault = self.history.redis_fault(ask.sent_at - 0.001, runs[-1].time)
        for first, second in itertools.pairwise(runs):
            why = cause(self.history, ask, first, second)
            if why is None:
                self._say("G6", f"was run again after {second.time - first.time:.3f} s without a cause", ask)
            else:
                self.causes[why] += 1
        if self.plan.calm:
            self._say("G3", f"was run {len(runs)} times, and nothing went wrong", ask)
        if ask.timeout < 10.0 and not redis_fault:
            for second in runs[1:]:
                if second.time - ask.sent_at >= 0 and sender.was_well(
                    ask.sent_at, max(second.time, ask.deadline + 1.0)
                ):
                    self._say("G4", f"was run {len(runs)} times though its timeout is {ask.timeout:g} s", ask)
                    break
        if len(runs) > 3 and not redis_fault:
            self._say("G5", f"was started {len(runs)} times", ask)

    # G5

    def _at_least_once(self, ask: Ask) -> None:
        if ask.stored_at is None or self.history.redis_fault(ask.stored_at - 2.5, ask.deadline + 30.0):
            return
        if not ask.runs:
            answered = ask.status == "rejected" or any(True for _ in ask.replies)
            given_up = ask.status in ("timeout", "no responders", "cancelled", "closed") or self._sender_left(ask)
            if not answered and not given_up:
                self._say("G5", f"was never run, outcome {ask.status or 'none'}", ask)
            return
        last = ask.runs[-1]
        owner = self.history.processes[last.process]
        died = owner.crashed_at
        if died is None or ask.replies or len(ask.runs) >= 3:
            return
        due = died + NEXT_START
        if (ask.deleted_at is None or ask.deleted_at > due) and self._somebody_free(ask, died - 11.0, due):
            self._say("G5", f"was not started within {NEXT_START:g} s after its owner crashed", ask)

    def _in_time(self, ask: Ask) -> None:
        """Nothing lies about while the whole group is well and a member has a free place all the time."""
        if ask.stored_at is None or (ask.replies and not ask.runs):
            return
        first = ask.runs[0].time if ask.runs else min([ask.deadline, *ask.outcomes])
        start = first - LYING
        if start < ask.stored_at or self.history.redis_fault(ask.stored_at - 0.001, first):
            return
        if ask.second_hand and ask.deleted_at is not None:
            # Whoever had the lost request under this ID deletes what he takes for it.
            return
        for process in self.history.processes:
            if process.group == ask.destination and process.started_at < first:
                crashed = process.crashed_at
                if crashed is not None and crashed < ask.stored_at - 20.0:
                    continue
                if not process.was_well(start, first) and not process.left_before(ask.stored_at):
                    return
        if self._somebody_free(ask, start, first, CONNECTED) and not self._missed(ask):
            self._say("G5", f"lay about for {first - ask.stored_at:.3f} s while a member had a free place", ask)

    def _missed(self, ask: Ask) -> bool:
        """Whether the group was lost, and made anew by one who came later and could not know what was sent meanwhile."""
        stored = ask.stored_at or 0.0
        if not self.history.redis_fault(0.0, stored, "group", *LOST_WRITES):
            return False
        members = [process for process in self.history.processes if process.group == ask.destination]
        ups = [process.up_at for process in members if process.up_at is not None and process.up_at > stored]
        return bool(ups) and not any(process.was_well(stored, min(ups)) for process in members)

    def _sender_left(self, ask: Ask) -> bool:
        """Whether its sender died, or began to close, while it waited."""
        ended = self.history.processes[ask.sender].ended_at
        return ended is not None and ended <= min([ask.deadline, *ask.outcomes])

    def _somebody_free(self, ask: Ask, start: float, end: float, before: float = 0.0) -> bool:
        """Whether a member of the destination was well, from ``before`` on, and had a free place all the time."""
        return any(
            process.group == ask.destination
            and process.was_well(start - before, end)
            and not process.was_full(start, end)
            for process in self.history.processes
        )

    def _idle(self, ask: Ask, start: float, end: float) -> int | None:
        """A member of the destination that had nothing to do."""
        for process in self.history.processes:
            if process.group == ask.destination and process.was_idle(start, end):
                return process.number
        return None

    # what rules 5, 7 and 8 promise

    def _delivered(self, ask: Ask, sender: Process) -> None:
        """A response that was stored in time is taken at the last look, wherever it lies."""
        if ask.status != "timeout" or not ask.replies:
            return
        reply = ask.replies[0]
        if reply.time > ask.deadline - 0.1 or self.history.redis_fault(reply.time - 2.5, ask.deadline + 1.0):
            return
        if sender.was_well(ask.deadline - 1.0, ask.deadline + 0.6):
            self._say("G1", f"timed out though its response was stored {ask.deadline - reply.time:.3f} s earlier", ask)

    def _calm(self, ask: Ask) -> None:
        for run in ask.runs:
            if ask.deleted_at is not None and run.time - ask.deleted_at > 1.2:
                self._say("R7", f"was started {run.time - ask.deleted_at:.3f} s after its requester gave up", ask)
        if ask.stored_at is not None and (ask.runs or not ask.replies):
            first = ask.runs[0].time if ask.runs else min([ask.deadline, *ask.outcomes])
            limit = IDLENESS if self.plan.hints and not self.plan.lost_hints else IDLENESS_UNHINTED
            idle = self._idle(ask, first - limit + 0.05, first) if first - ask.stored_at > limit else None
            if idle is not None:
                self._say("R8", f"waited {first - ask.stored_at:.3f} s though process {idle} was idle", ask)
        if ask.outcomes and ask.replies and ask.outcomes[0] - ask.replies[0].time > IDLENESS + 0.1:
            self._say("R5", f"got its response {ask.outcomes[0] - ask.replies[0].time:.3f} s after it was stored", ask)
        if ask.status == "timeout" and ask.runs and ask.kind in ("quick", "work", "later", "reject"):
            first = ask.runs[0].time
            if first + ask.duration < ask.deadline - 0.1:
                self._say("G3", "timed out though its handler was done in time", ask)

    # G8

    def _residue(self) -> None:
        world = self.world
        stream = world.server.model.keys.get(world.stream)
        if not isinstance(stream, Stream):
            if world.actors:
                self._say("G8", "the stream is gone and nobody made it again")
            return
        living = {process.group.encode() for process in self._living()}
        # What was pending in a group that somebody destroyed is pending nowhere any more,
        # and a deletion may be among the writes that were lost.
        kinds = ("group", *LOST_WRITES)
        destroyed = max((trouble.end for trouble in self.history.redis if trouble.kind in kinds), default=0.0)
        for id, fields in stream.bodies.items():
            ask = self.history.by_id.get(fields[1])
            if ask is not None and (ask.added_at(id) <= destroyed or self._missed(ask)):
                continue
            if fields[11] in living:
                self._say("G8", f"entry {id.decode()} ({fields[5].decode()}) is left", ask)
        for group in stream.groups.values():
            if group.name not in living:
                continue
            for id, pending in group.pending.items():
                ask = world.watch.by_entry.get(id)
                self._say("G8", f"{id.decode()} is left pending for {pending.consumer.name.decode()}", ask)

    def _living(self) -> list[Process]:
        """Who lived until everything was quiet."""
        return [
            p for p in self.history.processes if p.crashed_at is None and (p.closing_at is None or self.plan.leaves)
        ]

    def _left(self) -> None:
        """Who closed in order left nothing behind (rule 13)."""
        for process in self.history.processes:
            if process.closing_at is not None and process.closed_at is None and process.crashed_at is None:
                self._say("G8", f"process {process.number} never finished closing")
        if self.plan.faults:
            return
        model = self.world.server.model
        for key in model.keys:
            if key != self.world.stream:
                self._say("G8", f"key {key.decode()} is left by a closed process")
        if self.plan.restarts:
            # Whoever was out of grace left a handler's request pending, and its consumer for the others to bury.
            return
        stream = model.keys[self.world.stream]
        for group in stream.groups.values():
            for name in group.consumers:
                self._say("G8", f"consumer {name.decode()} is left by a closed process")
