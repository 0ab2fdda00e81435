"""Why a request got no answer: one look at the group, after the request has ended."""

from __future__ import annotations

from typing import NamedTuple

from redisipc.cli.exits import NOBODY, TIMEOUT, Problem
from redisipc.cli.look.stream import Found, Group, look, no_group, no_stream
from redisipc.cli.output import ago, plural
from redisipc.cli.redis.client import Client


class Why(NamedTuple):
    """``code`` is for programs: no_stream, no_such_group, no_live_instance, not_read, held, not_held, redis_away,
    no_right."""

    code: str
    text: str
    status: int


def why(client: Client, stream: str, group: str) -> Why:
    """The state of the stream and the group at this moment, in words."""
    try:
        found = look(client, stream, group)
        if found is None:
            return Why("no_stream", str(no_stream(client, stream)), NOBODY)
    except Problem as problem:
        if "NOPERM" in str(problem):
            return Why("no_right", "this user has no right to look at the group", TIMEOUT)
        return Why("redis_away", str(problem), problem.status)
    own = found.group(group)
    if own is None:
        return Why("no_such_group", no_group(found, group), NOBODY)
    if not own.alive:
        return Why("no_live_instance", nobody_lives(own), NOBODY)
    return _busy(own, found)


def nobody_lives(group: Group) -> str:
    """The group exists, and nobody of it gives a sign of life."""
    silent = [each for each in group.instances if each.state == "silent"]
    if silent:
        names = ", ".join(each.id for each in silent)
        return (
            f"group {group.name!r} has no living instance: {names} is registered and gave no sign of life for "
            f"{ago(silent[0].seen)}; it is paused, hung or cut off, or crashed"
        )
    deaf = [each for each in group.instances if each.alive]
    if deaf:
        return f"group {group.name!r} has {plural(len(deaf), 'instance')}, and none with a handler"
    seen = (
        f"last seen {ago(group.last_seen)} ago"
        if group.last_seen is not None
        else "its instances have left, or none ever joined"
    )
    return f"group {group.name!r} has no living instance ({seen})"


def _busy(group: Group, found: Found) -> Why:
    there = f"{plural(len(group.alive), 'living instance')} in group {group.name!r}"
    silent = [each for each in group.instances if each.state == "silent"]
    beside = f"; {', '.join(each.id for each in silent)} is silent and may hold it" if silent else ""
    if group.lag or (group.lag is None and _ahead(group.last_read, found.last_id)):
        waiting = f"at least {plural(group.lag, 'entry', 'entries')}" if group.lag else "entries"
        return Why("not_read", f"not read yet: {there}, {waiting} not read{beside}", TIMEOUT)
    held = [f"{each.id} ({each.pending} pending)" for each in group.instances if each.pending]
    if held:
        return Why("held", f"{there}; pending lists: {', '.join(held)}{beside}", TIMEOUT)
    either = "the handler answered nothing or too late, or the request was stored before the group was made"
    return Why("not_held", f"{there}, nothing waits there: {either}{beside}", TIMEOUT)


def _ahead(last_read: str, last_id: str) -> bool:
    def parts(id: str) -> tuple[int, int]:
        head, _, tail = id.partition("-")
        return int(head), int(tail or 0)

    return parts(last_read) < parts(last_id)
