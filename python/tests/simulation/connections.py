"""The two connections of one process: what is sent over them arrives later, or never, or its reply gets lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redisipc.protocol.commands import Batch, Read
from redisipc.testing.redis_model import Blocked

from .ports import ActorPort
from .server import Connection, Server

SILENCE = 3.0
"""Seconds by which a reply may be overdue before a runtime gives its connection up (RIPC-RECOV-25)."""
CUTS = {
    "before": "cut before execution", "after": "cut after execution", "partly": "cut in the middle",
    "late": "command executed after its connection was given up",
}  # fmt: skip
LATE = (0.05, 0.4, 2.0)
"""Seconds after which a command of a connection that was given up is still executed."""


class ProcessConnection:
    """The common part of both connections: made when needed, each may break or become a hole that swallows everything."""

    def __init__(self, actor: ActorPort, server: Server) -> None:
        self.actor = actor
        self.server = server
        self.schedule = server.schedule
        self.connection: Connection | None = None
        self.hole = False
        self.sent: Any = None

    def send(self, what: Any, epoch: int, arrive: Callable[[Connection, Any], None]) -> None:
        self.sent = what
        connection = self.connection
        delay = self.actor.latency()
        if connection is not None and (not connection.open or connection.epoch < epoch):
            if not connection.open and connection.epoch >= epoch and self.actor.random.random() < 0.5:
                # It broke while nothing was under way: the runtime learns it only by writing.
                self.schedule.after(delay, self._broke, connection, what)
                return
            self._let_go(connection)
            connection = None
        if connection is None:
            if not self.actor.cut_off:
                connection = self.connection = self.server.connect(epoch, self.broken)
            if connection is None:
                self.schedule.after(delay, self.actor.do, self._refused, what)
                return
            delay += 2 * self.actor.latency()
        if self.hole:
            self.schedule.after(self.patience(what), self._broke, connection, what)
            return
        self.schedule.after(delay + self.actor.transfer(self.load(what)), arrive, connection, what)

    def load(self, what: Any) -> Any:
        """The bytes that must come through before it arrives."""
        return ()

    def patience(self, what: Any) -> float:
        return SILENCE

    def _refused(self, what: Any) -> None:
        if self.sent is what:
            self.sent = None
            self.lost(what, False)

    def _broke(self, connection: Connection, what: Any) -> None:
        self.actor.do(self._broken_now, connection, what)

    def _broken_now(self, connection: Connection, what: Any) -> None:
        if self.connection is connection:
            self._let_go(connection)
        if what is not None and self.sent is what:
            self.sent = None
            self.lost(what, True)

    def _let_go(self, connection: Connection) -> None:
        """The server hears of it, unless nothing came through before."""
        if self.hole and self.actor.world.plan.half_open:
            self.server.leave_open(connection)
        else:
            self.server.forget(connection)
        self.connection = None
        self.hole = False

    def lost(self, what: Any, sent: bool) -> None:
        raise NotImplementedError

    def broken(self, connection: Connection) -> None:
        """The server closed the connection."""
        if self.sent is not None and self.connection is connection:
            self.schedule.after(self.actor.latency(), self._broke, connection, self.sent)

    def cut(self, where: str) -> None:
        """A fault: the connection breaks now, and both sides hear of it."""
        connection = self.connection
        if connection is not None and connection.open:
            self.actor.trouble(0.2, "cut", where)
            self.server.forget(connection)
            self.broken(connection)

    def too_large(self, reply: Any) -> bool:
        """Whether the connection breaks, since something on the way lets no such reply through."""
        limit = self.server.limit
        if not limit or _largest(reply) < limit:
            return False
        self.actor.world.history.struck["reply over a limit"] += 1
        self.cut("by a reply that is too large")
        return True

    def give_up(self) -> None:
        """The runtime gives the connection up, with what is under way on it."""
        if self.connection is not None:
            self._broken_now(self.connection, self.sent)

    def become_hole(self) -> None:
        """A fault: nothing comes through any more, and nobody hears of it before a timeout."""
        connection = self.connection
        if connection is None or not connection.open or self.hole:
            return
        self.hole = True
        if self.sent is not None:
            self.schedule.after(self.patience(self.sent), self._broke, connection, self.sent)

    def close(self, delay: float) -> None:
        """The process is gone: the server hears of it after ``delay`` seconds."""
        if self.connection is not None:
            self.schedule.after(delay, self.server.forget, self.connection)


def _largest(reply: Any) -> int:
    """The length of the longest string in it."""
    if isinstance(reply, bytes):
        return len(reply)
    return max(map(_largest, reply), default=0) if isinstance(reply, (list, tuple)) else 0


class Writer(ProcessConnection):
    """The connection for writing: batches."""

    def load(self, what: Any) -> Any:
        return what.commands

    def write(self, batch: Batch) -> None:
        self.send(batch, batch.epoch, self._arrive)

    def _arrive(self, connection: Connection, batch: Batch) -> None:
        if not connection.open or (self.hole and self.connection is connection):
            return
        commands = batch.commands
        fate = connection.fate
        if not fate or (connection.only and all(command[0] != connection.only for command in commands)):
            self.actor.world.wrote(self.actor, batch)
            replies = self.server.model.run(connection.client, commands)
            if self.too_large(replies):
                return
            delay = self.actor.latency() + self.actor.transfer(replies)
            self.schedule.after(delay, self.actor.do, self._replies, connection, batch, replies)
            return
        self.actor.world.history.struck[CUTS[fate]] += 1
        if fate == "late":
            delay = self.actor.random.choice(LATE) * self.actor.random.uniform(0.5, 1.5)
            self.schedule.after(delay, self._too_late, connection, batch)
        if fate == "after":
            self.actor.world.wrote(self.actor, batch)
            self.server.run(connection, commands)
        elif fate == "partly":
            self.actor.world.wrote(self.actor, batch)
            self.server.run(connection, commands[: self.actor.random.randrange(len(commands))])
        self.cut(f"before, after or partly executed: {fate}")

    def _too_late(self, connection: Connection, batch: Batch) -> None:
        """A proxy, or a thread of the server, comes to it only now."""
        if not self.server.up:
            return
        world = self.actor.world
        world.history.late.append((self.schedule.now, self.actor.record.number))
        world.note(self.actor, "the server comes to what was sent over a connection that is given up", batch)
        world.wrote(self.actor, batch)
        self.server.run(connection, batch.commands)

    def _replies(self, connection: Connection, batch: Batch, replies: list[Any]) -> None:
        if self.sent is not batch or not connection.open or self.hole:
            return
        self.sent = None
        self.actor.batch_done(batch, replies)

    def lost(self, what: Any, sent: bool) -> None:
        self.actor.batch_lost(what, sent)


class Reader(ProcessConnection):
    """The connection for reading: one blocking read at a time."""

    _waiting: tuple[Connection, Read, float]
    _watched = False

    def read(self, read: Read) -> None:
        self.send(read, read.epoch, self._arrive)

    def patience(self, what: Any) -> float:
        return float(what.block) + SILENCE

    def _arrive(self, connection: Connection, read: Read) -> None:
        if not connection.open or (self.hole and self.connection is connection):
            return
        if connection.fate == "before":
            self.actor.world.history.struck[CUTS["before"]] += 1
            self.cut("before the read")
            return
        reply = self.server.model.execute(read.command)
        if type(reply) is Blocked:
            connection.waiting = reply
            connection.blocked_until = self.schedule.now + read.block

            def deliver(answer: Any) -> None:
                connection.waiting = None
                self._answered(connection, read, answer)

            self.server.model.wait(reply, deliver)
            self._waiting = connection, read, self.schedule.now + read.block
            if not self._watched:
                self._watched = True
                self.schedule.after(read.block, self._limit)
        else:
            self._answered(connection, read, reply)

    def _limit(self) -> None:
        """One look at a time for the end of BLOCK: most reads end long before."""
        self._watched = False
        connection, read, end = self._waiting
        if connection.waiting is None:
            return
        if self.schedule.now < end:
            self._watched = True
            self.schedule.at(end, self._limit)
            return
        self.server.forget_wait(connection)
        self._answered(connection, read, None)

    def unblock(self) -> bool:
        """CLIENT UNBLOCK, from the connection for writing or from elsewhere: whether it ended a read."""
        connection = self.connection
        if connection is None or connection.waiting is None or self.sent is None:
            return False
        self.server.forget_wait(connection)
        self._answered(connection, self.sent, None)
        return True

    def _answered(self, connection: Connection, read: Read, answer: Any) -> None:
        if connection.left_open and answer is not None:
            self.actor.world.history.struck["read served after its connection was given up"] += 1
        if connection.fate and answer is not None:
            self.actor.world.history.struck[CUTS["after"]] += 1
            self.cut("after the read took something")
            return
        if self.too_large(answer):
            return
        transfer = self.actor.transfer(answer)
        delay = self.actor.latency() + transfer
        self.schedule.after(delay, self.actor.do, self._reply, connection, read, answer, transfer)

    def _reply(self, connection: Connection, read: Read, answer: Any, transfer: float) -> None:
        if self.sent is not read or not connection.open or self.hole:
            return
        self.sent = None
        self.actor.read_done(read, answer, transfer)

    def lost(self, what: Any, sent: bool) -> None:
        self.actor.read_lost(what)
