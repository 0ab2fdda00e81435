"""The host that a driver calls, to report and to ask: the part that both twins share."""

from __future__ import annotations

import logging
from time import monotonic
from time import time as wall_clock
from typing import TYPE_CHECKING

from redisipc.errors import ConnectionLost, EntryError, ReportedError
from redisipc.protocol.events import Outcome, Outgoing, Problem, State, StateChanged
from redisipc.protocol.redis_errors import GROUP_LOST_WORDS

from .handshake_errors import hint
from .vitals import STATES, Health

if TYPE_CHECKING:
    from .connection import Connection
    from .session import BaseSession

GROUP_LOST = tuple(GROUP_LOST_WORDS)


class BaseHost:
    """Turns events of the core into reports, log lines and outcomes."""

    def __init__(self, session: BaseSession, cluster: bool) -> None:
        self._base = session
        self._cluster = cluster
        self._state_told = Health("not connected")

    def connection_name(self, connection: Connection, instance: str) -> str:
        """The name that CLIENT LIST shows for a connection."""
        return f"redisipc:{self._base.stream}:{self._base.group}:{instance}:{connection.name}"

    def problem(self, problem: Problem) -> None:
        """An error for ``on_error``."""
        entry_id = problem.entry_id.decode() if problem.entry_id is not None else None
        kind = EntryError if problem.kind == "malformed" else ReportedError
        # Why no attempt succeeds stands behind the colon.
        advice = hint(problem.message.partition(": ")[2]) if problem.kind == "connection" else ""
        self._base.report(kind(problem.message + advice, kind=problem.kind, entry_id=entry_id, fields=problem.fields))

    def changed(self, event: StateChanged) -> None:
        """The endpoint changed its state. This is reported once, however often the endpoint tries to connect."""
        session = self._base
        session.since = wall_clock()
        if event.reason:
            session.reason, session.permanent = event.reason, event.permanent
        self._tell_state(event)
        if event.state is State.UP:
            session.reconnects += session.last_instance is not None
            session.last_instance = session.instance
            session.note(logging.INFO, "connected")
        elif event.state is State.DOWN and not event.told:
            what = "connection to Redis lost, trying again"
            if event.permanent:
                what = "Redis refuses this endpoint, trying again"
            elif "instance state changed" in event.reason:
                # The server ends a blocked read with the same error as for a lost group.
                what = "Redis became a replica, trying again"
            elif event.reason.startswith(GROUP_LOST):
                what = "the stream or the group is gone, making it again"
                if self._cluster:
                    # A node also sends this error when the stream's slot has moved to another node.
                    what = (
                        "the stream moved to another node, or it or the group is gone; following it or making it again"
                    )
            text = f"{what}: {event.reason}{hint(event.reason)}"
            session.note(logging.WARNING, text)
            if session.hooks.on_error is not None:
                session.report(ConnectionLost(text))

    def _tell_state(self, event: StateChanged) -> None:
        """Reports the same state for the same reason once."""
        session, before = self._base, self._state_told
        now = Health(STATES[event.state], session.since, event.reason)
        if (now.state, now.reason) != (before.state, before.reason):
            self._state_told = now
            if session.hooks.on_state is not None:
                session.call_hook("on_state", session.hooks.on_state, now)

    def tell_finished(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """One line for each own request, at the level DEBUG."""
        session = self._base
        if session.observing is not None:
            session.observing.ended(outgoing, outcome)
        if session.log_to.isEnabledFor(logging.DEBUG):
            took = (monotonic() - outgoing.sent_at) * 1000
            name = outgoing.id.decode()
            session.note(
                logging.DEBUG, f"request {name} to {outgoing.destination!r}: {outcome.status} after {took:.1f} ms"
            )

    def tell_left(self) -> None:
        """The endpoint has ended. Not reported if it never was connected."""
        if self._base.last_instance is not None:
            self._base.note(logging.INFO, "disconnected")
