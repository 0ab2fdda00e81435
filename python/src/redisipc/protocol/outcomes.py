"""The outcomes of a send without an answer, with the texts that its sender reads. Requesters and callers share them."""

from __future__ import annotations

from .commands import Failure
from .diagnosis import NOTHING, Finding
from .events import Outcome, Outgoing
from .redis_errors import advised, clause


def timed_out(outgoing: Outgoing, found: Finding = NOTHING) -> Outcome:
    """No answer came in time. ``found``: the reason, if it is known."""
    why = f": {found.text}" if found.text else ""
    reason = f"no answer from group {outgoing.destination!r} within {_waited(outgoing):g} s{why}"
    return Outcome("timeout", None, reason, found.word)


def refused(failure: Failure, what: str = "the request") -> Outcome:
    """Redis refuses what the send needs, and will also refuse it later."""
    return Outcome("failed", None, f"Redis refused {what}: {advised(failure)}")


def never_written(outgoing: Outgoing) -> Outcome:
    """Redis was not reached before the deadline of a caller."""
    reason = f"the request could not be written within {_waited(outgoing):g} s"
    said = clause(outgoing.refusal) or "Redis did not answer"
    return _failed(f"{reason}: {said}; is Redis running, and is it the one that url=, client= or REDIS_URL names?")


def not_found() -> Outcome:
    """Its write got no reply, and a caller's look has not found it."""
    broke = "the connection to Redis broke before the request was acknowledged, and it was not found"
    return _failed(f"{broke}; it may be stored")


def not_looked_for(outgoing: Outgoing) -> Outcome:
    """Its write got no reply, and there was no time left for a caller's look."""
    broke = "the connection to Redis broke before the request was acknowledged; Redis may have stored it"
    return _failed(f"{broke}: {clause(outgoing.refusal)}")


def _failed(reason: str) -> Outcome:
    return Outcome("failed", None, reason)


def _waited(outgoing: Outgoing) -> float:
    return outgoing.deadline - outgoing.sent_at
