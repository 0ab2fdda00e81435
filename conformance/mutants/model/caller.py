"""A requester without a group: the profile ``ask`` (section 8a). It owes nothing between two sends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from . import content
from .mutation import mutant
from .options import Options, check_seconds
from .resp import Connection, Lost, RedisError
from .send import Send
from .wire import FULFILLED, PENDING, REJECTED, Entry, add, check_name, new_id, new_instance, parse

_CALLER_PAGE = 100
_LONGEST_BLOCK = 5.0
_LOOK_LIMIT = 0.5
_LATEST = 0.7
"""Seconds after the timeout at which a send ends in any case."""
_EARLY_END = 0.5
"""Seconds after the request was stored, before which nobody asks whether its group exists."""


class Failed(Exception):
    """A send that ended as failed: it will have no effect."""


class Caller:
    """Each send has a connection of its own. `requester` is the caller itself: the testee asks it as it asks an endpoint."""

    def __init__(self, url: str, stream: str, options: Options) -> None:
        self.url, self.options = url, options
        self.stream = check_name("stream", stream)
        self.instance = b"c0ffee" if mutant("caller-of-one-instance") else new_instance().encode()
        self.name = b"caller" if mutant("caller-without-its-instance") else b"caller:" + self.instance
        if mutant("caller-without-the-prefix"):
            self.name = self.instance
        self.requester = self
        self.closed = False
        self.unheard: set[bytes] = set()
        """Entry IDs of the requests whose group was missing."""

    async def connect(self) -> str:
        connection = await Connection.open(self.url, self.options.connect_timeout)
        connection.close()
        return self.instance.decode()

    async def disconnect(self) -> None:
        self.closed = True

    async def send(
        self, to: str, value: Any, timeout: Any = None, begun: Callable[[Send], None] | None = None
    ) -> tuple[str, Any]:
        """The outcome. Raises ValueError, before anything is written, for what cannot be sent; Failed."""
        if self.closed:
            raise ValueError("the caller is closed")
        send = Send(new_id(b""), check_name("destination", to), content.encode(value))
        seconds = check_seconds("timeout", self.options.timeout if timeout is None else timeout)
        end = asyncio.get_running_loop().time() + seconds
        if begun is not None:
            begun(send)
        try:
            return await asyncio.wait_for(self._over_a_connection(send, end), self._left(end))
        except asyncio.TimeoutError:
            if send.entry_id is None:
                raise Failed("Redis did not say whether it stored the request") from None
            return "timeout", None
        except Lost as lost:
            raise Failed(f"the connection was lost: {lost}") from lost

    async def _over_a_connection(self, send: Send, end: float) -> tuple[str, Any]:
        connection = await Connection.open(self.url, self.options.connect_timeout)
        try:
            return await self._ask(connection, send, end)
        finally:
            connection.close()

    def _left(self, end: float) -> float | None:
        """Whatever Redis says or does not say, a send ends within 1 s after its timeout (RIPC-TIME-4)."""
        if mutant("caller-late-behind-silence"):
            return None
        return max(0.0, end + _LATEST - asyncio.get_running_loop().time())

    async def _ask(self, connection: Connection, send: Send, end: float) -> tuple[str, Any]:
        begun = asyncio.get_running_loop().time()
        send.entry_id = await self._write(connection, send)
        if mutant("caller-counts-from-the-reply"):
            end += asyncio.get_running_loop().time() - begun
        if send.entry_id is None and mutant("caller-waits-without-a-stream"):
            await asyncio.sleep(max(0.0, end - asyncio.get_running_loop().time()))
            return "timeout", None
        if isinstance(send.entry_id, RedisError) or send.entry_id is None:
            raise Failed(f"Redis did not store the request: {send.entry_id or 'there is no stream'}")
        waiting = asyncio.ensure_future(self._response(connection, send, end))
        either: list[asyncio.Future[Any]] = [waiting, send.outcome]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if send.outcome.done() and not waiting.done():
            waiting.cancel()
            await self._forget(send.entry_id)
            return send.outcome.result()
        answer = waiting.result()
        if answer is None:
            return ("no-responders" if send.entry_id in self.unheard else "timeout"), None
        kind = "fulfilled" if answer.status == FULFILLED else "rejected"
        return kind, content.decode(answer.content)

    async def _write(self, connection: Connection, send: Send) -> Any:
        """The reply to XADD. Raises Lost; it is not written again then, since nobody knows whether it is stored."""
        values = (send.id, self.instance, PENDING, send.text, self.name, send.to)
        command = add(self.stream, "request", values)
        if mutant("caller-makes-the-stream"):
            command.remove(b"NOMKSTREAM")
        if mutant("caller-makes-a-group"):
            await connection.call("XGROUP", "CREATE", self.stream, self.name, "$")
        if mutant("caller-registers"):
            await connection.call("LPUSH", self.stream + b":" + self.name + b":consumers", self.instance)
        if mutant("caller-needs-client") and isinstance(
            await connection.call("CLIENT", "SETNAME", "caller"), RedisError
        ):
            raise Failed("Redis refused a name for the connection")
        try:
            reply = await connection.call(*command)
            if mutant("caller-expires-the-stream"):
                await connection.call("EXPIRE", self.stream, 604800)
            return reply
        except Lost:
            large = mutant("caller-repeats-a-large-add") and len(send.text) > 1 << 20
            if not mutant("caller-repeats-its-add") and not large:
                raise
            again = await Connection.open(self.url, self.options.connect_timeout)
            reply = await again.call(*command)
            again.close()
            raise Failed(f"the connection was lost; again: {reply!r}") from None

    async def _forget(self, entry_id: bytes) -> None:
        """The connection of the send is in a blocking read."""
        if mutant("caller-leaves-a-cancelled-request"):
            return
        connection = await Connection.open(self.url, self.options.connect_timeout)
        await connection.call("XDEL", self.stream, entry_id)
        connection.close()

    async def _response(self, connection: Connection, send: Send, end: float) -> Entry | None:
        """The response, deleted; None at the timeout, with the request deleted."""
        assert send.entry_id is not None
        loop = asyncio.get_running_loop()
        last = self._beginning(send.entry_id)
        look = loop.time() + (0.1 if mutant("caller-ends-too-early") else _EARLY_END)
        while (left := end - loop.time()) > 0:
            span = min(left, max(0.0, look - loop.time()) or left)
            try:
                found, last = await self._read(connection, send, last, span)
            except Lost as lost:
                connection, last = await self._after_a_loss(end, lost), b"$"
                continue
            if found is not None:
                return found
            if loop.time() >= look:
                look = float("inf")
                if await self._is_missing(connection, send.to):
                    self.unheard.add(send.entry_id)
                    break
        return await self._last_look(connection, send, last)

    async def _after_a_loss(self, end: float, lost: Lost) -> Connection:
        """A right caller ends the send as failed: it does not connect again."""
        loop = asyncio.get_running_loop()
        if mutant("caller-times-out-after-a-loss"):
            await asyncio.sleep(max(0.0, end - loop.time()))
            raise asyncio.TimeoutError
        while mutant("caller-reads-from-the-end-after-a-loss") and loop.time() < end:
            with contextlib.suppress(Lost, OSError):
                return await Connection.open(self.url, self.options.connect_timeout)
            await asyncio.sleep(0.1)
        raise lost

    def _beginning(self, own: bytes) -> bytes:
        if mutant("caller-reads-from-the-end"):
            return b"$"
        return b"0-0" if mutant("caller-reads-from-the-beginning") else own

    async def _read(self, connection: Connection, send: Send, last: bytes, left: float) -> tuple[Entry | None, bytes]:
        """The response if the read brings it, and the last ID that came."""
        block = 60.0 if mutant("caller-blocks-for-a-minute") else min(_LONGEST_BLOCK, left)
        options: tuple[Any, ...] = (
            "BLOCK",
            max(0 if mutant("caller-rounds-down-to-for-ever") else 1, int(block * 1000)),
        )
        if mutant("caller-polls"):
            options = ()
            await asyncio.sleep(0.02)
        places: tuple[Any, ...] = (self.stream, last)
        if mutant("caller-waits-for-two-keys"):
            places = (self.stream, self.stream + b":wakeup", last, b"$")
        command = ("XREAD", "COUNT", _CALLER_PAGE, *options, "STREAMS", *places)
        reply = await connection.call(*command, block=block)
        if isinstance(reply, RedisError):
            raise Failed(f"Redis refused to read: {reply}")
        for entry_id, raw in reply[0][1] if reply else []:
            found = parse(entry_id, raw)
            sticks = found.problem and mutant("caller-sticks-to-odd-entries")
            if not sticks and not mutant("caller-reads-again-from-its-entry"):
                last = entry_id
            if self._is_its(found, send):
                newer = ("XDELEX", self.stream, "IDS", 1, entry_id)
                if not mutant("caller-leaves-its-response"):
                    delete = newer if mutant("caller-needs-redis-8") else ("XDEL", self.stream, entry_id)
                    await connection.call(*delete)
                return found, last
            if mutant("caller-deletes-what-it-reads"):
                await connection.call("XDEL", self.stream, entry_id)
        return None, last

    async def _is_missing(self, connection: Connection, group: bytes) -> bool:
        """Whether nobody has made the group (RIPC-REQ-16)."""
        groups = await connection.call("XINFO", "GROUPS", self.stream)
        return not isinstance(groups, RedisError) and all(each[1] != group for each in groups)

    async def _last_look(self, connection: Connection, send: Send, last: bytes) -> Entry | None:
        deadline = asyncio.get_running_loop().time() + _LOOK_LIMIT
        delete, look = (
            ("XDEL", self.stream, send.entry_id),
            ("XRANGE", self.stream, b"(" + last, "+", "COUNT", _CALLER_PAGE),
        )
        if mutant("caller-looks-before-it-deletes"):
            page, _ = await connection.batch([look, delete])
        elif mutant("caller-looks-after-the-deletion"):
            await connection.call(*delete)
            page = await connection.call(*look)
        elif mutant("caller-leaves-its-request"):
            page = await connection.call(*look)
        else:
            _, page = await connection.batch([delete, look])
        if mutant("caller-without-a-last-look"):
            return None
        while page and not isinstance(page, RedisError):
            for entry_id, raw in page:
                found = parse(entry_id, raw)
                if self._is_its(found, send):
                    if not mutant("caller-leaves-what-it-looked-for"):
                        await connection.call("XDEL", self.stream, entry_id)
                    return found
            if mutant("caller-looks-at-one-page"):
                break
            if len(page) < _CALLER_PAGE or asyncio.get_running_loop().time() > deadline:
                break
            page = await connection.call("XRANGE", self.stream, b"(" + page[-1][0], "+", "COUNT", _CALLER_PAGE)
        return None

    def _is_its(self, entry: Entry, send: Send) -> bool:
        if entry.problem and not mutant("caller-takes-what-is-malformed"):
            return False
        if entry.status not in (FULFILLED, REJECTED) and not mutant("caller-takes-any-status"):
            return False
        return (
            (entry.id == send.id or mutant("caller-takes-any-id"))
            and (entry.instance == self.instance or mutant("caller-takes-any-instance"))
            and (entry.destination == self.name or mutant("caller-takes-any-destination"))
        )
