"""The checker of the simulation, applied to real histories, and the checks that only real processes allow."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tests.simulation.causes import cause
from tests.simulation.checker import OWN_WORDS
from tests.simulation.history import Ask, Process

from .limits import (
    AT_ONCE,
    AWAY,
    BACK,
    GEM,
    GROUP_LOOKS,
    IN_TIME,
    NO_GROUP,
    PAUSE,
    RARE,
    RARE_SHARE,
    REFUSED_LATER,
    REFUSES,
    TAPS,
)
from .record import Record, seconds_in
from .residue import Residue

TABLE = Path(__file__).parents[3] / "schemas" / "1.0" / "tables" / "causes.json"


def printed_causes() -> set[str]:
    """The ids of the causes of a second start that SPEC.md lists."""
    (table,) = json.loads(TABLE.read_text(encoding="utf-8"))["tables"]
    return {row["id"] for row in table["rows"]}


class Judge(Residue):
    """Judges a record. ``check`` adds violations to its history: (guarantee, text, ask)."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.unjudged: list[str] = []
        """The promises that this run cannot decide, since the machine was too slow."""
        # A run on a machine that lets processes wait counts as a run with faults, too.
        struck = bool(record.faults) or any(process.troubles for process in record.history.processes)
        plan = SimpleNamespace(
            calm=not struck,
            faults=struck,
            leaves=True,
            restarts=0,
            wakeups=True,
            lost_wakeups=0.0,
            bandwidth=0.0,
            looks_run_out=True,
            start_delay=0.0,
        )
        # Of a world, the checker uses only its plan and its history. This class overrides the rest.
        super().__init__(cast(Any, SimpleNamespace(plan=plan, history=record.history)))

    def check(self) -> None:
        super().check()
        for ask in self.history.asks:
            sender = self.history.processes[ask.sender]
            if self._of_gem(ask):
                continue
            self._said(ask, sender)
            self._answered(ask)
            self._kept_while_leaving(ask, sender)
            self._without_cause(ask, sender)
        for process in self.history.processes:
            if self.record.lives[process.number].runtime != GEM:
                self._connections(process)
        self._causes()
        self._excuses()

    # The gem uses the protocol, and promises nothing.

    def _of_gem(self, ask: Ask) -> bool:
        return ask.destination == GEM or self.record.lives[ask.sender].runtime == GEM

    def _ends(self, ask: Ask, sender: Process) -> None:
        if self.record.lives[ask.sender].runtime == GEM:
            return
        # If a process stood still right after it wrote this row, it asked when it continued. The timeout begins then.
        near = sender.troubles_in(ask.sent_at, ask.sent_at + 2 * AT_ONCE)
        pauses = (trouble for trouble in near if trouble.kind == "paused")
        later = max((p.end - ask.sent_at for p in pauses if p.start - AT_ONCE <= ask.sent_at < p.end), default=0.0)
        late = max(0.0, ask.outcomes[0] - ask.deadline) if ask.outcomes else 0.0
        ask.deadline += min(later, late)
        super()._ends(ask, sender)
        ask.deadline -= min(later, late)

    def _belongs(self, ask: Ask) -> None:
        # The workers write a rejection as the user reads it, without the quotes that it may have on the wire.
        read, quoted = ask.content, b'"' + (ask.content or b"")
        if quoted.startswith(OWN_WORDS):
            ask.content = quoted
        super()._belongs(ask)
        ask.content = read

    def _starts(self, ask: Ask, sender: Process) -> None:
        if self._of_gem(ask):
            return
        if any(cause(self.history, ask, *pair) is None for pair in itertools.pairwise(ask.runs)):
            # After several short troubles in a row, the claims that the taps saw show how long the owner was silent.
            moves = self.record.moves.get(ask.number)
            ask.moves = moves and [move._replace(silence=move.silence + TAPS) for move in moves]
        super()._starts(ask, sender)
        ask.moves = None

    def _last_sign(self, ask: Ask) -> float | None:
        """None, since the taps do not show each sign of life. So this judge does not decide the 15 s of G5."""
        return None

    def _at_least_once(self, ask: Ask) -> None:
        if not self._of_gem(ask):
            super()._at_least_once(ask)

    def _delivered(self, ask: Ask, sender: Process) -> None:
        if not self._of_gem(ask):
            super()._delivered(ask, sender)

    def _statements(self, ask: Ask) -> None:
        if self._of_gem(ask):
            return
        # A deletion that was written in time counts as done in time (RIPC-TIME-13).
        replied, ask.deleted_at = ask.deleted_at, self.record.deletions.get(ask.number, ask.deleted_at)
        super()._statements(ask)
        ask.deleted_at = replied

    # G1, beyond the checker

    def _said(self, ask: Ask, sender: Process) -> None:
        """The library raises only the errors that it documents, and refuses nothing while no member leaves."""
        status, time = ask.status, ask.outcomes[0] if ask.outcomes else 0.0
        if status.startswith("raised:"):
            self._say("G1", f"raised {status.partition(':')[2]}: {ask.reason}", ask)
        elif status.startswith("refused:") and (sender.closing_at is None or sender.closing_at > time):
            self._say("G1", f"was refused with {status.partition(':')[2]}: {ask.reason}", ask)
        elif status == "failed" and not self.history.redis_fault(ask.sent_at - 1.0, time + 3.0, *REFUSES):
            self._say("G1", f"failed: {ask.reason}", ask)
        elif status == "no responders" and self._had_a_group(ask, time):
            self._say(
                "G1", f"ended {ask.deadline - time:.3f} s early as having no responders, and its group was there", ask
            )

    def _had_a_group(self, ask: Ask, end: float) -> bool:
        """Whether a member of the asked group had joined, and no fault deleted the group meanwhile."""
        joined = (process.up_at for process in self.history.processes if process.group == ask.destination)
        there = any(up is not None and up < end - GROUP_LOOKS for up in joined)
        return there and not self.history.redis_fault(ask.sent_at - AWAY, end, *NO_GROUP)

    # an answer that was given is written

    def _answered(self, ask: Ask) -> None:
        """A healthy member, or one that leaves in order, writes the answer of its handler unless the request is gone."""
        if ask.replies or ask.kind == "silent" or ask.id in self.record.unsure_answers or not ask.runs:
            return
        for run in ask.runs:
            owner = self.history.processes[run.process]
            end = next((t for (n, p, _), t in self._ends_of(ask) if p == run.process), None)
            if end is None or end > ask.deadline - IN_TIME or (ask.outcomes and ask.outcomes[0] < end + IN_TIME):
                continue
            since, until = min(ask.sent_at - 0.5, end - PAUSE), min(end + 2.0, ask.deadline)
            if self._served(owner, end - 0.2, until) and not self.history.redis_fault(since, until):
                self._say(
                    "ANSWER",
                    f"its handler ended {ask.deadline - end:.3f} s before the deadline, no answer was stored",
                    ask,
                )

    def _served(self, process: Process, start: float, end: float) -> bool:
        """Whether the member was alive, connected and on time; it may have been leaving."""
        if process.crashed_at is not None and process.crashed_at < end:
            return False
        return not process.was_troubled(start, end)

    # leaving loses nothing

    def _kept_while_leaving(self, ask: Ask, sender: Process) -> None:
        """A member that leaves in order takes each response that was stored before it has left."""
        if sender.closing_at is None or sender.closed_at is None or ask.status not in ("timeout", "closed"):
            return
        if not ask.replies or not ask.outcomes or not sender.closing_at <= ask.outcomes[0]:
            return
        stored = ask.replies[0].time
        end = ask.outcomes[0]
        in_time = stored < min(ask.deadline, sender.closed_at, end) - IN_TIME
        near = self.history.redis_fault(stored - 2.5, end + 0.5)
        if (
            in_time
            and self._served(sender, stored, end)
            and not near
            and not self._of_statements.look_ran_out(ask, "LEAVING")
        ):
            self._say(
                "LEAVING",
                f"ended as {ask.status}, its response was stored {ask.outcomes[0] - stored:.3f} s before",
                ask,
            )

    # a timeout has a cause

    def _without_cause(self, ask: Ask, sender: Process) -> None:
        """A request times out without a start only if a member had trouble or no handler was free."""
        if ask.status != "timeout" or ask.runs or ask.replies or ask.timeout < 1.0:
            return
        start, end = ask.sent_at - 6.0, ask.deadline + 0.1
        if self.history.redis_fault(start, end) or not sender.was_well(ask.sent_at - 0.5, end):
            return
        group = [process for process in self.history.processes if process.group == ask.destination]
        lived = [
            p for p in group if p.started_at < end and not p.left_before(start) and (p.crashed_at or end) > start - 15.0
        ]
        if lived and all(p.was_well(start, end) and not p.was_full(ask.sent_at, end) for p in lived):
            self._say("TIMEOUT", f"was run by nobody within {ask.timeout:g} s, and nothing was wrong", ask)

    # connections

    def _connections(self, process: Process) -> None:
        """A member loses its connection only by a fault, and is connected again soon after it."""
        life = self.record.lives[process.number]
        who = f"process {process.number} ({life.runtime})"
        for start, end in life.downs:
            faults = [f for f in self.record.faults if f.start - 0.2 <= end and start <= f.end + f.after + BACK]
            near = [f for f in faults if f.to_redis or process.number in f.processes or not f.processes]
            stalled = any(t.kind == "paused" and t.start <= end and start - 8.0 <= t.end for t in process.troubles)
            if not near and not stalled:
                self._say("AWAY", f"{who} was not connected for {end - start:.2f} s, and nothing was wrong")
            over = max((f.end for f in near), default=end)
            late = end - over
            # While the process or all its links stood still, it could not recover.
            paused = [(t.start, t.end) for t in process.troubles if t.kind == "paused"]
            if late - seconds_in([*self.record.still, *paused], over, end) > BACK:
                self._say("AWAY", f"{who} came back {late:.1f} s after {near[-1].name}")
        if life.hung:
            self._say("HUNG", f"{who} did not end on SIGTERM")
        elif life.code and process.crashed_at is None:
            self._say("WORKER", f"{who} ended with exit status {life.code}, and nobody did that")
        for time, note in life.notes:
            if not (note.startswith(REFUSED_LATER) and self._gave_up_leaving(process, time)):
                self._say("WORKER", f"{who}: {note}")

    def _gave_up_leaving(self, process: Process, time: float) -> bool:
        """Whether it left at once because Redis could not be reached. Then it refuses a later answer (RIPC-LIFE-26)."""
        start = process.closing_at
        return (
            start is not None
            and start <= time
            and (self.history.redis_fault(start, time) or process.was_troubled(start, time))
        )

    # G6: each excuse is a cause that SPEC.md lists

    def _causes(self) -> None:
        for name in self.causes.keys() - printed_causes():
            self._say("G6", f"a second run is excused by {name!r}, which SPEC.md does not print")

    # G9: excuses must be rare

    def _excuses(self) -> None:
        count = sum(self.excused.values())
        if count >= RARE and count > RARE_SHARE * len(self.history.asks):
            self._say("LOOKS", f"{count} sends are excused, as their last look ran out of time: such looks are rare")
