"""A connection to Redis: commands out, replies in, nothing repeated. Error replies are values."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from .mutation import mutant

Command = Sequence[Any]
_SILENCE = 3.0
"""Seconds: a reply is overdue for so long, and no byte moved, when a connection is taken for lost."""
_OVERDUE_TICK = 0.1


class Lost(Exception):
    """The connection is gone. ``sent``: whether the commands may still have reached Redis."""

    def __init__(self, sent: bool, reason: str = "") -> None:
        super().__init__(reason or "the connection is closed")
        self.sent = sent


class RedisError(Exception):
    """An error reply. ``kind``: its first word."""

    @property
    def kind(self) -> str:
        return str(self).partition(" ")[0]


class Connection:
    """One TCP connection; replies come in the order of the commands."""

    patience = _SILENCE
    """Only for a mutant: how long the next silence lasts."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._moved = self._left = 0
        self.pushed: asyncio.Queue[Any] | None = None
        self.closed = False
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, url: str, seconds: float) -> Connection:
        parts = urlsplit(url)
        try:
            opening = asyncio.open_connection(parts.hostname, parts.port or 6379)
            reader, writer = await asyncio.wait_for(opening, seconds)
        except (OSError, asyncio.TimeoutError) as error:
            raise Lost(False, f"{parts.hostname}:{parts.port}: {error or 'no answer'}") from error
        self = cls(reader, writer)
        greeting: list[Command] = []
        if parts.password:
            user = [unquote(parts.username)] if parts.username else []
            greeting.append(("AUTH", *user, unquote(parts.password)))
        if parts.path.strip("/"):
            greeting.append(("SELECT", parts.path.strip("/")))
        for reply in await self.batch(greeting) if greeting else []:
            if isinstance(reply, RedisError):
                self.close()
                raise reply
        return self

    async def call(self, *command: Any, block: float = 0.0) -> Any:
        return (await self.batch([command], block))[0]

    async def batch(self, commands: Sequence[Command], block: float = 0.0) -> list[Any]:
        """All replies, the last due after ``block`` seconds. A silent connection is closed: what came later would be taken
        for another reply."""
        if self.closed:
            raise Lost(False)
        futures = [asyncio.get_running_loop().create_future() for _ in commands]
        self._waiting.extend(futures)
        self._writer.write(b"".join(map(_encode, commands)))
        await self._until_silent(futures, block)
        if not all(future.done() for future in futures):
            sent = self._was_sent()
            self.close()
            raise Lost(sent, f"no reply and no byte for {_SILENCE:g} s")
        return [future.result() for future in futures]

    async def _until_silent(self, futures: list[asyncio.Future[Any]], block: float) -> None:
        """Counts the time in which this process ran: after a pause the bytes that waited come first."""
        silence = 10.0 if mutant("waits-10-s-for-a-reply") else 0.8 if mutant("waits-0.8-s-for-a-reply") else _SILENCE
        if mutant("more-patient-after-each-silence"):
            silence = Connection.patience
        due, still, seen = block, 0.0, self._progress()
        while True:
            _, left = await asyncio.wait(futures, timeout=_OVERDUE_TICK)
            if not left:
                return
            due -= _OVERDUE_TICK
            if due > 0:
                continue
            still += _OVERDUE_TICK
            before, seen = seen, self._progress()
            # What this endpoint writes meanwhile only waits: it moves no byte.
            if (seen[0] != before[0] or seen[1] < before[1]) and not mutant("takes-a-slow-link-for-dead"):
                still = 0.0
            if still > silence:
                Connection.patience *= 2.2
                return

    def _progress(self) -> tuple[int, int]:
        """The bytes that came, and those that have not left."""
        transport = self._writer.transport
        if not transport.is_closing():
            self._left = transport.get_write_buffer_size()
        return self._moved, 0 if mutant("takes-an-upload-for-silence") else self._left

    def listen(self, *channels: bytes) -> asyncio.Queue[Any]:
        """Subscribes; everything that comes from now on goes into the queue, None when the connection is gone."""
        self.pushed = asyncio.Queue()
        self._writer.write(_encode(("SUBSCRIBE", *channels)))
        return self.pushed

    def close(self) -> None:
        if self.closed:
            return
        self.closed, sent = True, self._was_sent()
        self._task.cancel()
        with contextlib.suppress(Exception):
            self._writer.close()
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(Lost(sent))
                future.exception()

    def _was_sent(self) -> bool:
        """Nothing proves that Redis did not get what waits for a reply, whatever has not left yet."""
        return not (mutant("half-sent-counts-as-not-sent") and self._left > 0)

    async def _read(self) -> None:
        buffer = bytearray()
        try:
            while chunk := await self._reader.read(1 << 16):
                buffer += chunk
                self._moved += len(chunk)
                self._take(buffer)
        except (OSError, ValueError):
            pass
        self.close()
        if self.pushed is not None:
            self.pushed.put_nowait(None)

    def _take(self, buffer: bytearray) -> None:
        at = 0
        while at < len(buffer):
            try:
                value, at = _parse(buffer, at)
            except _Incomplete:
                break
            if self.pushed is not None:
                self.pushed.put_nowait(value)
            elif self._waiting and not (future := self._waiting.popleft()).done():
                future.set_result(value)
        del buffer[:at]


def _encode(command: Command) -> bytes:
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


class _Incomplete(Exception):
    """The rest of the reply has not come yet."""


def _parse(buffer: bytearray, at: int) -> tuple[Any, int]:
    """One reply, and where the next one begins."""
    end = buffer.find(b"\r\n", at)
    if end < 0:
        raise _Incomplete
    kind, rest, at = buffer[at : at + 1], bytes(buffer[at + 1 : end]), end + 2
    if kind == b"+":
        return rest, at
    if kind == b"-":
        return RedisError(rest.decode("utf-8", "replace")), at
    if kind == b":":
        return int(rest), at
    if rest == b"-1":
        return None, at
    if kind == b"$":
        end = at + int(rest)
        if len(buffer) < end + 2:
            raise _Incomplete
        return bytes(buffer[at:end]), end + 2
    if kind != b"*":
        raise ValueError(f"unexpected {bytes(kind + rest)!r}")
    values = []
    for _ in range(int(rest)):
        value, at = _parse(buffer, at)
        values.append(value)
    return values, at
