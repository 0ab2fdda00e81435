"""Judges one history by the properties that SPEC.md prints, G1 to G9, and by no other excuse than those printed there."""

from __future__ import annotations

import itertools
from collections import Counter
from math import inf

from redisipc.testing.redis_model.arguments import entry_key
from redisipc.testing.redis_model.data import Stream

from .causes import CAUSES, DELETIONS, LOST_WRITES, REFUSALS, cause
from .history import Ask, History, Process
from .statements import CONNECTED_BEFORE_RECLAIM, Statements
from .world import World

EPSILON = 1e-6
NEXT_START = 15.0
"""Seconds after its owner's last sign of life within which a request is started or rejected (G5)."""
SHORT = 8.0
"""Seconds of timeout up to which a request is started at most once (G4)."""
OUT_OF_REACH = "closed while Redis could not be reached"
"""The reason of a send whose instance disconnected without a connection: it could not delete its request."""
RETRIED = 0.5
"""Seconds between the end of a trouble and the deletion that it kept an instance from."""
OWN_WORDS = (b"overloaded: ", b"given_up: ", b'"too_old: ', b"closing: ", b'"no_handler: ', b'"not_encodable: ')
"""How rejections begin that an endpoint makes itself."""


class Checker:
    """Judges a world that has come to rest. Violations go into the history; ``causes`` counts second starts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.plan = world.plan
        self.history: History = world.history
        self._of_statements = Statements(world.plan, world.history)
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
            self._starts(ask, sender)
            self._at_least_once(ask)
            self._delivered(ask, sender)
            self._statements(ask)
        self._residue()
        if self.plan.leaves:
            self._left()

    @property
    def excused(self) -> Counter[str]:
        """By promise, the sends whose last look ran out of time, where nothing else excuses them."""
        return +self._of_statements.excused

    def _say(self, guarantee: str, text: str, ask: Ask | None = None) -> None:
        self.history.violation(guarantee, text, ask)

    def _statements(self, ask: Ask) -> None:
        """The promises of single statements beyond the properties."""
        self._of_statements.check(ask)

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

    def _starts(self, ask: Ask, sender: Process) -> None:
        runs = ask.runs
        if len(runs) < 2:
            return
        for first, second in itertools.pairwise(runs):
            why = cause(self.history, ask, first, second)
            excuses = CAUSES[why].excuses if why is not None else frozenset()
            if why is None:
                self._say("G6", f"was started again after {second.time - first.time:.3f} s without a cause", ask)
            else:
                self.causes[why] += 1
            if self.plan.calm and "G3" not in excuses:
                self._say("G3", f"was started {len(runs)} times, and nothing went wrong", ask)
            if ask.timeout <= SHORT and "G4" not in excuses and self._at_most_once(ask, sender, second.time):
                self._say("G4", f"was started {len(runs)} times though its timeout is {ask.timeout:g} s", ask)

    def _at_most_once(self, ask: Ask, sender: Process, second: float) -> bool:
        """Whether its requester was connected and Redis had no fault, so that it must not be started again."""
        end = max(second, ask.deadline + 1.0)
        return sender.was_well(ask.sent_at, end) and not self.history.printed_fault(ask.sent_at - 0.001, second)

    # G5

    def _at_least_once(self, ask: Ask) -> None:
        stored = ask.stored_at
        if stored is None or self.history.unreadable(ask):
            return
        ports = [run for run in ask.runs if not self.history.processes[run.process].gem]
        if len(ports) > 3 and not self.history.printed_fault(stored - 0.001, ports[-1].time):
            self._say("G5", f"was started {len(ports)} times", ask)
        if self._has_gems(ask):
            return
        for move in ask.moves or ():
            # Where its owner was not silent, the next owner's signs of life are those that count.
            if not move.given_back and move.silence >= (CAUSES["owner-silent"].needs_s or 0.0):
                self._started_by(ask, move.time - move.silence)
        last_sign = self._last_sign(ask)
        if last_sign is not None:
            self._started_by(ask, last_sign)

    def _last_sign(self, ask: Ask) -> float | None:
        """The last sign of life of its owner: while nobody has read it, its storing counts as one."""
        return ask.stored_at if ask.last_sign is None else ask.last_sign

    def _started_by(self, ask: Ask, last_sign: float) -> None:
        """It had an owner whose last sign of life this was: by then it is started, rejected or deleted."""
        due = last_sign + NEXT_START
        times = [run.time for run in ask.runs] + [reply.time for reply in ask.replies]
        if any(last_sign < time <= due + EPSILON for time in times):
            return
        if ask.deleted_at is not None and ask.deleted_at <= due:
            return
        if ask.replies and ask.replies[0].time <= last_sign:
            return
        if self.world.schedule.now < due or self.history.printed_fault((ask.stored_at or 0.0) - 0.001, due):
            return
        if self._somebody_free(ask, due - CONNECTED_BEFORE_RECLAIM, due) and not self._skipped(ask):
            self._say("G5", f"was neither started nor rejected {NEXT_START:g} s after its owner's last sign", ask)

    def _skipped(self, ask: Ask) -> bool:
        """Printed: stored while its group was gone, so that a newcomer, which made the group again at ``$``, skipped it."""
        if ask.entry_id is None or ask.stored_at is None:
            return False
        for made in self.world.watch.made_from.get(ask.destination.encode(), []):
            if made.time > ask.stored_at and made.last >= entry_key(ask.entry_id):
                maker = self.history.processes[made.by] if made.by >= 0 else None
                if maker is None or maker.up_at is None or maker.up_at > ask.stored_at:
                    return True
        return False

    def _somebody_free(self, ask: Ask, start: float, end: float) -> bool:
        """Whether a member of the destination was well and had a free place all the time, and Redis took its writes."""
        return any(
            process.group == ask.destination
            and process.responder
            and process.was_well(start, end)
            and not process.was_full(start, end)
            for process in self.history.processes
        ) and not self.history.redis_fault(start, end, *REFUSALS)

    def _has_gems(self, ask: Ask) -> bool:
        return any(process.gem and process.group == ask.destination for process in self.history.processes)

    # G9

    def _delivered(self, ask: Ask, sender: Process) -> None:
        """A response that was stored in time is the outcome, wherever it lies."""
        if ask.status != "timeout" or not ask.replies or sender.group in self._gem_groups():
            return
        reply = ask.replies[0]
        if reply.time > ask.deadline - 0.1 or self.history.printed_fault(ask.sent_at - 0.001, ask.deadline + 1.0):
            return
        well = sender.was_well(ask.deadline - 1.0, ask.outcomes[0])
        if well and not self._of_statements.look_ran_out(ask, "G9"):
            self._say("G9", f"timed out though its response was stored {ask.deadline - reply.time:.3f} s earlier", ask)

    # G8

    def _residue(self) -> None:
        world = self.world
        stream = world.server.model.keys.get(world.stream)
        if not isinstance(stream, Stream):
            if world.actors:
                self._say("G8", "the stream is gone and nobody made it again")
            return
        until = self._members_until()
        faults = [trouble for trouble in self.history.redis if trouble.kind in (*DELETIONS, *LOST_WRITES)]
        for id, fields in stream.bodies.items():
            ask = self.history.by_id.get(fields[1])
            if ask is not None and world.watch.lost_by_then(fields[11], ask.added_at(id), faults):
                continue
            if ask is not None and (self._is_unsure(ask, id) or self._unserved(ask, id)):
                continue
            if fields[11] in until and (ask is None or ask.added_at(id) <= until[fields[11]]):
                self._say("G8", f"entry {id.decode()} ({fields[5].decode()}) is left", ask)
        for group in stream.groups.values():
            if group.name not in until:
                continue
            for id, pending in group.pending.items():
                if pending.alive > until[group.name]:
                    continue
                ask = world.watch.by_entry.get(id)
                if ask is not None and self._unserved(ask, id):
                    continue
                self._say("G8", f"{id.decode()} is left pending for {pending.consumer.name.decode()}", ask)

    def _is_unsure(self, ask: Ask, entry_id: bytes) -> bool:
        """Printed: an unsure request that Redis stored after its last look."""
        if entry_id != ask.entry_id or not ask.outcomes:
            return False
        return any(number == ask.sender and time == ask.stored_at for time, number in self.history.late)

    def _unserved(self, ask: Ask, entry_id: bytes) -> bool:
        """Printed: a request to a group in which no instance has a handler, whose requester could not delete it before it ended.

        The same holds for one that nobody can read, and for one whose deletion Redis lost.
        """
        if self.history.unreadable(ask):
            return True
        lost = any(
            trouble.kind in LOST_WRITES and trouble.end > (ask.deleted_at or inf) for trouble in self.history.redis
        )
        if not lost and not self._could_not_delete(ask):
            return False
        served = any(
            process.group == ask.destination
            and process.responder
            and process.crashed_at is None
            and (process.closing_at is None or process.closing_at >= self.world.rest_at)
            for process in self.history.processes
        )
        return entry_id == ask.entry_id and not served

    def _could_not_delete(self, ask: Ask) -> bool:
        """Its requester died, or it was cut off or stood still until it had disconnected."""
        sender = self.history.processes[ask.sender]
        if sender.crashed_at is not None or ask.reason == OUT_OF_REACH:
            return True
        if sender.closing_at is None or ask.status not in ("closed", "timeout"):
            return False
        # Whoever was well again before the end of it had the time for one XDEL.
        end = sender.closed_at or inf
        return sender.was_troubled(max(sender.closing_at, end - RETRIED), end)

    def _members_until(self) -> dict[bytes, float]:
        """Until when a group had a connected member: for ever, or until the last of them had left in order.

        G8 speaks of groups with a connected member. Where all have left, what was there by then is gone too
        (RIPC-LIFE-19 to 21). Redis may execute a batch of a connection that was given up after that: nobody is left to see it.
        """
        until: dict[bytes, float] = {}
        for process in self.history.processes:
            if process.crashed_at is not None or process.asks_only or process.group in self._gem_groups():
                continue
            if process.closing_at is None:
                end = inf
            elif self.plan.leaves:
                end = inf if process.closed_at is None else process.closed_at
            else:
                continue
            group = process.group.encode()
            until[group] = max(until.get(group, 0.0), end)
        return until

    def _gem_groups(self) -> set[str]:
        """Entries that a gem leaves behind are its own (GEM-1, GEM-4, GEM-11)."""
        return {process.group for process in self.history.processes if process.gem}

    def _left(self) -> None:
        """Who closed in order left nothing behind (RIPC-LIFE-19 to 21)."""
        for process in self.history.processes:
            if process.closing_at is not None and process.closed_at is None and process.crashed_at is None:
                self._say("G8", f"process {process.number} never finished closing")
        if self.plan.faults or any(process.gem for process in self.history.processes):
            return
        model = self.world.server.model
        for key in model.keys:
            if key != self.world.stream:
                self._say("G8", f"key {key.decode()} is left by a closed process")
        stream = model.keys[self.world.stream]
        for group in stream.groups.values():
            for name in group.consumers:
                # Printed: something was pending for it when its member left, or its read was under way.
                if (group.name, name) not in self.world.watch.had_to_stay:
                    self._say("RIPC-LIFE-21", f"consumer {name.decode()} is left by a closed process")
