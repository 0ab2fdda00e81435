"""A configuration brought to life: its tables, its first state, what may happen in a state, and what then is."""

from __future__ import annotations

from typing import Any

from . import acts, faults, properties
from .chances import Chances
from .configuration import Configuration
from .facts import streams
from .state import ALIVE, CLOSED, NEVER, REPLIED, SENT, UNBORN, WAITS, Item, Seat, State, Zombie
from .work import Said, Work

Choice = tuple[Any, ...]
TIME: Choice = ("time",)


class World(Chances):
    """The states of one exploration, and the moves between them."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.horizon = configuration.instant(configuration.horizon)
        self._ends = tuple(map(configuration.instant, configuration.runs))
        self._longest = self._ends[-1] if self._ends else configuration.instant(configuration.longest)
        self._warm = configuration.instant(configuration.warm)

    def first(self) -> State:
        configuration, instant = self.configuration, self.configuration.instant
        script = [
            Item(instant(place.begins), instant(place.begins), acts.BEGINS, (number,))
            for number, place in enumerate(configuration.places)
            if place.begins is not None
        ]
        for act in configuration.script:
            last = act.first if act.last is None else act.last
            about = act.about
            if act.kind == acts.STRIKES:
                about = (about[0], instant(about[1]), *about[2:])
            script.append(Item(instant(act.first), instant(last), act.kind, about))
        seats = tuple(Seat() for _ in configuration.places)
        return State(0, 0, seats, (), (), tuple(sorted(script)), (), configuration.most_faults, configuration.holds)

    # what may happen

    def choices(self, state: State) -> list[Choice]:
        """All moves of a state: time passes only when nothing else has to happen first."""
        urgent: list[Choice] = []
        free: list[Choice] = []
        for member, seat in enumerate(state.seats):
            if seat.life == ALIVE:
                self._messages(state, member, seat, urgent, free)
            if seat.life in (ALIVE, CLOSED) and seat.paused == NEVER:
                self._ends_of_handlers(state, member, seat, urgent, free)
        for item in state.script:
            if item.first <= state.time and acts.possible(self, state, item):
                (urgent if item.last <= state.time else free).append(("act", item))
        if state.time < self._warm:
            return [urgent[0] if urgent else TIME]
        if state.up:
            free += [("late", zombie) for zombie in state.zombies]
        if state.faults:
            for fault in self.prepared:
                free += faults.choices(state, fault)
        if not urgent:
            free.append(TIME)
        return urgent + free

    def _messages(self, state: State, member: int, seat: Seat, urgent: list[Choice], free: list[Choice]) -> None:
        reachable = state.up and seat.away == NEVER
        for connection, name in ((seat.write, "write"), (seat.read, "read")):
            if connection.held != NEVER:
                if name == "write" and connection.held < state.time and reachable and seat.paused == NEVER:
                    free.append(("go on", member))
            elif connection.phase == SENT and reachable:
                urgent.append((name, member))
            elif connection.phase == REPLIED and seat.paused == NEVER:
                urgent.append((f"hear {name}", member))
        may_hold = state.holds and member in self.configuration.held and state.touched & 1 << member
        if may_hold and seat.write.phase in (SENT, REPLIED) and seat.write.held == NEVER:
            free.append(("hold", member))

    def _ends_of_handlers(
        self, state: State, member: int, seat: Seat, urgent: list[Choice], free: list[Choice]
    ) -> None:
        running = self.memories[member].views[seat.state].running
        if not running:
            return
        for ask in state.asks:
            start = next((run.start for run in ask.runs if run.member == member and run.end == NEVER), NEVER)
            key = (ask.entry, ask.id)
            if key not in running or start == NEVER:
                continue
            lasted = state.time - start
            if lasted >= self._longest:
                urgent.append(("end", member, key))
            elif state.touched & 1 << member and (not self._ends or lasted in self._ends):
                free.append(("end", member, key))

    # what then is

    def apply(self, state: State, choice: Choice, said: Said | None = None) -> Work:
        work = Work(self, state, said)
        kind = choice[0]
        if kind == "time":
            self._pass_time(work, state)
        elif kind == "write":
            work.write(choice[1])
        elif kind == "read":
            work.read(choice[1])
        elif kind == "hear write":
            work.hear_write(choice[1])
        elif kind == "hear read":
            work.hear_read(choice[1])
        elif kind == "end":
            acts.end_handler(work, *choice[1:])
        elif kind == "act":
            work.script.remove(choice[1])
            acts.act(work, choice[1])
        elif kind == "late":
            self._late(work, choice[1])
        elif kind == "hold":
            acts.hold(work, choice[1])
        elif kind == "go on":
            acts.go_on(work, choice[1])
        else:
            work.faults -= 1
            faults.strike(work, choice)
        return work

    def _late(self, work: Work, zombie: Zombie) -> None:
        work.zombies.remove(zombie)
        work.asks = [ask if ask.settled else ask._replace(excuses=ask.excuses | {"late-command"}) for ask in work.asks]
        work.operate(f"{self.naming.letter(zombie.member)}, late", zombie.commands)

    def _pass_time(self, work: Work, state: State) -> None:
        properties.at_rest(work)
        next_time = self._next_time(state)
        if next_time is None or next_time > self.horizon:
            properties.at_end(work)
            work.time = self.horizon + 1
        else:
            work.pass_time(next_time)
            if state.time < self._warm <= next_time:
                self.early = state.redis

    def over(self, state: State) -> bool:
        return state.time > self.horizon

    def _next_time(self, state: State) -> int | None:
        """The next instant at which something may happen by itself, None where all is quiet for good."""
        if not state.script and not self._busy(state):
            return None
        now, times = state.time, [moment for item in state.script for moment in (item.first, item.last)]
        for member, seat in enumerate(state.seats):
            view = self.memories[member].views[seat.state]
            if seat.life == UNBORN or seat.paused != NEVER:
                continue
            if seat.life == ALIVE:
                if view.due is not None:
                    times.append(max(now + 1, self.configuration.moment(view.due)))
                if seat.read.phase == WAITS:
                    times.append(seat.read.about)
            if view.running:
                runs = [run for ask in state.asks for run in ask.runs if run.member == member and run.end == NEVER]
                times += [run.start + lasts for run in runs for lasts in self._ends or (self._longest,)]
        if state.faults:
            times += [moment for fault in self.prepared for moment in (fault.first, fault.last)]
        return min([time for time in times if time > now], default=None)

    def _busy(self, state: State) -> bool:
        """Whether anything is still to be settled: if not, members only look about, for ever and without a change."""
        for _, stream in streams(self.table.kept(state.redis).data):
            if stream[2] or any(group[2] for group in stream[3]):
                return True
        if state.zombies or any(run.end == NEVER for ask in state.asks for run in ask.runs):
            return True
        return any(self._has_work(member, seat) for member, seat in enumerate(state.seats) if seat.life == ALIVE)

    def _has_work(self, member: int, seat: Seat) -> bool:
        view = self.memories[member].views[seat.state]
        return seat.paused != NEVER or view.state != "up" or bool(view.open)
