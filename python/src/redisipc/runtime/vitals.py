"""The state of an endpoint: its counts, and whether it can work. Also the living instances of another group."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from redisipc.errors import RequestFailed, RequestTimeout
from redisipc.protocol.commands import Failure
from redisipc.protocol.diagnosis import Diagnosis
from redisipc.protocol.events import State

if TYPE_CHECKING:
    from redisipc.protocol.peers import Peer

    from .session import BaseSession

Word = Literal["up", "busy", "down", "joining", "closing", "not connected"]
STATES: dict[State, Word] = {
    State.NEW: "joining",
    State.JOINING: "joining",
    State.UP: "up",
    State.DOWN: "down",
    State.CLOSING: "closing",
    State.CLOSED: "not connected",
}
POLL = 0.2
"""Seconds between two checks of ``wait_for_group``."""


@dataclass(frozen=True)
class Stats:
    """Numbers of one connection of a ``Stream``, from ``connect()`` on. Times are seconds.

    At this moment: ``outstanding`` own requests without an outcome, ``running`` handlers, ``waiting`` requests that no
    handler has started yet, ``connections`` to Redis. ``oldest`` is the time since the oldest request in progress came, or
    since the oldest handler was started.

    Since ``connect()``: ``fulfilled`` and ``rejected`` answers that were written, ``failed`` handlers, ``timeouts`` of own
    requests, ``reconnects``.
    """

    outstanding: int = 0
    running: int = 0
    waiting: int = 0
    oldest: float = 0.0
    connections: int = 0
    fulfilled: int = 0
    rejected: int = 0
    failed: int = 0
    timeouts: int = 0
    reconnects: int = 0


@dataclass(frozen=True)
class Health:
    """Whether an endpoint can work.

    ``state`` is one of ``"up"``, ``"busy"`` (all handlers have been busy for longer than ``timeout``), ``"down"`` (Redis
    cannot be reached), ``"joining"``, ``"closing"`` and ``"not connected"``. ``since`` is when this state began, in Unix
    seconds; for ``"busy"``, when the endpoint came up. It is 0 before ``connect()``. ``reason`` says why the endpoint is
    busy or down.
    """

    state: Word
    since: float = 0.0
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is up and not busy."""
        return self.state == "up"


def stats_of(session: BaseSession, outstanding: int) -> Stats:
    """It never waits, and may be called from any thread."""
    endpoint, now = session.endpoint, time.monotonic()
    responder, counts = endpoint.wiring.responder, endpoint.shared.counts
    came = [incoming.received_at for incoming in list(endpoint.shared.inflight.values())]
    came += list(responder.started.values())
    return Stats(
        outstanding=outstanding,
        running=responder.running,
        waiting=len(responder.queue),
        oldest=max(0.0, now - min(came)) if came else 0.0,
        connections=sum(connection.transport is not None for connection in session.driver.connections),
        fulfilled=counts.fulfilled,
        rejected=counts.rejected,
        failed=counts.failed,
        timeouts=counts.timeouts,
        reconnects=session.reconnects,
    )


def health_of(session: BaseSession) -> Health:
    """It never waits, and may be called from any thread."""
    if session.cut_off:
        return Health("not connected", 0.0, session.cut_off)
    state = STATES[session.endpoint.state]
    if state == "up" and (reason := session.endpoint.wiring.busy.reason(time.monotonic())):
        return Health("busy", session.since, reason)
    # The last attempt says why Redis is still away. The first one said only why the connection broke.
    trouble = session.endpoint.shared.trouble or session.reason
    return Health(state, session.since, trouble if state in ("down", "joining") else "")


def peers_of(found: list[Any], group: str, stream: str, limit: float) -> tuple[Peer, ...]:
    """The peers that were found in a group. Raises ``RequestTimeout``, ``RequestFailed``."""
    if not found or found[0] is None:
        why = "no working connection to Redis"
        raise RequestTimeout(
            f"Redis did not show within {limit:g} s who is in group {group!r}: {why}",
            diagnosis=str(Diagnosis.REDIS_AWAY),
            group=group,
            stream=stream,
        )
    if isinstance(found[0], Failure):
        raise RequestFailed(
            f"Redis refused to show who is in group {group!r}: {found[0].message}", group=group, stream=stream
        )
    return tuple(found[0])


def nobody_came(group: str, stream: str, limit: float) -> RequestTimeout:
    """The error for a group that nobody joined in time."""
    return RequestTimeout(
        f"group {group!r} has no living instance after {limit:g} s: start its program; it must use the stream {stream!r} of the "
        "same Redis and database",
        diagnosis=str(Diagnosis.NO_LIVE_INSTANCE),
        group=group,
        stream=stream,
    )
