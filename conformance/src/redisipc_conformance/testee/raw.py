"""A process that should speak the testee protocol, without trust: for ``check-testee``, which must not stumble over anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

from ..within import within
from .exits import exited
from .schemas import Answer, MessageBroken, Notification, Refusal, TesteeSchemas

_LINE = 64 * 1024 * 1024
_TAIL = 400


class Ended(Exception):
    """The process ended while something was expected of it. The text says how, and the end of its stderr."""


class Silent(Exception):
    """No answer in time."""


class RawTestee:
    """One process. ``noise`` keeps its output that is not a message, ``strays`` the answers that no call waits for."""

    def __init__(self, process: asyncio.subprocess.Process, schemas: TesteeSchemas, scale: float = 1.0) -> None:
        self.process = process
        self.schemas = schemas
        self.scale = scale
        """By how much more time everything has, for a slow machine or a debugger."""
        self.noise: list[str] = []
        self.strays: list[str] = []
        self.notifications: list[Notification] = []
        self._news = asyncio.Event()
        self._errors = bytearray()
        self._calls: dict[int, asyncio.Future[Answer | Refusal]] = {}
        self._methods: dict[int, str] = {}
        self._last = 0
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._read_errors())]

    @classmethod
    async def start(cls, command: Sequence[str], schemas: TesteeSchemas, scale: float = 1.0) -> RawTestee:
        """Raises OSError where there is no such program."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, limit=_LINE, start_new_session=True
        )
        return cls(process, schemas, scale)

    @property
    def answered(self) -> bool:
        """Whether no call is outstanding."""
        return not self._calls

    async def call(
        self, method: str, params: dict[str, Any], seconds: float, *, checked: bool = True
    ) -> Answer | Refusal:
        """The answer or the refusal. Raises ``Ended``, ``Silent``, ``MessageBroken``.

        ``checked`` False: the parameters are wrong on purpose.
        """
        future = await self.begin(method, params, checked=checked)
        return await self.answer(future, method, seconds)

    async def begin(
        self, method: str, params: dict[str, Any], *, checked: bool = True
    ) -> asyncio.Future[Answer | Refusal]:
        """Writes a call and does not wait."""
        self._last += 1
        id = self._last
        if checked:
            line = self.schemas.call(id, method, params)
        else:
            line = json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode() + b"\n"
        future: asyncio.Future[Answer | Refusal] = asyncio.get_running_loop().create_future()
        self._calls[id] = future
        self._methods[id] = method
        assert self.process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self.process.stdin.write(line)
            await self.process.stdin.drain()
        return future

    async def answer(self, future: asyncio.Future[Answer | Refusal], method: str, seconds: float) -> Answer | Refusal:
        """Waits for what ``begin`` gave."""
        waiting: list[asyncio.Future[Any]] = [future, self._tasks[0]]
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if future.done():
            return future.result()
        if self._tasks[0].done():
            await asyncio.wait([self._tasks[1]], timeout=1)
            raise Ended(f"it ended {await self._how()} while {method} was outstanding{self.last_words()}")
        raise Silent(f"{method} was not answered within {seconds:g} s")

    async def notified(self, method: str, that: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        """The parameters of the first such notification, now or to come. Raises ``Silent``."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            for notification in self.notifications:
                if notification.method == method and that(notification.params):
                    return notification.params
            self._news.clear()
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except asyncio.TimeoutError:
                raise Silent(f"no notification {method} came within {seconds:g} s") from None

    def end_of_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def ended(self, seconds: float) -> int | None:
        """The exit status, or None where it still runs."""
        try:
            return await within(exited(self.process), seconds)
        except TimeoutError:
            return None

    async def kill(self) -> None:
        """Ends it, however it is, and reads what it left."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)  # its children too
        self.end_of_input()
        await exited(self.process)
        _, late = await asyncio.wait(self._tasks, timeout=1)
        for task in late:  # a child of the testee holds the pipe open
            task.cancel()

    def last_words(self) -> str:
        text = self._errors.decode("utf-8", "replace").strip()[-_TAIL:]
        return f"; its stderr ends with: {text}" if text else "; its stderr is empty"

    async def _how(self) -> str:
        status = await self.ended(1)
        if status is None:
            return "its output"
        return f"by signal {-status}" if status < 0 else f"with exit status {status}"

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while True:
            try:
                raw = await self.process.stdout.readline()
            except ValueError:
                self.noise.append(f"a line of more than {_LINE} bytes")
                continue
            if not raw:
                return
            self._take(raw)

    def _take(self, raw: bytes) -> None:
        try:
            message = self.schemas.line(raw)
            if isinstance(message, Notification):
                self.notifications.append(message)
                self._news.set()
                return
            future = self._calls.pop(message.id, None) if message.id is not None else None
            if future is None:
                self.strays.append(f"an answer with the id {message.id!r}, which no outstanding call has")
            elif isinstance(message, Answer):
                self._settle(future, self._methods[message.id], message)
            else:
                future.set_result(message)
        except MessageBroken as broken:
            self._blame(raw, broken)

    def _settle(self, future: asyncio.Future[Answer | Refusal], method: str, message: Answer) -> None:
        if method not in self.schemas.methods:
            future.set_result(message)
            return
        try:
            self.schemas.check_answer(method, message.result)
            future.set_result(message)
        except MessageBroken as broken:
            future.set_exception(broken)

    def _blame(self, raw: bytes, broken: MessageBroken) -> None:
        """Passes the error to the call that waits for it; without one, the line is noise."""
        try:
            future = self._calls.pop(json.loads(raw)["id"], None)
        except (ValueError, TypeError, KeyError, RecursionError):
            future = None
        if future is None:
            self.noise.append(str(broken))
        else:
            future.set_exception(broken)

    async def _read_errors(self) -> None:
        assert self.process.stderr is not None
        while chunk := await self.process.stderr.read(65536):
            self._errors += chunk
            del self._errors[: -10 * _TAIL]
