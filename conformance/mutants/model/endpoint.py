"""An endpoint: its connections, its tasks, connecting and leaving (section 6)."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from . import recovery, routing
from .claims import Claims
from .errors_of_redis import GROUP_LOST, PERMANENT, REFUSAL
from .group import Group
from .mutation import mutant
from .options import Options
from .requester import Requester
from .resp import Command, Connection, Lost, RedisError
from .responder import Request, Responder
from .wire import Names, check_name, new_instance

Report = Callable[[str, str, dict[str, str]], None]
_LINGER = 0.005
_used: set[tuple[bytes, bytes]] = set()


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
        self.claims = Claims(self)
        self._tasks: set[asyncio.Task[None]] = set()
        self._acknowledge: set[bytes] = set()
        self._delete: set[bytes] = set()
        self._dirty = asyncio.Event()
        self._loss_told = False
        self._told: set[str] = set()

    # connecting

    async def connect(self) -> str:
        """Joins and returns the instance id. Raises ``Lost`` or ``RedisError``, within the connect timeout."""
        if mutant("connects-once") and (self.names.stream, self.names.group) in _used:
            raise ValueError("this group was connected before")
        while True:
            try:
                if mutant("connected-before-the-group"):
                    self.spawn(self._join_later())
                else:
                    await asyncio.wait_for(self._join(), self.options.connect_timeout)
                break
            except asyncio.TimeoutError:
                raise Lost(False, "connect took too long") from None
            except (Lost, RedisError):
                if mutant("connects-whatever-redis-says"):
                    break
                self._drop()
                raise
        _used.add((self.names.stream, self.names.group))
        for work in (self._live, self._clean, self.claims.keep_all, self.claims.look_all, self.claims.take_all):
            self.spawn(work())
        for work in (self.group.refresh_all, self.group.poll_all, self.group.listen):
            self.spawn(work())
        return self.names.instance.decode()

    async def _join(self) -> None:
        await self._open()
        await recovery.join(self)
        self.up.set()

    async def _join_later(self) -> None:
        await asyncio.sleep(0.3)
        await self._join()

    async def _open(self) -> None:
        self.reader = await Connection.open(self.url, self.options.connect_timeout)
        self.writer = await Connection.open(self.url, self.options.connect_timeout)
        id = await self.reader.call("CLIENT", "ID")
        self.reader_id = id if isinstance(id, int) else None
        if mutant("needs-the-client-command") and isinstance(id, RedisError):
            raise id

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
        pause = first = 2.0 if mutant("tries-again-after-2-s") else 0.0
        while not self.closed:
            try:
                if self.reader is None or self.reader.closed or self.writer is None or self.writer.closed:
                    self._drop()
                    await self._open()
                    await recovery.recover(self)
                    self._tell_back()
                self.up.set()
                pause = first
                await self._read()
            except (Lost, RedisError, asyncio.TimeoutError) as error:
                self.up.clear()
                self._drop()
                if self.closed or mutant("stays-down"):
                    return
                self._tell_loss(error)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = 0.02 if mutant("hammers") else min(2.0, max(0.05, pause * 2))

    async def _read(self) -> None:
        names = self.names
        consumer = names.consumer if mutant("reads-as-consumer") else names.dispatcher
        block = 0 if mutant("blocks-for-ever") else 30_000 if mutant("blocks-for-30-s") else 5000
        where = ("STREAMS", names.stream, ">")
        while not self.closed:
            while self._reading_waits():
                await asyncio.sleep(0.02)
            assert self.reader is not None
            command = ("XREADGROUP", "GROUP", names.group, consumer, "COUNT", 128, "BLOCK", block, *where)
            reply = await self.reader.call(*command, seconds=block / 1000 + 5 if block else 3600)
            if isinstance(reply, RedisError):
                raise reply
            while mutant("stops-reading-when-refused") and self._reading_waits():
                await asyncio.sleep(0.02)
            for entry_id, raw in reply[0][1] if reply else []:
                self.last_read = entry_id
                routing.take(self, entry_id, raw)

    def _reading_waits(self) -> bool:
        """Whether nothing new is to be taken now."""
        if mutant("reads-only-when-no-handler-runs") and self.responder.running:
            return True
        if mutant("reads-only-when-nothing-is-outstanding") and self.requester.unanswered_for(0.05):
            return True
        if mutant("stops-reading-when-refused") and asyncio.get_running_loop().time() < self.refused_until:
            return True
        return self.responder.answers_refused and not mutant("reads-when-out-of-memory")

    def lose(self) -> None:
        """The connection is of no use any more: ``_live`` comes back with another one."""
        self.up.clear()
        self._drop()

    def _drop(self) -> None:
        for connection in (self.reader, self.writer):
            if connection is not None:
                connection.close()

    def _tell_loss(self, error: Exception) -> None:
        kind = error.kind if isinstance(error, RedisError) else ""
        if kind in PERMANENT:
            self._tell_permanent(error)
        elif kind not in GROUP_LOST and (not self._loss_told or mutant("tells-each-attempt")):
            self._loss_told = True
            self.report("connection", f"lost: {error}", {})

    def _tell_back(self) -> None:
        if self._loss_told:
            self._loss_told = False
            self.report("connection", "back", {})

    def _tell_permanent(self, error: Exception) -> None:
        if str(error) not in self._told and not mutant("permanent-errors-untold"):
            self._told.add(str(error))
            self.report("refused", str(error), {})

    # writing

    async def write(self, *commands: Command) -> list[Any]:
        """Sends the commands together; error replies are values. Raises ``Lost``."""
        connection = self.writer
        if mutant("adds-before-the-group") and commands[0][0] == b"XADD" and not self.up.is_set():
            connection = self.reader
        if connection is None:
            raise Lost(False)
        try:
            replies = await connection.batch(commands)
        except Lost:
            if connection is self.writer:
                self.lose()
            raise
        for reply in replies:
            if isinstance(reply, RedisError):
                self._noticed(reply)
        return replies

    async def transaction(self, *commands: Command) -> list[Any] | RedisError:
        """One MULTI: its replies, or the error for which nothing of it was done."""
        replies = await self.write(("MULTI",), *commands, ("EXEC",))
        refused = next((reply for reply in replies if isinstance(reply, RedisError)), None)
        return refused if refused is not None else list(replies[-1] or [])

    def _noticed(self, error: RedisError) -> None:
        if error.kind in REFUSAL:
            self.refused_until = asyncio.get_running_loop().time() + 0.2
        elif error.kind in PERMANENT:
            self._tell_permanent(error)
        elif error.kind not in ("BUSYGROUP", "EXECABORT"):
            self.lose()

    def settle(self, acknowledge: bytes | None = None, delete: bytes | None = None) -> None:
        """Acknowledge or delete soon, and again until Redis has done it."""
        if acknowledge is not None:
            self._acknowledge.add(acknowledge)
        if delete is not None:
            self._delete.add(delete)
        self._dirty.set()

    async def _clean(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(3.0 if mutant("cleans-up-late") else _LINGER)
            await self.up.wait()
            await self.clean_now()

    async def clean_now(self) -> None:
        """Writes what ``settle`` collected."""
        self._dirty.clear()
        acknowledge, delete = list(self._acknowledge), list(self._delete)
        lines: list[Command] = []
        if acknowledge:
            lines.append(("XACK", self.names.stream, self.names.group, *acknowledge))
        if delete:
            lines.append(("XDEL", self.names.stream, *delete))
        if not lines:
            return
        try:
            replies = await self.write(*lines)
        except Lost:
            replies = [RedisError("LOST")]
        if mutant("cleans-up-once") or not any(isinstance(reply, RedisError) for reply in replies):
            self._acknowledge.difference_update(acknowledge)
            self._delete.difference_update(delete)
        else:
            self._dirty.set()
            await asyncio.sleep(0.1)

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
        if mutant("reads-after-disconnect"):
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
        await self.group.deregister()
        await self.clean_now()
        if mutant("destroys-the-group"):
            await self.write(("XGROUP", "DESTROY", self.names.stream, self.names.group))

    async def _unblock(self) -> None:
        """The blocked read must have ended before the pending list is looked at, or it is given entries afterwards."""
        if self.reader is None or self.reader_id is None:
            return
        await self.write(("CLIENT", "UNBLOCK", self.reader_id))
        await asyncio.sleep(0.02)
