"""An endpoint: its connections, its tasks, connecting and leaving (section 6)."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from . import pauses, recovery
from .claims import Claims
from .cleaning import Cleaning
from .group import Group
from .keeping import Keeping
from .mutation import mutant
from .options import Options
from .reading import Reading
from .redis_errors import NO_WRITES, PERMANENT, REFUSAL, is_group_lost
from .relay import Relay
from .request import Request
from .requester import Requester
from .resp import Command, Connection, Lost, RedisError
from .responder import Responder
from .wire import Names, check_name, new_instance

Report = Callable[[str, str, dict[str, str]], None]
_WRITES = frozenset(("XADD", b"XADD", "XACK", "XDEL", "XCLAIM", "EXPIRE", "XREADGROUP", "XGROUP", "SET", "EXEC"))
_used: list[tuple[bytes, bytes]] = []


class Endpoint:
    """One instance of one group on one stream.

    ``on_request`` is the handler; ``on_report`` gets kind, message and raw fields of what concerns no call.
    """

    def __init__(
        self,
        url: str,
        stream: str,
        group: str,
        options: Options,
        on_request: Callable[[Request], Awaitable[Any]],
        on_report: Report,
    ) -> None:
        self.url = url
        self.options = options
        blank = mutant("connects-with-a-blank-name")
        names = (stream, group) if blank else (check_name("stream", stream), check_name("group", group))
        encoded = [name.encode() if isinstance(name, str) else name for name in names]
        self.names = Names(encoded[0], encoded[1], new_instance().encode())
        self.report = on_report
        self.reader: Connection | None = None
        self.writer: Connection | None = None
        self.reader_id: int | None = None
        self.up = asyncio.Event()
        self.closing = self.closed = False
        self.last_read = b"$"
        self.refused_until = 0.0
        self.requester = Requester(self)
        self.responder = Responder(self, on_request)
        self.group = Group(self)
        self.relay = Relay(self)
        self.keeping = Keeping(self)
        self.claims = Claims(self)
        self.cleaning = Cleaning(self)
        self.reading = Reading(self)
        self.written = 0.0
        """When the last write was sent that Redis executed, in the loop's seconds."""
        self.process = os.getpid()
        """A forked child has another: the connections are its parent's."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._gone = asyncio.Event()
        self._connected_at = 0.0
        self._loss_told = False
        self._back_at = float("-inf")
        self._told: set[str] = set()

    # connecting

    async def connect(self) -> str:
        """Joins and returns the instance id. Raises ``Lost`` or ``RedisError``, within the connect timeout."""
        before = _used.count((self.names.stream, self.names.group))
        if (mutant("connects-once") and before > 0) or (mutant("connects-five-times") and before >= 5):
            raise ValueError("this group was connected before")
        try:
            if mutant("connected-before-the-group"):
                self.spawn(self._join_later())
            else:
                await asyncio.wait_for(self._join(), self.options.connect_timeout)
        except asyncio.TimeoutError:
            raise Lost(False, "connect took too long") from None
        except (Lost, RedisError):
            if not mutant("connects-whatever-redis-says"):
                self._drop()
                raise
        _used.append((self.names.stream, self.names.group))
        for work in (self._live, self.cleaning.clean_all, self.keeping.keep_all, self.reading.beat):
            self.spawn(work())
        claims, group = self.claims, self.group
        for work in (claims.look_all, claims.take_all, group.refresh_all, group.poll_all, group.listen):
            self.spawn(work())
        return self.names.instance.decode()

    async def _join(self) -> None:
        while True:
            await self._open()
            try:
                await recovery.join(self)
                break
            except RedisError as error:
                # Redis starts: connect() ends this when its time is over (RIPC-LIFE-4).
                if error.kind != "LOADING":
                    raise
                self._drop()
                await asyncio.sleep(0.1)
        self.up.set()

    async def _join_later(self) -> None:
        await asyncio.sleep(0.3)
        await self._join()

    async def _open(self) -> None:
        self.reader = await Connection.open(self.url, self.options.connect_timeout)
        self.writer = await Connection.open(self.url, self.options.connect_timeout)
        id = await self.reader.call("CLIENT", "ID")
        if not (mutant("ends-the-read-of-its-first-connection") and self.reader_id is not None):
            self.reader_id = id if isinstance(id, int) else None
        if mutant("needs-the-client-command") and isinstance(id, RedisError):
            raise id
        self._connected_at = asyncio.get_running_loop().time()

    @property
    def connected_for(self) -> float:
        """Seconds without a break."""
        return asyncio.get_running_loop().time() - self._connected_at

    def rename(self) -> None:
        self.names = Names(self.names.stream, self.names.group, new_instance().encode())

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs beside everything else until it ends or the endpoint has left."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # the life of the connection

    async def _live(self) -> None:
        """Reads what is new, and comes back whenever the connection or the group is lost."""
        if mutant("connected-before-the-group"):
            await self.up.wait()
        first = 2.0 if mutant("tries-again-after-2-s") else 0.0
        growing = pauses.Pauses(0.05, 0.02 if mutant("hammers") else 2.0, first)
        reading: asyncio.Task[None] | None = None
        since = float("inf")
        while not self.closed:
            try:
                fresh = self.reader is None or self.reader.closed or self.writer is None or self.writer.closed
                if fresh:
                    if reading is not None:
                        await self._end(reading)
                        reading = None
                    self._drop()
                    await self._open()
                if fresh or self._gone.is_set():
                    await recovery.recover(self, fresh)
                    self._gone.clear()
                    self._tell_back()
                self.up.set()
                since = asyncio.get_running_loop().time()
                if reading is None:
                    reading = self.spawn(self.reading.read_all())
                await self._until_gone(reading)
                if reading.done():
                    done, reading = reading, None
                    done.result()
                growing.reset()
            except (Lost, RedisError, asyncio.TimeoutError) as error:
                if asyncio.get_running_loop().time() - since > 1.0:
                    growing.reset()  # another outage, not the same one
                since = float("inf")
                self.up.clear()
                if self.closed or mutant("stays-down"):
                    return
                await self._lost(error)
                await growing.wait(0.5)

    async def _until_gone(self, reading: asyncio.Task[None]) -> None:
        gone = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait((reading, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()

    async def _end(self, reading: asyncio.Task[None]) -> None:
        """The connection of this read is of no use any more."""
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError, Lost, RedisError):
            await reading
        self.spawn(self.reading.look_again())

    async def _lost(self, error: Exception) -> None:
        """What the class of the error asks for (section 13)."""
        if isinstance(error, RedisError):
            if is_group_lost(error):
                self._gone.set()
                return
            if error.kind in REFUSAL | PERMANENT and not mutant("drops-the-connection-when-refused"):
                self.noticed(error)
                self._gone.set()
                await asyncio.sleep(1.0 if error.kind in PERMANENT else 0.2)
                return
        self.spawn(self.reading.look_again())
        self._drop()
        self._tell_loss(error)

    def lose(self) -> None:
        """The connection is of no use any more: ``_live`` comes back with another one."""
        self.up.clear()
        self._drop()
        self._gone.set()

    def group_gone(self) -> None:
        """``_live`` makes it again, on the same connection."""
        self.up.clear()
        self._gone.set()

    def _drop(self) -> None:
        for connection in (self.reader, self.writer):
            if connection is not None:
                connection.close()

    def _tell_loss(self, error: Exception) -> None:
        if isinstance(error, RedisError) and error.kind in PERMANENT:
            self._tell_permanent(error)
        elif not (self._loss_told or self._was_just_back()) or mutant("tells-each-attempt"):
            self._loss_told = True
            self.report("connection", f"lost: {error}", {})

    def _was_just_back(self) -> bool:
        """Then this is the same loss (RIPC-RECOV-14)."""
        return asyncio.get_running_loop().time() - self._back_at < 1.0

    def _tell_back(self) -> None:
        self._back_at = asyncio.get_running_loop().time()
        if self._loss_told:
            self._loss_told = False
            self.report("connection", "back", {})

    def _tell_permanent(self, error: Exception) -> None:
        if (str(error) not in self._told or mutant("each-refusal-told")) and not mutant("permanent-errors-untold"):
            self._told.add(str(error))
            self.report("refused", str(error), {})

    # writing

    async def write(self, *commands: Command) -> list[Any]:
        """Sends the commands together; error replies are values. Raises ``Lost``."""
        connection = self.writer
        early = mutant("adds-before-the-group") or mutant("adds-while-down")
        if early and commands[0][0] == b"XADD" and not self.up.is_set():
            connection = self.reader
        if connection is None:
            raise Lost(False)
        sent = asyncio.get_running_loop().time()
        try:
            replies = await connection.batch(commands)
        except Lost:
            if connection is self.writer:
                self.lose()
            raise
        for command, reply in zip(commands, replies, strict=True):
            for each in reply if command[0] == "EXEC" and isinstance(reply, list) else (reply,):
                if isinstance(each, RedisError):
                    self.noticed(each)
            if not isinstance(reply, RedisError) and command[0] in _WRITES:
                self.wrote_at(sent)
        return replies

    def wrote_at(self, sent: float) -> None:
        """Redis executed a write that was sent then."""
        self.written = max(self.written, sent)

    async def transaction(self, *commands: Command) -> list[Any] | RedisError:
        """One MULTI: its replies, errors among them, or the error for which nothing of it was done."""
        replies = await self.write(("MULTI",), *commands, ("EXEC",))
        return next((reply for reply in replies if isinstance(reply, RedisError)), None) or list(replies[-1] or [])

    def noticed(self, error: RedisError) -> None:
        """What an error means for the connection and for reclaiming."""
        now = asyncio.get_running_loop().time()
        if error.kind in REFUSAL and not mutant("drops-the-connection-when-refused"):
            self.refused_until = now + 1.5  # longer than any pause between two attempts
            if error.kind in NO_WRITES and not mutant("reclaims-right-after-refused-writes"):
                self.claims.hold(given_back=False)
        elif error.kind in PERMANENT:
            self._tell_permanent(error)
        elif is_group_lost(error):
            self.group_gone()
        elif error.kind not in ("BUSYGROUP", "EXECABORT"):
            self.lose()

    def settle(self, acknowledge: bytes | None = None, delete: bytes | None = None) -> None:
        """Acknowledge or delete soon, and again until Redis has done it."""
        self.cleaning.settle(acknowledge, delete)

    # leaving

    async def disconnect(self) -> None:
        """Lets handlers and own requests end within the close timeout, gives back what has not started, leaves."""
        if self.closing:
            return
        self.closing = True
        if self.up.is_set():
            with contextlib.suppress(Lost, RedisError):
                await self._leave()
        self.requester.end_all()
        if mutant("reads-after-disconnect") or (mutant("stays-when-it-leaves-in-an-outage") and not self.up.is_set()):
            return
        self.closed = True
        for task in list(self._tasks):
            task.cancel()
        self._drop()
        await self.group.close_listening()

    async def _leave(self) -> None:
        if not mutant("abandons-handlers-on-disconnect"):
            await self.responder.finish(self.options.close_timeout)
        if not mutant("reads-after-disconnect"):
            self.closed = True
            await self._unblock()
        if not mutant("keeps-unstarted-requests"):
            await self.responder.give_back_unstarted()
        self.requester.end_all()
        await asyncio.sleep(0.01)  # each send that was cancelled says what is to be deleted
        await self.relay.leave()
        await self.group.deregister()
        await self.cleaning.clean_now()
        if mutant("destroys-the-group"):
            await self.write(("XGROUP", "DESTROY", self.names.stream, self.names.group))

    async def _unblock(self) -> None:
        """The blocked read must have ended before the pending list is looked at, or it is given entries afterwards."""
        if self.reader is None or self.reader_id is None:
            return
        await self.write(("CLIENT", "UNBLOCK", self.reader_id))
        await asyncio.sleep(0.02)
