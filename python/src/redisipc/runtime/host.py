"""What a driver tells and asks the twin that drives it: the part that both twins share."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from redisipc.errors import ConnectionLost, EntryError, ReportedError
from redisipc.protocol.events import Outcome, Outgoing, Problem, State, StateChanged
from redisipc.protocol.redis_errors import GROUP_LOST_WORDS

from .refusals import hint

if TYPE_CHECKING:
    from .base import BaseStream
    from .lane import Lane

GROUP_LOST = tuple(GROUP_LOST_WORDS)


class BaseHost:
    """Turns events of the core into reports, log lines and outcomes."""

    def __init__(self, stream: BaseStream) -> None:
        self._base = stream

    def connection_name(self, lane: Lane, instance: str) -> str:
        """What CLIENT LIST shows for a lane."""
        return f"redisipc:{self._base.group}:{instance}:{lane.name}"

    def finished(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """A request that was sent has its outcome: whoever waits left a function to call."""
        outgoing.data(outcome)  # type: ignore[operator]

    def problem(self, problem: Problem) -> None:
        """Something for ``on_error``."""
        entry_id = problem.entry_id.decode() if problem.entry_id is not None else None
        kind = EntryError if problem.kind == "malformed" else ReportedError
        self._base._report(kind(problem.message, kind=problem.kind, entry_id=entry_id, fields=problem.fields))

    def changed(self, event: StateChanged) -> None:
        """The endpoint changed its state; said once, however often it is tried."""
        stream = self._base
        if event.reason:
            stream._reason, stream._permanent = event.reason, event.permanent
        if event.state is State.UP:
            stream._last_instance = stream.instance
            stream._note(logging.INFO, "connected")
        elif event.state is State.DOWN:
            what = "connection to Redis lost, trying again"
            if event.permanent:
                what = "Redis refuses this endpoint, trying again"
            elif event.reason.startswith(GROUP_LOST):
                what = "the stream or the group is gone, making it anew"
            text = f"{what}: {event.reason}{hint(event.reason)}"
            stream._note(logging.WARNING, text)
            if stream._on_error is not None:
                stream._report(ConnectionLost(text))

    def tell_left(self) -> None:
        """The endpoint has ended. Not said where it never was connected."""
        if self._base._last_instance is not None:
            self._base._note(logging.INFO, "disconnected")
