"""Finds why a send got no answer: what Redis shows about the group that was asked, and about the request.

The questions go along with the last look, in a batch that is sent anyway. No outcome waits for them. They are asked
once a second at most, and many timeouts share the answers. A text says how old they are.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, NamedTuple

from . import replies
from .commands import GIVEN_BACK_FROM_MS, Command, Failure
from .endpoint_state import EndpointState
from .events import Outgoing
from .names import instance_of
from .redis_errors import PERMANENT, class_of, clause
from .settings import NEVER

ALIVE_MS = 30_000
"""From this idle time on, an instance counts as gone: each uses its consumers every 25 s (RIPC-LIFE-13)."""
_ASK_EVERY = 1.0
_ANSWERS_HOLD = 2.0
"""Seconds for which the answers are valid: they are asked for once a second, and come within half a second."""
_GROUPS = 4
_ENTRIES = 16
"""How many groups and entries one look asks about. For further ones, the finding is what is known of their group."""
_OLD = 0.05
"""Seconds from which on a text says how old the answers are."""


class Diagnosis(str, enum.Enum):
    """Why a request got no answer, as far as Redis shows it. Equal to the strings."""

    NO_SUCH_GROUP = "no_such_group"
    NO_LIVE_INSTANCE = "no_live_instance"
    NOT_READ = "not_read"
    HELD = "held"
    NOT_HELD = "not_held"
    REDIS_AWAY = "redis_away"

    def __str__(self) -> str:
        return self.value


class Finding(NamedTuple):
    """``word``: None where Redis does not show why; ``text`` for the user, perhaps empty."""

    word: Diagnosis | None
    text: str


NOTHING = Finding(None, "")
_UNACKNOWLEDGED = Finding(None, "Redis did not acknowledge the request, so it may not be stored")


def away(trouble: str) -> Finding:
    """Redis cannot be reached, or did not take the request."""
    return Finding(Diagnosis.REDIS_AWAY, trouble)


def missing(destination: str, groups: Iterable[bytes]) -> str:
    """The text about a group that does not exist. ``groups``: those that exist."""
    names = sorted(name.decode("utf-8", "replace") for name in groups)
    if not names:
        return f"there is no group {destination!r}, and no other group here: nobody ever connected to this stream"
    import difflib  # imported here, since it is rare and costs time

    here = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    close = difflib.get_close_matches(destination, names, 1)
    return f"there is no group {destination!r} (groups here: {here})" + (
        f"; did you mean {close[0]!r}?" if close else ""
    )


class Asked(NamedTuple):
    """The questions of one look: ``at`` this time, about these groups, and about these entries of them."""

    at: float
    groups: list[bytes]
    entries: list[tuple[bytes, bytes]]


class Diagnoser:
    """``of`` says what is known about a request whose time is over."""

    def __init__(self, shared: EndpointState) -> None:
        self.shared = shared
        self._allowed = shared.settings.diagnosis
        self._asked_at = self._seen_at = self._of_time = -NEVER
        self._groups: dict[bytes, Any] = {}
        self._living: dict[bytes, tuple[int, float | None]] = {}
        self._owners: dict[bytes, replies.PendingEntry | None] = {}

    def ask(self, looking: Iterable[Outgoing], now: float) -> Asked | None:
        """The questions for the next look. None if a look asked a moment ago."""
        if not self._allowed or now - self._asked_at < _ASK_EVERY:
            return None
        self._asked_at = now
        asked = Asked(now, [], [])
        for outgoing in looking:
            group = outgoing.destination.encode()
            if group not in asked.groups:
                if len(asked.groups) >= _GROUPS:
                    continue
                asked.groups.append(group)
            if outgoing.entry_id is not None and len(asked.entries) < _ENTRIES:
                asked.entries.append((group, outgoing.entry_id))
        return asked if asked.groups else None

    def lines(self, asked: Asked) -> list[Command]:
        stream = self.shared.names.stream
        return [
            ("XINFO", "GROUPS", stream),
            *(("XINFO", "CONSUMERS", stream, group) for group in asked.groups),
            *(("XPENDING", stream, group, id, id, 1) for group, id in asked.entries),
        ]

    def take(self, asked: Asked, answers: list[Any], now: float) -> None:
        """The replies to ``lines``."""
        if any(isinstance(answer, Failure) and class_of(answer) is PERMANENT for answer in answers):
            # Without the right, every timeout would leave a line in the log of Redis.
            self._allowed = False
        rows, answers = answers[0], answers[1:]
        if isinstance(rows, Failure):
            return
        self._seen_at, self._of_time = now, asked.at
        self._groups = {replies.as_bytes(replies.lookup(row, b"name")): row for row in rows or ()}
        self._living = {
            group: living(reply)
            for group, reply in zip(asked.groups, answers, strict=False)
            if not isinstance(reply, Failure)
        }
        self._owners = {
            id: replies.owner_row(reply)
            for (_, id), reply in zip(asked.entries, answers[len(asked.groups) :], strict=False)
            if not isinstance(reply, Failure)
        }

    def of(self, outgoing: Outgoing, now: float) -> Finding:
        """The finding about a request that got no answer."""
        if outgoing.refusal and not outgoing.entry_id:
            return away(f"Redis refused to store it: {clause(outgoing.refusal)}")
        if not outgoing.entry_id and not self.shared.connected:
            return away(f"no working connection to Redis: {self.shared.trouble}")
        found, age = NOTHING, now - self._seen_at
        if age <= _ANSWERS_HOLD:
            found = self._of_answers(outgoing)
        elif not self.shared.reachable:
            return away(f"no working connection to Redis: {self.shared.trouble}")
        if not found.text:
            return found if outgoing.entry_id else _UNACKNOWLEDGED
        return found if age < _OLD else Finding(found.word, f"{found.text} ({age:.1f} s before)")

    def _of_answers(self, outgoing: Outgoing) -> Finding:
        group = outgoing.destination.encode()
        row = self._groups.get(group)
        if row is None:
            return Finding(Diagnosis.NO_SUCH_GROUP, missing(outgoing.destination, self._groups))
        owner = self._owners.get(outgoing.entry_id or b"")
        if owner is not None and owner.idle < GIVEN_BACK_FROM_MS:
            instance = (instance_of(owner.consumer) or owner.consumer).decode("utf-8", "replace")
            times = "once" if owner.deliveries <= 1 else f"{owner.deliveries} times"
            return Finding(Diagnosis.HELD, f"held by {outgoing.destination}/{instance} (delivered {times})")
        return self._not_held(outgoing, row, self._living.get(group), owner is not None)

    def _not_held(
        self, outgoing: Outgoing, row: Any, alive: tuple[int, float | None] | None, given_back: bool
    ) -> Finding:
        group = f"group {outgoing.destination!r}"
        count, seen = alive or (None, None)
        if count == 0:
            last = f" (last seen {seen:.0f} s ago)" if seen is not None else ""
            return Finding(Diagnosis.NO_LIVE_INSTANCE, f"{group} has no living instance{last}")
        members = "" if count is None else f": {count} instance{'s' * (count != 1)}"
        if given_back:
            return Finding(Diagnosis.NOT_READ, f"no instance of {group} had room for it{members}")
        if outgoing.sent_at > self._of_time:
            # The answers are older than the request. They say only which instances there were.
            return NOTHING
        if is_unread(row, outgoing.entry_id):
            seconds = f", the last active {seen:.0f} s ago" if count and seen is not None and seen >= 1.0 else ""
            return Finding(Diagnosis.NOT_READ, f"not read yet{members}{seconds}{_waiting(row)}")
        if outgoing.entry_id in self._owners:
            return Finding(Diagnosis.NOT_HELD, not_held(outgoing.destination))
        return read_past(row, outgoing.destination) if outgoing.entry_id is not None else NOTHING


def not_held(destination: str) -> str:
    """The text about a group that has read past a request and has it in no pending list.

    Redis does not show which of the two happened.
    """
    return (
        f"group {destination!r} does not hold it: it was stored before the group was made, "
        "or a member acknowledged it and wrote no answer that could be found"
    )


def living(reply: Any) -> tuple[int, float | None]:
    """How many instances of a group are alive, and for how many seconds the last one of all was idle: of XINFO CONSUMERS."""
    idle = idle_of_instances(reply)
    alive = sum(each < ALIVE_MS for each in idle.values())
    return alive, min(idle.values()) / 1000 if idle else None


def idle_of_instances(reply: Any) -> dict[bytes, int]:
    """Milliseconds for which each instance of a group has been idle, of XINFO CONSUMERS."""
    idle: dict[bytes, int] = {}
    for info in replies.consumers(reply):
        instance = instance_of(info.name)
        if instance is not None:
            idle[instance] = min(info.idle, idle.get(instance, info.idle))
    return idle


def is_unread(row: Any, entry_id: bytes | None) -> bool:
    """Whether a group (a row of XINFO GROUPS) has not reached an entry yet."""
    last = replies.lookup(row, b"last-delivered-id")
    if entry_id is None or last is None:
        return False
    return replies.id_parts(replies.as_bytes(last)) < replies.id_parts(entry_id)


def of_groups(reply: Any, outgoing: Outgoing) -> Finding:
    """The finding of a caller, which looks only at groups. ``reply``: the reply to XINFO GROUPS."""
    if isinstance(reply, Failure):
        return NOTHING
    row = replies.group_row(reply, outgoing.destination.encode())
    if row is None:
        names = [replies.as_bytes(replies.lookup(each, b"name")) for each in reply or ()]
        return Finding(Diagnosis.NO_SUCH_GROUP, missing(outgoing.destination, names))
    if not replies.lookup(row, b"consumers"):
        return Finding(Diagnosis.NO_LIVE_INSTANCE, f"group {outgoing.destination!r} has no instance")
    if is_unread(row, outgoing.entry_id):
        return Finding(Diagnosis.NOT_READ, f"not read yet{_waiting(row)}")
    return read_past(row, outgoing.destination)


def read_past(row: Any, destination: str) -> Finding:
    """The finding about a request that a group has read past, if nobody asked who holds it. ``row``: of XINFO GROUPS."""
    pending = replies.lookup(row, b"pending")
    if not pending:
        return NOTHING if pending is None else Finding(Diagnosis.NOT_HELD, not_held(destination))
    return Finding(
        Diagnosis.HELD,
        f"group {destination!r} has read past it and did not answer in time ({pending} pending there, perhaps this one)",
    )


def _waiting(row: Any) -> str:
    """How many entries the group has not read, if known (Redis 7, unless entries in between were deleted)."""
    lag = replies.lookup(row, b"lag")
    return f"; {lag} entries wait for the group" if isinstance(lag, int) and lag > 1 else ""
