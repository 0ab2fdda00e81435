"""The instances of a group, as Redis and their announcements show them. They do not notice the look."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .announced import read
from .commands import Command, Failure
from .diagnosis import ALIVE_MS, idle_of_instances
from .endpoint_state import EndpointState, Procedure
from .names import Names
from .redis_errors import is_group_lost

MOST_ASKED = 1000
"""The most instances that one look asks about."""


class Peer(NamedTuple):
    """A living instance of a group. ``idle``: seconds since it last used its consumers. The rest is what it announces of
    itself, empty for one that announces nothing, such as a gem.
    """

    instance: str
    idle: float
    implementation: str = ""
    version: str = ""
    language: str = ""


def look_at(
    shared: EndpointState, group: str, now: float, ended: Callable[[list[Peer] | Failure | None], None]
) -> None:
    """Ask who is in ``group``. ``ended`` is given the living instances, what Redis refused, or None: the connection broke."""
    shared.called(now)
    shared.carry_out(_look(shared, group), lambda found, _now: ended(found), lambda _now: ended(None))


def _look(shared: EndpointState, group: str) -> Procedure[list[Peer] | Failure]:
    stream = shared.names.stream
    (reply,) = yield [("XINFO", "CONSUMERS", stream, group.encode())]
    if isinstance(reply, Failure):
        return [] if is_group_lost(reply) else reply
    idle = idle_of_instances(reply)
    names = Names(stream, group.encode(), b"")
    asked = list(idle)[:MOST_ASKED]
    lines: list[Command] = []
    for instance in asked:
        lines += [("LRANGE", names.registration_of(instance), 0, -1), ("GET", names.announcement_of(instance))]
    if not lines:
        return []
    answers = yield lines
    found: list[Peer] = []
    for index, instance in enumerate(asked):
        registered, announced = answers[2 * index], read(answers[2 * index + 1])
        # An instance that announces nothing may be idle for long while nothing comes. Only its availability list shows
        # that it lives.
        if registered and not isinstance(registered, Failure) and (not announced or idle[instance] < ALIVE_MS):
            about = [str(announced.get(key, "")) for key in ("implementation", "version", "language")]
            found.append(Peer(instance.decode("utf-8", "replace"), idle[instance] / 1000, *about))
    return found
