"""Between the core and the connections: batches and reads go out, replies and events come in. It never waits.

The twins drive it: they call ``received``, ``opened``, ``lost`` and ``tick``, and after each call, or several of them,
``pump``. It reports to them through a ``Host``, and asks that to open connections. It has three connections at most: one
writes batches, one reads blocking, one listens for wake-ups (optional). Not thread-safe.
"""

from __future__ import annotations

from collections.abc import Callable
from logging import ERROR, WARNING
from typing import Any

from redisipc.protocol.commands import Batch, Command, Failure, Read
from redisipc.protocol.endpoint import Endpoint
from redisipc.protocol.events import Cancelled, Closed, Event, Finished, Problem, Start, State, StateChanged, Unblock

from .connection import REPLY_LIMIT, Connection, Transport
from .internal_log import say
from .reasons import described, without_number
from .redirects import Redirects
from .resp import ProtocolError
from .twin import Host
from .wakeups import Wakeups

AFTER_DEFECT = 0.1
"""Seconds for which nothing is due after an internal error, so that an error that repeats causes no busy loop."""


class Driver:
    """Feeds one ``Endpoint`` and writes its commands."""

    def __init__(self, endpoint: Endpoint, host: Host, wakeups: bool = True, cluster: bool = False) -> None:
        self.endpoint = endpoint
        self.host = host
        self.writer: Connection = Connection("write")
        self.reader: Connection = Connection("read")
        self.wakeups: Wakeups = Wakeups(endpoint, Connection("wakeups"), self._open, wakeups)
        self.redirects: Redirects = Redirects(self.writer, self.reader, self._open, self._written, self.lost, cluster)
        self.connections: tuple[Connection, ...] = (
            self.writer,
            self.reader,
            self.redirects.connection,
            self.wakeups.connection,
        )
        self.batch: Batch | None = None
        self.read: Read | None = None
        self.held: bool = False
        self.reads: bool = False
        self._packed_read: Command | None = None
        self._packed: Any = b""
        self._pumping = False
        self._again = False
        self._unblocking = False
        self._defect_at = float("-inf")
        self._handlers: dict[type[Event], Callable[[Any, float], None]] = {
            Cancelled: lambda event, _now: host.cancelled(event.incoming, event.reason),
            Problem: lambda event, _now: host.problem(event),
            StateChanged: self._changed,
            Unblock: lambda _event, now: self._unblock(now),
            Closed: lambda _event, _now: self._closed(),
        }

    # what a twin calls

    def pump(self, now: float, reading: bool = True) -> None:
        """Report what happened, and write the commands that may be written now. May be called from within a handler.

        ``reading``: whether the next read is sent even where a request that is alone was handed on, or its answer.
        Neither of them needs to wait until it is sent. ``held`` says that it was not sent: then call again soon.
        """
        if self._pumping:
            self._again = True
            return
        self._pumping = True
        self.held = False
        endpoint, host = self.endpoint, self.host
        try:
            while True:
                self._again = False
                events = endpoint.events()
                if events and not reading and any(isinstance(event, (Start, Finished)) for event in events):
                    # With more, Redis collects meanwhile. Beside siblings, a read brings as many requests as can start.
                    self.held = endpoint.outstanding + endpoint.inflight <= 1 or endpoint.wiring.makes_room
                for event in events:
                    if isinstance(event, Finished):
                        host.finished(event.outgoing, event.outcome)
                    elif isinstance(event, Start):
                        host.start(event.incoming)
                    else:
                        self._handlers[type(event)](event, now)
                progress = False
                if self.batch is None:
                    batch = endpoint.next_batch(now)
                    if batch is not None:
                        self._write(batch, now)
                        progress = self.batch is None
                if self.read is None and not self.held:
                    read = endpoint.next_read(now)
                    if read is not None:
                        self._block(read, now)
                        progress = progress or self.read is None
                if not progress and not self._again and not endpoint.shared.queue:
                    return
        finally:
            self._pumping = False

    def read_on(self, now: float) -> bool:
        """Send the next read, which was postponed. Returns whether a turn has nothing to do until its reply comes."""
        queue = self.endpoint.shared.queue
        if self._pumping or self.read is not None or queue:
            self.pump(now)
            return False
        self.held = False
        read = self.endpoint.next_read(now)
        if read is None:
            return False
        self._block(read, now)
        if self.read is read and not self.endpoint.shared.queue:
            return True
        self.pump(now)
        return False

    def deadline(self) -> float | None:
        """When to call ``tick``, at the latest."""
        due = self.endpoint.deadline()
        for connection in self.connections:
            if connection.reply_by is not None and (due is None or connection.reply_by < due):
                due = connection.reply_by
        if due is not None and due < self._defect_at + AFTER_DEFECT:
            due = self._defect_at + AFTER_DEFECT
        return due

    def tick(self, now: float) -> None:
        """Do what is due. First hand in arrived bytes: after a pause, their reply would look lost."""
        due = self.endpoint.deadline()
        if due is not None and due <= now:
            self.endpoint.tick(now)
        for connection in self.connections:
            if connection.reply_by is not None and connection.reply_by <= now:
                if connection is self.wakeups.connection:
                    self.wakeups.overdue(now)
                elif connection.is_silent(now):
                    self.lost(connection, f"no reply from Redis, and {REPLY_LIMIT:g} s of silence", now)
        self.wakeups.look(now)

    def opened(self, connection: Connection, attempt: int, transport: Transport, now: float) -> None:
        """The connection that ``Host.open`` was asked for stands."""
        if attempt != connection.attempt or not connection.opening:
            transport.close()
            return
        connection.opened(transport)
        try:
            if connection is self.writer:
                if self.redirects.under_way:
                    self.redirects.send(connection, now)
                elif self.batch is not None:
                    self._send_batch(self.batch, now)
            elif connection is self.redirects.connection:
                if self.redirects.under_way:
                    self.redirects.send(connection, now)
            elif connection is self.reader:
                connection.send(connection.pack([("CLIENT", "ID")]), 1, self._client_id)
                if self.read is not None:
                    self._send_read(self.read, now)
            else:
                self.wakeups.opened(now)
        except OSError as error:
            self.lost(connection, str(error), now)

    def open_failed(self, connection: Connection, attempt: int, reason: str, permanent: bool, now: float) -> None:
        """The connection that ``Host.open`` was asked for is not available; ``permanent``: until the user repairs something."""
        if attempt == connection.attempt and connection.opening:
            connection.failed(now)
            self._give_up(connection, False, reason, now, permanent)

    def received(self, connection: Connection, data: Any, now: float) -> None:
        """Bytes came on a connection."""
        if connection.transport is None:
            return
        connection.moved(now)
        try:
            if connection is self.wakeups.connection:
                self.wakeups.received(data, now)
            else:
                connection.received(data, now)
        except ProtocolError as error:
            self.lost(connection, str(error), now)

    def lost(self, connection: Connection, reason: str, now: float) -> None:
        """The connection is lost, or can no longer be used."""
        if connection.transport is not None:
            connection.drop()
            self._give_up(connection, True, without_number(reason), now)

    def defect(self, error: BaseException, now: float) -> None:
        """After an unexpected exception: connect again, which repairs most damage, and continue."""
        say(ERROR, "internal error, connecting again: %s", what := described(error), error=error)
        self._defect_at = now
        for connection in (self.writer, self.reader):
            self.lost(connection, f"internal error: {what}", now)

    def mend(self, now: float) -> None:
        """An exception interrupted the driver or the core at any point: make their states agree, and connect again."""
        self._pumping = False
        self.batch = self.read = None
        self.redirects.drop()
        for connection in self.connections:
            connection.drop()
        self.endpoint.mend(self.host.started(), "an exception of a signal handler came in between", now)
        self.host.mended(now)
        say(WARNING, "a signal handler raised within the library; connecting again")

    # connections

    def _open(self, connection: Connection, epoch: int) -> None:
        if not connection.opening:
            connection.begins(epoch, self.endpoint.shared.now)
            self.host.open(connection, connection.attempt)

    def _give_up(self, connection: Connection, sent: bool, reason: str, now: float, permanent: bool = False) -> None:
        if connection is self.redirects.connection and not self.redirects.under_way:
            # The connection was kept for the next redirection.
            return
        if connection is self.writer or connection is self.redirects.connection:
            # It is also unknown now what another node executed already.
            sent = sent or self.redirects.under_way
            self.redirects.drop()
            batch, self.batch = self.batch, None
            if batch is not None:
                self.endpoint.batch_lost(batch, sent, reason, now, permanent)
        elif connection is self.reader:
            read, self.read = self.read, None
            self._unblocking = False
            if read is not None:
                self.endpoint.read_lost(read, reason, now, permanent)
        else:
            self.wakeups.give_up(now)

    def _ready(self, connection: Connection, epoch: int) -> bool:
        """Whether the connection is open, and was opened late enough. If not, it is being opened now."""
        if connection.transport is not None:
            if connection.epoch >= epoch and not connection.asking:
                return True
            connection.drop()
        self._open(connection, epoch)
        return False

    def _write(self, batch: Batch, now: float) -> None:
        if not batch.commands:
            self.endpoint.batch_done(batch, [], now)
            return
        self.batch = batch
        if self._ready(self.writer, batch.epoch):
            try:
                self._send_batch(batch, now)
            except OSError as error:
                self.lost(self.writer, str(error), now)

    def _send_batch(self, batch: Batch, now: float) -> None:
        self.writer.asked(now)
        self.writer.send(self.writer.pack(batch.commands), len(batch.commands), self._written)

    def _written(self, replies: list[Any], now: float) -> None:
        self.writer.reply_by = None
        if self.batch is None:
            return
        whole = self.redirects.complete(self.batch, replies, now)
        if whole is not None:
            batch, self.batch = self.batch, None
            self.endpoint.batch_done(batch, whole, now)

    def _block(self, read: Read, now: float) -> None:
        self.read = read
        if self._ready(self.reader, read.epoch):
            try:
                self._send_read(read, now)
            except OSError as error:
                self.lost(self.reader, str(error), now)

    def _send_read(self, read: Read, now: float) -> None:
        self.reader.reply_by = now + read.block + REPLY_LIMIT
        if self.reader.asking:
            self.reader.send(self.reader.pack([("ASKING",), read.command]), 2, self._was_read)
        else:
            if read.command is not self._packed_read:
                self._packed_read, self._packed = read.command, self.reader.pack([read.command])
            self.reader.send(self._packed, 1, self._was_read)
        if not self.reads:
            # RIPC-LIFE-3: only now the user sees it as connected.
            self.reads = True
            self.host.reads()

    def _was_read(self, replies: list[Any], now: float) -> None:
        self.reader.reply_by = None
        if self.redirects.on and self.read is not None and self.redirects.read_elsewhere(self.read, replies[-1]):
            return
        read, self.read = self.read, None
        if read is not None:
            self.endpoint.read_done(read, replies[-1], now)

    def _client_id(self, replies: list[Any], now: float) -> None:
        self.reader.client_id = replies[0] if isinstance(replies[0], int) else -1
        if self._unblocking:
            self._unblock(now)

    # events that the driver handles itself

    def _unblock(self, now: float) -> None:
        """End the blocked read, so that its consumer may be deleted: by a command, else by closing the connection."""
        broken = "the connection was closed to end a blocked read"
        self._unblocking = True
        read = self.read

        def done(replies: list[Any], at: float) -> None:
            if isinstance(replies[0], Failure):
                self.lost(self.reader, broken, at)
            elif replies[0] == 0 and self.read is read:
                # Redis has not received the read yet: the two are sent on different connections.
                self._unblock(at)

        if self.read is None:
            return
        if self.reader.transport is None:
            self.reader.drop()  # it was never sent
            self._was_read([None], now)
        elif self.writer.transport is None or self.reader.client_id == -1 or self.reader.place != self.writer.place:
            # RIPC-RECOV-24: at another node, this number belongs to another client.
            self.lost(self.reader, broken, now)
        elif self.reader.client_id is not None:
            try:
                self.writer.send(self.writer.pack([("CLIENT", "UNBLOCK", self.reader.client_id)]), 1, done)
            except OSError as error:
                self.lost(self.writer, str(error), now)

    def _changed(self, event: StateChanged, now: float) -> None:
        if event.state is State.DOWN:
            self.wakeups.connection_lost()
        elif event.state is State.UP:
            self.wakeups.look(now)
        self.host.changed(event)

    def _closed(self) -> None:
        for connection in self.connections:
            connection.attempt += 1
            connection.drop()
        self.batch = self.read = None
        self.host.closed()
