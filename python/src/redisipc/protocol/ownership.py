"""Finds who owns a request, by its pending entry and its body. A claim follows that never takes it from another member.

The reply to a claim may lack a request without saying why. Its requester may have given it up, or another member may
have taken it over. Or its pending entry went with a group or a consumer that somebody deleted (RIPC-GROUP-32).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from . import commands, replies
from .commands import LATE_MS, Command
from .endpoint_state import EndpointState, Procedure, ProcedureFailed
from .events import Incoming

_MOST_AT_ONCE = 100
"""How many requests one batch checks at most."""
_ROUNDS = 3
"""How often the requests that a claim did not get are checked again."""
_CLAIMED_LATELY_MS = 3000
_QUICK_REPLY = 1.0
"""Seconds after which a reply is too old to tell the owners: bodies may be large, and links slow."""

GIVEN_UP = "its requester gave up"
TAKEN_OVER = "another member took the request over"


class Verdict(NamedTuple):
    """``ours``: claimed just now, ``kept_at`` says when; ``lost``: with the reason; ``gone``: their bodies are deleted."""

    ours: list[Incoming]
    lost: list[Incoming]
    gone: list[Incoming]


def checked(answers: list[Any], *allowed: str) -> list[Any]:
    """The replies. Only errors of these kinds may be among them."""
    failure = replies.first_failure(answers)
    if failure is not None and failure.kind not in allowed:
        raise ProcedureFailed(failure)
    return answers


def holds(reply: Any, incoming: Incoming) -> bool:
    """Whether XRANGE shows its body: under one entry ID another request may stand after a failover (RIPC-RECOV-4)."""
    if not reply:
        return False
    fields = reply[0][1]
    return any(fields[i] == b"id" and fields[i + 1] == incoming.id for i in range(0, len(fields), 2))


def verify(shared: EndpointState, held: Iterable[Incoming], anew: bool) -> Procedure[Verdict]:
    """Check each. Claim those without an owner, and those of ours that were not claimed recently. ``anew``: all of
    ours.

    RIPC-GROUP-30 to 32.
    """
    verdict = Verdict([], [], [])
    waiting = list(held)
    for _ in range(_ROUNDS):
        again: list[Incoming] = []
        while waiting:
            count = shared.sizes.count(_MOST_AT_ONCE)
            chunk, waiting = waiting[:count], waiting[count:]
            claims = yield from _look(shared, chunk, verdict, anew)
            if claims:
                again += yield from _claim(shared, claims, verdict)
        waiting = again
        if not waiting:
            break
    verdict.lost.extend(waiting)
    return verdict


def _look(
    shared: EndpointState, chunk: list[Incoming], verdict: Verdict, anew: bool
) -> Procedure[list[tuple[Incoming, int | None]]]:
    """Those to claim, each with its idle time in milliseconds: None if no consumer has it."""
    names = shared.names
    lines: list[Command] = []
    for incoming in chunk:
        lines += [
            commands.owner_of(names.stream, names.group, incoming.entry_id),
            commands.one(names.stream, incoming.entry_id),
        ]
    answers = checked((yield lines))
    owners, bodies = answers[0::2], answers[1::2]
    if shared.now - shared.sent_at > _QUICK_REPLY:
        owners = checked((yield lines[0::2]))
    claims: list[tuple[Incoming, int | None]] = []
    for incoming, owner, body in zip(chunk, owners, bodies, strict=True):
        row = replies.owner_row(owner)
        if not holds(body, incoming):
            verdict.gone.append(incoming)
        elif row is None:
            claims.append((incoming, None))
        elif row.consumer not in (names.dispatcher, names.consumer):
            verdict.lost.append(incoming)
        elif anew or row.idle >= _CLAIMED_LATELY_MS or row.consumer != names.dispatcher:
            claims.append((incoming, row.idle))
        else:
            incoming.kept_at = shared.sent_at - row.idle / 1000
            verdict.ours.append(incoming)
    return claims


def _claim(
    shared: EndpointState, claims: list[tuple[Incoming, int | None]], verdict: Verdict
) -> Procedure[list[Incoming]]:
    """Those that the claim did not get."""
    answers = checked((yield claim_lines(shared, claims)))
    got = {id for reply in answers for id in reply}
    again: list[Incoming] = []
    for incoming, _ in claims:
        if incoming.entry_id in got:
            incoming.kept_at = shared.sent_at
            verdict.ours.append(incoming)
        else:
            again.append(incoming)
    return again


def claim_lines(shared: EndpointState, claims: list[tuple[Incoming, int | None]]) -> list[Command]:
    """As few claims as possible. A member that claims one in between, after it was idle, keeps it (RIPC-GROUP-30)."""
    names = shared.names
    by_idle: dict[int, list[bytes]] = {}
    lines: list[Command] = []
    for incoming, idle in claims:
        if idle is None:
            lines.append(
                commands.take_up(names.stream, names.group, names.dispatcher, incoming.entry_id, incoming.starts)
            )
        else:
            by_idle.setdefault(least_idle(idle), []).append(incoming.entry_id)
    lines += [
        commands.keep(names.stream, names.group, names.dispatcher, ids, idle) for idle, ids in sorted(by_idle.items())
    ]
    return lines


def least_idle(idle: int) -> int:
    """The min-idle-time of a claim, by the idle time that was seen: no other member claims so rarely."""
    if idle >= LATE_MS:
        return LATE_MS
    return _CLAIMED_LATELY_MS if idle >= _CLAIMED_LATELY_MS else 0
