"""Why a request was started a second time: the causes that SPEC.md prints (G6), read from the same table, and none besides."""

from __future__ import annotations

from typing import NamedTuple

from ..support_tables import rows
from .history import Ask, History, Process, Run

LOST_WRITES = ("failover", "rewind", "empty")
"""Faults in which Redis loses acknowledged writes."""
DELETIONS = ("group", "stream", "trimmed")
"""Faults in which somebody else deletes a group, a consumer, the stream, a key or an entry."""
REFUSALS = ("no writes",)
"""Faults in which Redis refuses every write."""
LAST_CLAIM = 3.1
"""Seconds by which a trouble may be shorter than the silence: the last claim before it may be that old (RIPC-GROUP-9)."""
REDIS_AWAY = "redis away"
"""Trouble of a process that is not its own: it is not connected since Redis is away."""


class Cause(NamedTuple):
    """A row of the table: its bound in seconds, None where it has none, and which guarantees it excuses."""

    needs_s: float | None
    excuses: frozenset[str]


CAUSES = {id: Cause(row["needs_s"], frozenset(row["excuses"])) for id, row in rows("causes", "causes").items()}
"""Every answer of ``cause``."""


def cause(history: History, ask: Ask, first: Run, second: Run) -> str | None:
    """The cause of the second of two starts in a row, None where the table knows none."""
    owner, runner = history.processes[first.process], history.processes[second.process]
    if any(history.processes[number].gem for number in (first.process, second.process, ask.sender)) or _gem_near(
        history, ask
    ):
        return "gem"
    if _outlived(owner, ask, first, second):
        return "owner-closed"
    if _was_silent(history, owner, ask, first, second):
        return "owner-silent"
    if _was_late(history, runner, ask, second):
        return "runner-paused"
    if _lost_a_write(history, ask, first, second):
        return "writes-lost"
    if _was_deleted(history, ask, min(first.time, ask.stored_at or first.time), second.time):
        return "deleted"
    if any(step > (CAUSES["clock-step"].needs_s or 0.0) for step in history.clock_steps(ask.sent_at, second.time)):
        return "clock-step"
    # Whoever owned it meanwhile may have written a claim that is executed late.
    owners = {number for move in ask.moves or () for number in (move.before, move.after)}
    involved = {first.process, second.process, ask.sender, *owners}
    if any(number in involved and ask.sent_at <= time <= second.time for time, number in history.late):
        return "late-command"
    return None


def _outlived(owner: Process, ask: Ask, first: Run, second: Run) -> bool:
    """Whether its owner began to close before the second start, and had written no answer when it was gone."""
    if owner.closing_at is None or owner.closing_at > second.time:
        return False
    gone = min((end for end in (owner.closed_at, owner.crashed_at) if end is not None), default=second.time)
    return not any(first.time <= reply.time <= gone and reply.by == owner.number for reply in ask.replies)


def _lost_a_write(history: History, ask: Ask, first: Run, second: Run) -> bool:
    """Whether Redis lost a write of the request, its claims, its answer or its deletion; one from just before the start, too."""
    if not history.redis_fault(first.time - 0.001, second.time, *LOST_WRITES):
        return False
    if history.lost is None:
        return True
    entries = {ask.entry_id, first.entry_id, second.entry_id, *(reply.entry_id for reply in ask.replies)}
    return any(first.time <= time <= second.time and not lost.isdisjoint(entries) for time, lost in history.lost)


def _was_deleted(history: History, ask: Ask, start: float, end: float) -> bool:
    """Whether somebody else deleted the stream, or what belongs to the group of the request or of its sender."""
    groups = ("", ask.destination, history.processes[ask.sender].group)
    return any(
        trouble.start < end and start < trouble.end and trouble.kind in DELETIONS and trouble.of in groups
        for trouble in history.redis
    )


def _gem_near(history: History, ask: Ask) -> bool:
    groups = (ask.destination, history.processes[ask.sender].group)
    return any(process.gem for process in history.processes if process.group in groups)


def _was_silent(history: History, owner: Process, ask: Ask, first: Run, second: Run) -> bool:
    """Whether the request was claimed from its owner after it had shown no sign of life for long enough."""
    needs = CAUSES["owner-silent"].needs_s or 0.0
    if ask.moves is None:
        # Nobody watched the claims: who was in trouble for as long less the last keep-alive may have lost it.
        died = owner.crashed_at is not None and owner.crashed_at <= second.time
        return died or owner.longest_trouble(first.time - 4.0, second.time, REDIS_AWAY) >= needs - LAST_CLAIM
    return any(
        move.before == first.process
        and move.time <= second.time
        and move.silence >= needs
        and _was_troubled(history, owner, move.time - move.silence, move.time)
        for move in ask.moves
    )


def _was_late(history: History, runner: Process, ask: Ask, second: Run) -> bool:
    """Whether who started it last had stood still since it was given to it."""
    needs = CAUSES["runner-paused"].needs_s or 0.0
    if second.silence is None:
        return runner.longest_trouble(ask.sent_at, second.time, REDIS_AWAY) >= needs - LAST_CLAIM
    return second.silence >= needs and _was_troubled(history, runner, second.time - second.silence, second.time)


def _was_troubled(history: History, process: Process, start: float, end: float) -> bool:
    """Whether it died, stood still, was cut off, or its writes were refused: Redis being away does not count."""
    if process.crashed_at is not None and process.crashed_at <= end:
        return True
    if history.redis_fault(start, end, *REFUSALS):
        return True
    return process.trouble_in(start, end, REDIS_AWAY) >= 1.0
