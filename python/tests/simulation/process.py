"""One process with one endpoint: a stand-in for a runtime, driven by virtual time, that can be paused, cut off and killed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from redisipc.errors import RedisIPCError
from redisipc.protocol.commands import Batch, Read
from redisipc.protocol.endpoint import Endpoint
from redisipc.protocol.events import Cancelled, Closed, Event, Finished, Outgoing, Start, State, StateChanged, Unblock
from redisipc.protocol.settings import Settings

from .connections import SILENCE, Reader, Writer
from .handlers import Handlers
from .history import Ask, Process, Trouble
from .ports import WorldPort

_PATIENCE = 500
"""How often in a row an endpoint may ask to be called at once before that counts as spinning."""


class Actor:
    """Does what a runtime does: after every call it drains events, then gives both connections what they may send."""

    def __init__(self, world: WorldPort, record: Process, settings: Settings, source: random.Random) -> None:
        self.world = world
        self.schedule = world.schedule
        self.record = record
        self.random = world.random
        self._latency = world.latency
        self._draw = world.random.random
        self.endpoint = Endpoint(settings, source)
        self._first_id = self.endpoint.instance
        self.handlers = Handlers(self)
        self.writer = Writer(self, world.server)
        self.reader = Reader(self, world.server)
        self.alive = True
        self.cut_off = False
        self.heard: list[bytes] = []
        self.sent: dict[int, Outgoing] = {}
        self._batch: Batch | None = None
        self._read: Read | None = None
        self._timer: float | None = None
        self._planned: set[float] = set()
        self._spins = 0
        self._rested = False
        self._paused = False
        self._backlog: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._down_since: float | None = record.started_at
        self._redis_away = False

    def latency(self) -> float:
        return self._latency * (0.5 + self._draw())

    def slow_down(self, latency: float) -> None:
        """From now on its messages take so many seconds on average."""
        self._latency = latency

    def transfer(self, what: Any) -> float:
        """Seconds that it takes to come through, beyond the way itself."""
        bandwidth = self.world.plan.bandwidth
        return _weight(what) / bandwidth if bandwidth else 0.0

    # time

    def do(self, action: Callable[..., None], *arguments: Any) -> None:
        """Something happens to this process: now, or when it wakes up, or never."""
        if self._paused:
            self._backlog.append((action, arguments))
        elif self.alive:
            action(*arguments)

    def start(self) -> None:
        self.endpoint.start(self.schedule.now)
        self.pump()

    def pump(self) -> None:
        endpoint, now = self.endpoint, self.schedule.now
        while True:
            events = endpoint.events()
            while events:
                for event in events:
                    self._event(event)
                events = endpoint.events()
            if self._batch is None:
                batch = endpoint.next_batch(now)
                if batch is not None:
                    self._batch = batch
                    self.writer.write(batch)
            if self._read is None:
                read = endpoint.next_read(now)
                if read is not None:
                    self._read = read
                    self.reader.read(read)
            if not endpoint.shared.queue:
                break
        due = endpoint.deadline()
        if due is not None and (self._timer is None or due < self._timer):
            self._timer = due = max(due, now)
            if due not in self._planned:
                self._planned.add(due)
                self.schedule.at(due, self.do, self._tick, due)

    def _tick(self, planned: float) -> None:
        self._planned.discard(planned)
        if planned != self._timer:
            return
        self._timer = None
        now = self.schedule.now
        self.endpoint.tick(now)
        self.pump()
        if self._timer is not None and self._timer <= now:
            self._spins += 1
            if self._spins > _PATIENCE:
                raise RuntimeError(f"the endpoint asks again and again to be called at {self._timer}")
        else:
            self._spins = 0

    # connections

    def batch_done(self, batch: Batch, replies: list[Any]) -> None:
        self._batch = None
        if self.world.story is not None:
            self.world.heard(self, batch, replies)
        self.endpoint.batch_done(batch, replies, self.schedule.now)
        self.pump()

    def batch_lost(self, batch: Batch, sent: bool) -> None:
        self._batch = None
        self.world.note(self, "batch lost, " + ("nobody knows what was executed" if sent else "not sent"), batch)
        self.endpoint.batch_lost(batch, sent, "connection lost", self.schedule.now)
        self.pump()

    def read_done(self, read: Read, answer: Any, transfer: float) -> None:
        self._read = None
        if self.world.story is not None:
            self.world.read(self, answer)
        now = self.schedule.now
        self.endpoint.read_done(read, answer, now, now - transfer if transfer else None)
        timer, batch = self._timer, self._batch
        until = float("-inf") if timer is None else self.endpoint.rests(now, timer)
        if until > now:
            self._rested = not self._rested
            if self._rested:
                self.schedule.at(until, self.do, self._read_on)
                return
        self.pump()
        if timer is not None and until > now:
            # A runtime does nothing then, as this one does every other time, and must miss nothing.
            planned = timer if self._timer is None else self._timer
            if self._batch is not batch or self._read is not None or planned < min(timer, until):
                raise RuntimeError(f"the endpoint said that it rests until {until}, and had something to do")

    def _read_on(self) -> None:
        """After a rest, as the twins do it: the next read alone, and a whole turn where something else happened."""
        read = self.endpoint.next_read(self.schedule.now) if self._read is None else None
        if read is None:
            self.pump()
        else:
            self._read = read
            self.reader.read(read)

    def read_lost(self, read: Read) -> None:
        self._read = None
        self.world.note(self, "read lost")
        self.endpoint.read_lost(read, "connection lost", self.schedule.now)
        self.pump()

    # events

    def _event(self, event: Event) -> None:
        kind = type(event)
        if kind is Start:
            self.handlers.start(event.incoming)  # type: ignore[attr-defined]
        elif kind is Finished:
            self.world.finished(self, event.outgoing, event.outcome)  # type: ignore[attr-defined]
        elif kind is Cancelled:
            self.handlers.cancelled(event.incoming)  # type: ignore[attr-defined]
        elif isinstance(event, StateChanged):
            self._state(event)
        elif kind is Unblock:
            self._unblock()
        elif kind is Closed:
            self._closed()
        else:
            self.world.problem(self, event)

    def _unblock(self) -> None:
        """CLIENT UNBLOCK over the connection for writing; where that is broken, the one for reading is broken off."""
        writer = self.writer.connection
        if writer is None or not writer.open:
            self.schedule.after(0.0, self.do, self.reader.give_up)
        elif self.reader.sent is not None:
            self.schedule.after(self.latency(), self._unblocked, self.reader.sent)

    def _unblocked(self, read: Read) -> None:
        """Redis has the command; where it has not the read yet, it is repeated, as the runtimes do."""
        if not self.reader.unblock():
            self.schedule.after(self.latency(), self.do, self._unblock_again, read)

    def _unblock_again(self, read: Read) -> None:
        if self.reader.sent is read:
            self._unblock()

    def _state(self, event: StateChanged) -> None:
        now, record = self.schedule.now, self.record
        self.world.note(self, f"is {event.state.value} {event.reason}".rstrip())
        if event.state is State.UP:
            if record.up_at is None:
                record.up_at = now
                self.world.history.struck["instance id taken"] += self.endpoint.instance != self._first_id
            self.world.watch.numbers[record.group.encode(), self.endpoint.instance.encode()] = record.number
            record.connected_at = now
            self.world.watch.members[record.number] = self
            self._down_ends(now)
            if self.world.plan.wakeups:
                self.schedule.after(2 * self.latency(), self.do, self._listen)
        elif event.state is State.DOWN and self._down_since is None:
            self._down_since = now
            self._redis_away = not self.world.server.up

    def _down_ends(self, now: float) -> None:
        if self._down_since is not None:
            kind = "redis away" if self._redis_away else "down"
            self.record.troubles.append(Trouble(self._down_since, now, kind))
            self._down_since = None

    def _closed(self) -> None:
        self.record.closed_at = self.schedule.now
        self.world.watch.closed(self, self._read is not None)
        self._gone(0.0)

    def _gone(self, delay: float) -> None:
        self.alive = False
        self.deafen()
        self.writer.close(delay)
        self.reader.close(delay)
        self._down_ends(self.schedule.now)
        self.handlers.note_full()
        self.world.gone(self)

    # wake-ups

    def _listen(self) -> None:
        if self.heard or not self.alive or not self.world.server.up or self.cut_off:
            return
        self.heard = self.endpoint.wakeup_channels()
        for channel in self.heard:
            self.world.server.model.subscribers.setdefault(channel, []).append(self._wakeup)
        self.endpoint.listening(True, self.schedule.now)
        self.pump()

    def deafen(self) -> None:
        """Nothing is heard any more, as after a restart of the server."""
        channels, self.heard = self.heard, []
        for channel in channels:
            listeners = self.world.server.model.subscribers.get(channel, [])
            if self._wakeup in listeners:
                listeners.remove(self._wakeup)
        if channels and self.alive:
            self.do(self._not_listening)

    def _not_listening(self) -> None:
        self.endpoint.listening(False, self.schedule.now)
        self.pump()

    def _wakeup(self, channel: bytes, _payload: bytes = b"") -> None:
        if self.random.random() >= self.world.plan.lost_wakeups:
            self.schedule.after(self.latency(), self.do, self._woken, channel)
        else:
            self.world.history.struck["wake-up lost"] += 1

    def _woken(self, channel: bytes) -> None:
        self.endpoint.woken(channel, self.schedule.now)
        self.pump()

    # what a program does

    def send(self, ask: Ask) -> bool:
        now = self.schedule.now
        try:
            text = b"%d %b" % (ask.number, bytes(ask.padding)) if ask.padding else b"%d" % ask.number
            outgoing = self.endpoint.send(text, ask.destination, ask.timeout, now)
        except RedisIPCError:
            return False
        outgoing.data = ask
        ask.id, ask.sent_at, ask.deadline = outgoing.id, now, outgoing.deadline
        self.sent[ask.number] = outgoing
        return True

    def cancel(self, ask: Ask) -> None:
        outgoing = self.sent.get(ask.number)
        if outgoing is not None:
            ask.cancelled_at = self.schedule.now
            self.endpoint.cancel(outgoing, self.schedule.now)
            self.pump()

    def close(self, grace: float) -> None:
        if not self.alive:
            return
        self.record.closing_at = self.schedule.now
        self.record.grace = grace
        self.world.note(self, f"closes, {grace:g} s of grace")
        self.endpoint.close(self.schedule.now, grace)
        self.pump()

    # faults

    def trouble(self, seconds: float, kind: str, text: str) -> None:
        now = self.schedule.now
        self.record.troubles.append(Trouble(now, now + seconds, kind))
        self.world.note(self, f"{kind}: {text}")

    def crash(self, server_learns: float) -> None:
        if not self.alive:
            return
        self.world.note(self, "crashes")
        self.record.crashed_at = self.schedule.now
        self._gone(server_learns)

    def pause(self, seconds: float) -> None:
        if not self.alive or self._paused:
            return
        self.world.history.struck["pause"] += 1
        self.trouble(seconds, "paused", f"for {seconds:.1f} s")
        self._paused = True
        self.schedule.after(seconds, self._resume)

    def _resume(self) -> None:
        self._paused = False
        backlog, self._backlog = self._backlog, []
        if self.alive and self._timer is not None and self.random.random() < 0.5:
            # A timer may fire before what came in meanwhile is looked at.
            self._tick(self._timer)
        for action, arguments in backlog:
            self.do(action, *arguments)

    def isolate(self, seconds: float, silently: bool) -> None:
        """No way to Redis for a while. ``silently``: nothing tells so but timeouts."""
        if not self.alive or self.cut_off:
            return
        self.cut_off = True
        self.world.history.struck["cut off silently" if silently else "cut off"] += 1
        self.trouble(
            seconds + (SILENCE + 1.0 if silently else 0.0), "cut off", f"for {seconds:.1f} s" + ", silently" * silently
        )
        for connection in (self.writer, self.reader):
            if silently:
                connection.become_hole()
            else:
                connection.cut("by the network")
        self.deafen()
        self.schedule.after(seconds, self._rejoin)

    def _rejoin(self) -> None:
        self.cut_off = False

    def spoil(self, fate: str, write: bool, only: str) -> None:
        """The next thing sent over a connection is not executed, or is, or in part, and then the connection breaks.

        ``only``: a batch in which this command is; what is sent before comes through.
        """
        connection = (self.writer if write else self.reader).connection
        if connection is not None and connection.open and not connection.fate:
            connection.fate = fate
            connection.only = only


def _weight(what: Any) -> int:
    """The bytes of a command or a reply, however nested."""
    if isinstance(what, (bytes, str)):
        return len(what)
    if isinstance(what, (list, tuple)):
        return sum(map(_weight, what))
    return 8
