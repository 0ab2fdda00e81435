"""The promises of single statements of SPEC.md beyond the guarantees: each violation is named after its statement."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

from .causes import DELETIONS, LOST_WRITES, REDIS_AWAY, REFUSALS
from .history import Ask, History, Run

FRESH = 3.3
"""Seconds that a delivery or claim may be old when its request is started, ways to Redis included."""
UNKNOWN = (*LOST_WRITES, *DELETIONS)
"""Faults after which nobody can know what was stored."""
ALONE = 6.0
"""Seconds beyond 2 for which it may lie with the only member: a lost read is over at Redis by then."""
LYING = 4.5
"""Seconds that a request may lie about in a group of which all members are well and one has a free place."""
CONNECTED_BEFORE_RECLAIM = 13.0
"""Seconds for which that member has to be connected: before, it may have to leave what was given back alone."""
RECLAIMED = 15.0
"""Seconds after its owner's last sign of life within which a request is reclaimed by a member that has a place."""
KNOWN_IN_TIME = 0.1
"""Seconds before its deadline by which a request must be stored, so that its sender surely knows the entry ID."""
IDLENESS = 0.4
"""Seconds that a request may wait while a member of its group has nothing to do."""
IDLENESS_UNWOKEN = 4.0
"""The same where wake-ups are off or get lost: a look now and then finds it."""
BESIDE = 8.0
"""Seconds within which a request is answered beside one whose body breaks connections."""
NEWCOMER = 10.0
"""Seconds after which a member without wake-ups has read the lists of its group again, and so knows who has joined. RIPC-GROUP-8
allows 30 s. Until then it gives nothing back to a newcomer."""


LOOK_LIMIT = 0.5
"""Seconds after which a last look may stop (RIPC-TIME-8)."""


