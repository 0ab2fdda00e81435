"""The troubles, as moves: where a fault may strike in a state, what it does, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .configuration import Configuration, Fault
from .ports import WorkPort
from .state import ALIVE, CRASHED, FREE, IDLE, NEVER, REPLIED, SENT, WAITS, Seat, State, Zombie

Choice = tuple[Any, ...]
LOSING = frozenset(("lose write", "lose read", "cut"))
"""Faults by which the reply to something that was executed gets lost: then hearing it is a move of its own."""


class Prepared(NamedTuple):
    """A fault with its times in instants."""

    fault: Fault
    first: int
    last: int
    lasts: tuple[int, ...]

    def loses(self, member: int, time: int) -> bool:
        return self.fault.kind in LOSING and member in self.fault.members and self.first <= time <= self.last


def prepare(configuration: Configuration, fault: Fault) -> Prepared:
    instant = configuration.instant
    last = instant(min(fault.last, configuration.horizon))
    return Prepared(fault, instant(fault.first), last, tuple(map(instant, fault.seconds)))


def choices(state: State, prepared: Prepared) -> list[Choice]:
    """Where this fault may strike now."""
    fault = prepared.fault
    if not prepared.first <= state.time <= prepared.last:
        return []
    if not fault.members:
        if fault.kind == "outage" and not state.up:
            return []
        return [(fault.kind, lasts, fault.about) for lasts in prepared.lasts]
    return [
        (fault.kind, lasts, fault.about, member)
        for member in fault.members
        if state.touched & 1 << member and _may_hit(fault.kind, state.seats[member])
        for lasts in prepared.lasts
    ]


def _may_hit(kind: str, seat: Seat) -> bool:
    if seat.life != ALIVE or seat.away != NEVER or seat.paused != NEVER:
        return False
    if kind == "lose write":
        return seat.write.phase != IDLE
    if kind == "zombie":
        return seat.write.phase == SENT
    if kind == "lose read":
        return seat.read.phase != IDLE
    return kind != "half-open" or seat.read.phase == WAITS


def strike(work: WorkPort, choice: Choice) -> None:
    """``choice``: kind, length in instants, what it is about, and the member that it hits."""
    kind, lasts, about = choice[:3]
    work.reached(f"fault {kind}")
    if len(choice) > 3:
        _OF_MEMBERS[kind](work, choice[3], lasts, about)
    else:
        _OF_REDIS[kind](work, lasts, about)


def _seconds(work: WorkPort, lasts: int) -> str:
    return f"for {lasts * work.world.configuration.grid:g} s"


# of one member


def _lose_write(work: WorkPort, member: int, _lasts: int, _about: Any) -> None:
    executed = work.seats[member].write.phase == REPLIED
    work.tell(member, f"its write connection breaks {'after' if executed else 'before'} execution")
    work.trouble(member, "cut")
    work.lose_write(member)


def _lose_read(work: WorkPort, member: int, _lasts: int, _about: Any) -> None:
    work.tell(member, "its read connection breaks")
    work.trouble(member, "cut")
    work.lose_read(member)


def _cut(work: WorkPort, member: int, lasts: int, _about: Any) -> None:
    """Both connections break, and there is no way to Redis for a while."""
    work.tell(member, f"is cut off {_seconds(work, lasts)}")
    work.trouble(member, "cut", lasts)
    if lasts:
        work.seats[member] = work.seats[member]._replace(away=work.time + lasts)
        work.after(lasts, "back", member)
    _break_both(work, member)


def _break_both(work: WorkPort, member: int) -> None:
    if work.seats[member].write.phase != IDLE:
        work.lose_write(member)
    if work.seats[member].read.phase != IDLE:
        work.lose_read(member)


def _back(work: WorkPort, member: int) -> None:
    work.tell(member, "can reach Redis again")
    work.seats[member] = work.seats[member]._replace(away=NEVER)


def _half_open(work: WorkPort, member: int, _lasts: int, _about: Any) -> None:
    """The client gives its blocked read up, and Redis does not hear of it before BLOCK is over."""
    work.tell(member, "its read connection breaks, which Redis does not see")
    work.trouble(member, "cut")
    seat = work.seats[member]
    reader = ("dead", member, work.time)
    work.redis = work.world.table.rename(work.redis, member, reader)
    work.after(seat.read.about - work.time, "dead read ends", reader)
    work.seats[member] = seat._replace(read=seat.read._replace(phase=SENT))
    work.lose_read(member)


def _dead_read_ends(work: WorkPort, reader: Any) -> None:
    work.redis = work.world.table.forget(work.redis, reader)


def _zombie(work: WorkPort, member: int, lasts: int, _about: Any) -> None:
    """The client gives a batch up that is still on its way: it may be executed later."""
    commands = work.world.memories[member].views[work.seats[member].state].batch
    work.tell(member, f"gives its connection up, on which {work.world.naming.show(commands)} is under way")
    work.trouble(member, "cut")
    work.zombies.append(Zombie(member, commands, work.time + lasts))
    work.lose_write(member)


def _pause(work: WorkPort, member: int, lasts: int, _about: Any) -> None:
    work.tell(member, f"stands still {_seconds(work, lasts)}")
    work.trouble(member, "paused", lasts)
    work.seats[member] = work.seats[member]._replace(paused=work.time + lasts)
    work.after(lasts, "resume", member)


def _resume(work: WorkPort, member: int) -> None:
    work.tell(member, "goes on")
    work.seats[member] = work.seats[member]._replace(paused=NEVER)


def _crash(work: WorkPort, member: int, _lasts: int, _about: Any) -> None:
    work.tell(member, "crashes")
    work.trouble(member, "crashed")
    work.redis = work.world.table.forget(work.redis, member)
    work.seats[member] = work.seats[member]._replace(life=CRASHED, write=FREE, read=FREE)


# of Redis


def _outage(work: WorkPort, lasts: int, _about: Any) -> None:
    work.tell("redis", f"is away {_seconds(work, lasts)}")
    work.trouble(NEVER, "outage", lasts)
    work.up = False
    work.after(lasts, "up")
    work.redis = work.world.table.stop(work.redis)
    for member, seat in enumerate(work.seats):
        if seat.life == ALIVE:
            _break_both(work, member)


def _up(work: WorkPort) -> None:
    work.tell("redis", "is back")
    work.up = True


def _refuse(work: WorkPort, lasts: int, about: tuple[Any, ...]) -> None:
    work.tell("redis", f"refuses writes {_seconds(work, lasts)}: {about[0]}")
    work.trouble(NEVER, "refusal", lasts)
    work.redis = work.world.table.refuse(work.redis, about[0])
    work.after(lasts, "accept")


def _accept(work: WorkPort) -> None:
    work.tell("redis", "takes writes again")
    work.redis = work.world.table.refuse(work.redis, "")


def _operate(work: WorkPort, _lasts: int, about: tuple[Any, ...]) -> None:
    """An operator types: destroys a group, deletes the stream or a consumer."""
    work.trouble(NEVER, "deleted")
    _excuse(work, "deleted")
    work.operate("operator", about)


def _clock(work: WorkPort, _lasts: int, about: tuple[Any, ...]) -> None:
    work.tell("redis", f"its clock steps by {about[0]:g} s")
    work.trouble(NEVER, "clock-step")
    _excuse(work, "clock-step")
    work.redis = work.world.table.step_clock(work.redis, about[0])


def _rewind(work: WorkPort, _lasts: int, _about: Any) -> None:
    """Redis restarts with the data from before anything was asked: all writes since are lost."""
    work.tell("redis", "restarts, and has lost all writes since the beginning")
    work.trouble(NEVER, "writes-lost")
    _excuse(work, "writes-lost")
    work.redis = work.world.table.lose(work.redis, work.world.early)
    work.asks = [ask if ask.deleted != NEVER else ask._replace(deleted=work.time) for ask in work.asks]
    for member, seat in enumerate(work.seats):
        if seat.life == ALIVE:
            _break_both(work, member)


def _excuse(work: WorkPort, cause: str) -> None:
    """A request that is stored now may be started again for this cause; one that comes later may not."""
    work.asks = [ask if ask.settled else ask._replace(excuses=ask.excuses | {cause}) for ask in work.asks]


_OF_MEMBERS: dict[str, Callable[[WorkPort, int, int, Any], None]] = {
    "lose write": _lose_write, "lose read": _lose_read, "cut": _cut, "half-open": _half_open, "zombie": _zombie,
    "pause": _pause, "crash": _crash,
}  # fmt: skip
_OF_REDIS: dict[str, Callable[[WorkPort, int, Any], None]] = {
    "outage": _outage, "refuse": _refuse, "operate": _operate, "clock": _clock, "rewind": _rewind,
}  # fmt: skip
ENDS: dict[str, Callable[..., None]] = {
    "back": _back, "dead read ends": _dead_read_ends, "resume": _resume, "up": _up, "accept": _accept,
}  # fmt: skip
"""The end of each trouble, by the name of the act."""
