"""One move of a world: a state taken apart and changed, with everything that follows at once, and put together again."""

from __future__ import annotations

from typing import Any

from . import acts, properties
from .chances import Chances
from .member import DONE, LOST, READ, READ_LOST, TICK
from .state import (
    ALIVE,
    CLOSED,
    FREE,
    GOING,
    IDLE,
    NEVER,
    REPLIED,
    SENT,
    WAITS,
    Connection,
    Item,
    Seat,
    State,
    Trouble,
)  # fmt: skip
from .tables import Ran
from .telling import told, told_read

_TICKS = 30
"""How often in a row a member may ask to be called at once before that counts as spinning."""
Said = list[tuple[float, str, str]]


class Work:
    """``broken``: properties that did not hold, and how. ``said``: the story, where one is written."""

    def __init__(self, world: Chances, state: State, said: Said | None = None) -> None:
        self.world = world
        self.time = state.time
        self.now = world.configuration.time(state.time)
        self.redis = state.redis
        self.seats = list(state.seats)
        self.asks = list(state.asks)
        self.troubles = list(state.troubles)
        self.script = list(state.script)
        self.zombies = list(state.zombies)
        self.faults = state.faults
        self.holds = state.holds
        self.up = state.up
        self.touched = 0
        self.broken: list[tuple[str, str]] = []
        self.said = said
        self._responses: list[bytes] = []

    def state(self) -> State:
        old = self.time - self.world.memory_of_trouble
        troubles = tuple(one for one in self.troubles if one.end == NEVER or one.end > old)
        return State(
            self.time, self.redis, tuple(self.seats), tuple(self.asks), troubles, tuple(sorted(self.script)),
            tuple(self.zombies), self.faults, self.holds, self.up, self.touched & self.world.choosy(self),
        )  # fmt: skip

    # the story

    def tell(self, who: int | str, text: str) -> None:
        if self.said is not None:
            name = who if isinstance(who, str) else self.world.naming.letter(who)
            self.said.append((self.time * self.world.configuration.grid, name, text))

    def name(self, entry: bytes, name: str) -> None:
        if self.said is not None:
            self.world.naming.entries[entry.decode()] = name

    def breaks(self, name: str, text: str) -> None:
        if name in self.world.configuration.properties:
            self.broken.append((name, text))
            self.tell("!", f"{name}: {text}")

    def reached(self, what: str) -> None:
        self.world.reached[what] += 1

    def may_lose(self, member: int) -> bool:
        """Whether a reply to this member may still get lost or stuck, or waits."""
        return self.world.lossy(self, member)

    # later

    def after(self, instants: int, kind: str, *about: Any) -> None:
        at = self.time + max(1, instants)
        self.script.append(Item(at, at, kind, about))

    def trouble(self, member: int, kind: str, instants: int = 0) -> None:
        self.troubles.append(Trouble(member, kind, self.time, self.time + instants))

    # Redis executes

    def write(self, member: int) -> None:
        """The batch of a member arrives."""
        seat = self.seats[member]
        commands = self.world.memories[member].views[seat.state].batch
        assert commands is not None
        ran = self.world.table.run(self.redis, self.now, commands)
        assert ran.reply is not None
        self.touched |= 1 << member
        self.seats[member] = Seat(
            seat.state, Connection(REPLIED, ran.reply), seat.read, seat.life, seat.paused, seat.away
        )
        self._ran(ran, self.world.naming.letter(member), commands)
        if not self.may_lose(member):
            self.hear_write(member)

    def read(self, member: int) -> None:
        """The blocking read of a member arrives."""
        world, seat = self.world, self.seats[member]
        read = world.memories[member].views[seat.state].read
        assert read is not None
        command, block = read
        ran = world.table.read(self.redis, self.now, command, member)
        self.touched |= 1 << member
        if ran.reply is None:
            self._reads(member, Connection(WAITS, self.time + world.configuration.instant(block)))
            self._ran(ran)
            return
        self._reads(member, Connection(REPLIED, ran.reply))
        self._ran(ran)
        self._tell_read(member, ran.reply)
        if world.is_error(ran.reply):
            # Takes a moment, so that one that is refused again and again does not stop the time.
            self._reads(member, Connection(REPLIED, ran.reply, self.time))
            self.after(1, acts.RELEASE, member)
        elif not self.may_lose(member):
            self.hear_read(member)

    def operate(self, who: str, commands: tuple[Any, ...]) -> None:
        """Somebody who is not a member executes something."""
        self._ran(self.world.table.run(self.redis, self.now, commands), who, commands)

    def _ran(self, ran: Ran, who: str = "", commands: tuple[Any, ...] = ()) -> None:
        self.redis = ran.state
        for fact in ran.facts:
            properties.fact(self, fact)
        if self.said is not None and commands and ran.reply is not None:
            for line in told(commands, self.world.table.replies.values[ran.reply], self.world.naming.show):
                self.tell(who, line)
        for reader, reply in ran.served:
            self._served(reader, reply)
        while self._responses:
            self.operate("asker", (("XDEL", b"s", self._responses.pop()),))

    def _served(self, reader: Any, reply: int) -> None:
        self._tell_read(reader, reply)
        if type(reader) is int:
            self.touched |= 1 << reader
            self._reads(reader, Connection(REPLIED, reply))
            if not self.may_lose(reader):
                self.hear_read(reader)

    def responded(self, entry: bytes, fields: tuple[bytes, ...]) -> None:
        """A response was stored: a requester that is not a member takes it at once."""
        if fields[3] != acts.ASKER:
            return
        self._responses.append(entry)
        for index, ask in enumerate(self.asks):
            if ask.id == fields[1] and not ask.outcome:
                self.asks[index] = ask._replace(outcome="fulfilled", ended=self.time)

    # a member hears

    def hear_write(self, member: int) -> None:
        reply = self._write_free(member).about
        self._input(member, (DONE, reply), (DONE, self.world.table.replies.values[reply]))

    def hear_read(self, member: int) -> None:
        reply = self.seats[member].read.about
        self._reads(member, FREE)
        self._input(member, (READ, reply), (READ, self.world.table.replies.values[reply]))
        if self.world.is_error(reply) and self.seats[member].read.phase == SENT:
            self.breaks("no-pause", f"{self.world.naming.letter(member)} reads again at once after an error")

    def lose_write(self, member: int, sent: bool = True) -> None:
        self._write_free(member)
        self._input(member, (LOST, sent), (LOST, sent))

    def lose_read(self, member: int) -> None:
        if self.seats[member].read.phase == WAITS:
            self.redis = self.world.table.forget(self.redis, member)
        self._reads(member, FREE)
        self._input(member, (READ_LOST,), (READ_LOST,))

    def call(self, member: int, *given: Any) -> None:
        """A call of the user."""
        self._input(member, given, given)

    def _reads(self, member: int, connection: Connection) -> None:
        seat = self.seats[member]
        self.seats[member] = Seat(seat.state, seat.write, connection, seat.life, seat.paused, seat.away)

    def _write_free(self, member: int) -> Connection:
        seat = self.seats[member]
        self.seats[member] = Seat(seat.state, FREE, seat.read, seat.life, seat.paused, seat.away)
        return seat.write

    def _input(self, member: int, key: Any, given: Any) -> None:
        self.touched |= 1 << member
        if self._step(member, key, given):
            self.go_on(member)

    def _step(self, member: int, key: Any, given: Any) -> bool:
        """Whether the core lived through it."""
        seat = self.seats[member]
        step = self.world.memories[member].step(seat.state, self.now, key, given)
        if step.broken:
            self.breaks("core", f"{self.world.naming.letter(member)}, {given[0]}: {step.broken}")
            return False
        self.seats[member] = Seat(step.state, seat.write, seat.read, seat.life, seat.paused, seat.away)
        for out in step.out:
            self._output(member, out)
        return True

    def go_on(self, member: int) -> None:
        """It sends what it has to send, and does what is due."""
        letter = self.world.naming.letter(member)
        for _ in range(_TICKS):
            seat = self.seats[member]
            view = self.world.memories[member].views[seat.state]
            if view.closed and seat.life == ALIVE:
                self._closed(member)
            if seat.life != ALIVE or seat.paused != NEVER or view.closed:
                return
            reachable = self.up and seat.away == NEVER
            if view.batch is not None and seat.write.phase == IDLE:
                if not reachable:
                    self.lose_write(member, False)
                    return
                seat = self.seats[member] = seat._replace(write=GOING)
            if view.read is not None and seat.read.phase == IDLE:
                if not reachable:
                    self.lose_read(member)
                    return
                seat = self.seats[member] = seat._replace(read=GOING)
            if view.due is None or view.due > self.now:
                return
            if not self._step(member, TICK, (TICK,)):
                return
            if self.seats[member] == seat:
                self.breaks("spin", f"{letter} asks to be called at once, and then does nothing")
                return
        self.breaks("spin", f"{letter} asks again and again to be called at once")

    def _output(self, member: int, out: tuple[Any, ...]) -> None:
        if out[0] == "unblock":
            self.tell(member, "ends its blocked read")
            if self.seats[member].read.phase == WAITS:
                self.end_read(member)
        elif out[0] == "state":
            self.tell(member, f"is {out[1]} {out[2]}".rstrip())
        else:
            properties.output(self, member, out)

    def end_read(self, member: int) -> None:
        """The time of a blocked read is over, or it had to end: it found nothing."""
        self.redis = self.world.table.forget(self.redis, member)
        self._reads(member, Connection(REPLIED, self.world.nothing))
        if self.seats[member].paused == NEVER:
            self.hear_read(member)

    def _closed(self, member: int) -> None:
        self.tell(member, "is closed")
        self.redis = self.world.table.forget(self.redis, member)
        self.seats[member] = self.seats[member]._replace(life=CLOSED, write=FREE, read=FREE)

    def _tell_read(self, reader: Any, reply: int) -> None:
        if self.said is not None:
            line = told_read(self.world.table.replies.values[reply][0], self.world.naming.show)
            dead = type(reader) is not int
            self.tell(reader[1] if dead else reader, f"its dead connection reads {line}" if dead else f"reads {line}")

    # time

    def pass_time(self, to: int) -> None:
        self.time, self.now = to, self.world.configuration.time(to)
        self.touched = -1
        self.zombies = [zombie for zombie in self.zombies if zombie.end > to]
        for item in [item for item in self.script if item.last <= to and item.kind in acts.AT_ONCE]:
            self.script.remove(item)
            acts.act(self, item)
        for member in range(len(self.seats)):
            seat = self.seats[member]
            if seat.life == ALIVE:
                if seat.read.phase == WAITS and seat.read.about <= to:
                    self.end_read(member)
                self.go_on(member)