class Statements:
    """Checks one request after the other; violations go into the history."""

    def __init__(self, plan: Any, history: History) -> None:
        self.plan = plan
        self.history = history
        self.excused: Counter[str] = Counter()
        """By promise, the sends that break it for no other reason than a last look that ran out of time."""

    def check(self, ask: Ask) -> None:
        groups = (ask.destination, self.history.processes[ask.sender].group)
        gems = any(process.gem for process in self.history.processes if process.group in groups)
        if gems or self.history.unreadable(ask):
            return
        for first, second in itertools.pairwise(ask.runs):
            self._not_for_a_refusal(ask, first, second)
            self._not_for_one_step(ask, first, second)
        self._started_fresh(ask)
        self._in_time(ask)
        self._left_to_handlers(ask)
        self._claimed_on(ask)
        self._alone(ask)
        self._under_another(ask)
        self._answer_written(ask)
        self._closed_in_order(ask)
        self._given_up_in_order(ask)
        self._ended_early(ask)
        self._settled_too_early(ask)
        self._beside_unreadable(ask)
        if self.plan.calm:
            self._calm(ask)

    def look_ran_out(self, ask: Ask, promise: str) -> bool:
        """Printed (RIPC-TIME-8, G9): its last look came to the end of its time, over a slow link or behind much else.

        To be asked last, for it counts the sends that nothing else excuses.
        """
        ran_out = bool(self.plan.looks_run_out and ask.outcomes and ask.outcomes[0] - ask.deadline >= LOOK_LIMIT - 0.02)
        self.excused[promise] += ran_out
        return ran_out

    def _say(self, statement: str, text: str, ask: Ask) -> None:
        self.history.violation(statement, text, ask)

    # second starts that the table excuses, but that a rule prevents

    def _owner_lived(self, first: Run, second: Run, ask: Ask) -> bool:
        owner = self.history.processes[first.process]
        start = min(first.time, ask.sent_at)
        kinds = (*DELETIONS, *LOST_WRITES)
        return (
            owner.number != second.process
            and not owner.ended_before(second.time)
            and not owner.trouble_in(start, second.time, REDIS_AWAY)
            and not (second.silence or 0.0) > 3.5
            and not self.history.redis_fault(start - 2.5, second.time, *kinds)
            and not self.history.late
        )

    def _not_for_a_refusal(self, ask: Ask, first: Run, second: Run) -> None:
        """Redis refused the claims of an owner that lives: nobody takes them for signs of its death (RIPC-RECOV-17)."""
        refused = self.history.redis_fault(first.time - 20.0, second.time, *REFUSALS)
        stepped = self.history.clock_steps(ask.sent_at, second.time)
        if refused and not stepped and self._owner_lived(first, second, ask):
            self._say("RIPC-RECOV-17", "was started again though its owner lived: Redis had taken no writes", ask)

    def _not_for_one_step(self, ask: Ask, first: Run, second: Run) -> None:
        """The second look finds the claims of an owner that lives: one step of the clock is not enough (RIPC-GROUP-14)."""
        steps = self.history.clock_steps(second.time - 8.0, second.time)
        refused = self.history.redis_fault(first.time - 20.0, second.time, *REFUSALS)
        if len(steps) == 1 and not refused and self._owner_lived(first, second, ask):
            self._say("RIPC-GROUP-14", "was started again after one step of the clock, though its owner lived", ask)

    def _started_fresh(self, ask: Ask) -> None:
        """Whoever starts a request knows that its last delivery or claim is not old (RIPC-GROUP-31)."""
        if self.plan.start_delay:
            # What happens between the core's word and the start is the cause runner-paused.
            return
        for run in ask.runs:
            if (run.silence or 0.0) > FRESH and not self.history.clock_steps(ask.sent_at - 60.0, run.time):
                self._say("RIPC-GROUP-31", f"was started {run.silence:.3f} s after its last delivery or claim", ask)

    def _left_to_handlers(self, ask: Ask) -> None:
        """Who has no handler leaves requests to siblings that have one (RIPC-GROUP-35)."""
        if (ask.content or b"").startswith(b'"no_handler: ') and self._somebody_free(ask, ask.sent_at, ask.outcomes[0]):
            self._say("RIPC-GROUP-35", "was rejected for want of a handler, though a sibling has one", ask)

    def _claimed_on(self, ask: Ask) -> None:
        """Who takes over what others left behind continues with it as handlers come free (RIPC-GROUP-15)."""
        for move in ask.moves or ():
            if move.given_back or move.after is None or move.silence < RECLAIMED:
                continue
            member, start = self.history.processes[move.after], move.time - IDLENESS_UNWOKEN
            since = min(start - 20.0, move.time - move.silence - 1.0)
            if self.history.redis_fault(since, move.time) or self.history.clock_steps(since, move.time):
                continue
            if member.was_well(start - CONNECTED_BEFORE_RECLAIM, move.time) and member.was_idle(start, move.time):
                self._say(
                    "RIPC-GROUP-15", f"was claimed after {move.silence:.1f} s by a member that had been idle", ask
                )

    # nothing is lost on the way back

    def _answer_written(self, ask: Ask) -> None:
        """An answer is stored as long as its request is the instance's own (RIPC-RESP-14, RIPC-GROUP-32)."""
        if ask.replies or ask.kind == "silent":
            return
        for time, number in ask.answered:
            start, end = time + 2.0, time + 4.0
            if ask.deadline < end or (ask.deleted_at is not None and ask.deleted_at < end):
                continue
            if any(move.before == number for move in ask.moves or ()):
                continue
            owner = self.history.processes[number]
            # Without its body a request is taken for given up.
            lost = self.history.redis_fault(ask.sent_at - 2.5, end, *LOST_WRITES, "stream")
            if owner.was_well(start, end) and not lost and not self.history.redis_fault(start, end):
                self._say("RIPC-RESP-14", f"was answered {ask.deadline - time:.3f} s before its deadline, in vain", ask)

    def _settled_too_early(self, ask: Ask) -> None:
        """Who is unregistered for a moment only still gets its response (RIPC-ROUTE-8)."""
        if ask.status != "timeout" or not ask.replies:
            return
        reply, sender = ask.replies[0], self.history.processes[ask.sender]
        if reply.time > ask.deadline - 0.1 or not sender.was_well(ask.sent_at, ask.deadline + 0.6):
            return
        kinds = {trouble.kind for trouble in self.history.redis}
        if kinds and kinds <= {"trimmed"}:
            self._say(
                "RIPC-ROUTE-8",
                f"timed out though its response was stored {ask.deadline - reply.time:.3f} s earlier",
                ask,
            )

    def _beside_unreadable(self, ask: Ask) -> None:
        """A body that breaks each connection does not keep its readers from all others (RIPC-RECOV-28)."""
        if self.history.limit and ask.timeout >= BESIDE and ask.status == "timeout" and not ask.replies:
            self._say("RIPC-RECOV-28", "timed out beside a body that breaks each connection", ask)

    # closing

    def _closed_in_order(self, ask: Ask) -> None:
        for first, second in itertools.pairwise(ask.runs):
            owner = self.history.processes[first.process]
            end = (owner.closing_at or 0.0) + owner.grace + 3.0
            if owner.closing_at is None or owner.crashed_at is not None or second.time < owner.closing_at:
                continue
            if not owner.trouble_in(first.time, end) and not self.history.redis_fault(first.time - 20.0, end):
                self._say("RIPC-LIFE-26", "was started again though its owner closed in order", ask)
        if (ask.content or b"").startswith(b"closing: ") and ask.runs and ask.replies:
            # The last one before the outcome: Redis may have lost those before it.
            reply = max((each for each in ask.replies if each.time <= ask.outcomes[0]), key=lambda each: each.time)
            # Taps do not see who wrote it: then it is who started it last.
            owner = self.history.processes[reply.by if reply.by >= 0 else ask.runs[-1].process]
            if owner.closing_at is not None and reply.time < owner.closing_at + owner.grace - 0.1:
                self._say("RIPC-LIFE-18", "was rejected before the time was over that its owner had to close", ask)
        sender = self.history.processes[ask.sender]
        if ask.status in ("closed", "timeout") and ask.replies and sender.closing_at is not None:
            stored, end = ask.replies[0].time, ask.outcomes[0]
            well = not sender.trouble_in(stored - 1.0, end) and not self.history.redis_fault(stored - 2.5, end)
            if (
                well
                and sender.closing_at <= end
                and stored < min(end, ask.deadline) - 0.6
                and not self.look_ran_out(ask, "RIPC-LIFE-15")
            ):
                late = end - stored
                self._say("RIPC-LIFE-15", f"ended as {ask.status}, its response was stored {late:.3f} s before", ask)

    def _given_up_in_order(self, ask: Ask) -> None:
        """A request that was given up is deleted: before the last look, and where nobody knew whether it was stored, afterwards."""
        if ask.status not in ("timeout", "cancelled", "no responders") or ask.stored_at is None or self.plan.bandwidth:
            return
        sender, end = self.history.processes[ask.sender], ask.outcomes[0]
        deleted = ask.deleted_at if ask.deleted_at is not None else float("inf")
        later = end + 10.0
        known = not self.history.redis_fault(ask.sent_at - 2.5, end, *UNKNOWN)
        calm = sender.was_well(end, later) and not self.history.redis_fault(end, later)
        if deleted > later and known and calm and all(number != ask.sender for _, number in self.history.late):
            self._say("RIPC-TIME-10", "was given up and not deleted", ask)
        calm = sender.was_well(ask.sent_at, end) and not self.history.redis_fault(ask.sent_at - 2.5, end)
        # Who did not know in time that it was stored finds it by the look, and deletes it afterwards (RIPC-TIME-10).
        known = ask.stored_at < ask.deadline - KNOWN_IN_TIME
        if ask.status == "timeout" and deleted > end and calm and known and not self.look_ran_out(ask, "RIPC-TIME-13"):
            self._say("RIPC-TIME-13", f"was deleted {deleted - end:.4f} s after its last look", ask)

    def _ended_early(self, ask: Ask) -> None:
        """Before its timeout a request ends only where its group does not exist (RIPC-REQ-16)."""
        if ask.status != "no responders" or self.history.redis_fault(0.0, ask.outcomes[0], *UNKNOWN):
            return
        members = [process for process in self.history.processes if process.group == ask.destination]
        if any(process.up_at is not None and process.up_at < ask.outcomes[0] for process in members):
            self._say("RIPC-REQ-16", "ended for want of a group that had members", ask)

    # nothing lies about

    def _in_time(self, ask: Ask) -> None:
        """Nothing lies about while the whole group is well and a member has a free place all the time (RIPC-GROUP-25)."""
        if ask.stored_at is None or (ask.replies and not ask.runs) or self.plan.bandwidth:
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
        if self._somebody_free(ask, start, first) and not self._missed(ask):
            self._say(
                "RIPC-GROUP-25", f"lay about for {first - ask.stored_at:.3f} s while a member had a free place", ask
            )

    def _somebody_free(self, ask: Ask, start: float, end: float, before: float = CONNECTED_BEFORE_RECLAIM) -> bool:
        return any(
            process.group == ask.destination
            and process.responder
            and process.was_well(start - before, end)
            and not process.was_full(start, end)
            for process in self.history.processes
        )

    def _alone(self, ask: Ask) -> None:
        """A member that is alone and has a place starts what was given to it, even to a connection that died (RIPC-RECOV-21)."""
        members = [process for process in self.history.processes if process.group == ask.destination]
        if len(members) != 1 or ask.stored_at is None or not ask.runs or self.plan.bandwidth:
            return
        first, start = ask.runs[0].time, ask.stored_at + 2.0
        fault = self.history.redis_fault(ask.stored_at - 0.1, first)
        if (
            first > start + ALONE
            and not fault
            and members[0].was_well(start, first)
            and not members[0].was_full(start, first)
        ):
            self._say(
                "RIPC-RECOV-21", f"lay about for {first - ask.stored_at:.3f} s with a member that had a free place", ask
            )

    def _under_another(self, ask: Ask) -> None:
        """Under one entry ID there may be two requests, where Redis lost the first: both are run (RIPC-RECOV-4)."""
        if not ask.second_hand or ask.runs or ask.replies or ask.status != "timeout" or ask.timeout < 10.0:
            return
        if self._somebody_free(ask, (ask.stored_at or 0.0) + 4.0, ask.deadline, 0.0):
            self._say("RIPC-RECOV-4", "was taken for another request that had its entry ID before", ask)

    def _missed(self, ask: Ask) -> bool:
        """Whether the group was lost, and made again by one who came later and could not know what was sent meanwhile."""
        stored = ask.stored_at or 0.0
        if not self.history.redis_fault(0.0, stored, *DELETIONS, *LOST_WRITES):
            return False
        members = [process for process in self.history.processes if process.group == ask.destination]
        ups = [process.up_at for process in members if process.up_at is not None and process.up_at > stored]
        return bool(ups) and not any(process.was_well(stored, min(ups)) for process in members)

    # where nothing goes wrong

    def _calm(self, ask: Ask) -> None:
        for run in ask.runs:
            # Over a slow link the reply to the look itself may take as long.
            if ask.deleted_at is not None and run.time - ask.deleted_at > 1.2 and not self.plan.bandwidth:
                self._say(
                    "RIPC-RESP-13", f"was started {run.time - ask.deleted_at:.3f} s after its requester gave up", ask
                )
        if self.plan.bandwidth:
            return
        if ask.stored_at is not None and (ask.runs or not ask.replies):
            first = ask.runs[0].time if ask.runs else min([ask.deadline, *ask.outcomes])
            woken = self.plan.wakeups and not self.plan.lost_wakeups
            limit = IDLENESS if woken else IDLENESS_UNWOKEN
            known = first if woken else ask.stored_at - NEWCOMER
            idle = self._idle(ask, first - limit + 0.05, first, known) if first - ask.stored_at > limit else None
            if idle is not None:
                self._say("RIPC-GROUP-33", f"waited {first - ask.stored_at:.3f} s though process {idle} was idle", ask)
        if ask.outcomes and ask.replies and ask.outcomes[0] - ask.replies[0].time > IDLENESS + 0.1:
            late = ask.outcomes[0] - ask.replies[0].time
            self._say("RIPC-GROUP-3", f"got its response {late:.3f} s after it was stored", ask)
        if ask.status == "timeout" and ask.runs and ask.kind in ("quick", "work", "later", "reject"):
            first = ask.runs[0].time
            if first + ask.duration < ask.deadline - 0.1:
                self._say("RIPC-RESP-5", "timed out though its handler was done in time", ask)

    def _idle(self, ask: Ask, start: float, end: float, known: float) -> int | None:
        """A member of the destination that had nothing to do, and was there before the moment ``known``."""
        for process in self.history.processes:
            there = process.up_at is not None and process.up_at < known
            if there and process.group == ask.destination and process.responder and process.was_idle(start, end):
                return process.number
        return None
