"""One implementation in its own process, driven through the testee protocol: JSON-RPC 2.0, a line a message."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[[dict[str, Any]], tuple[str, dict[str, Any]] | None]
"""The answer to a ``received``: the method (``fulfill``, ``reject``...) and its arguments, or None to leave it."""


class Refused(Exception):
    """The testee answered with an error."""


@dataclass
class Outcome:
    """How one request ended, and after how many seconds as seen from here."""

    status: str
    content: Any
    took: float


@dataclass
class Testee:
    """Start it with ``await Testee.start(name, command)``, end it with ``await testee.close()``."""

    name: str
    process: asyncio.subprocess.Process
    answers: dict[str, Answer] = field(default_factory=dict)
    """By endpoint."""
    received: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    hello: dict[str, Any] = field(default_factory=dict)
    _calls: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @classmethod
    async def start(cls, name: str, command: Sequence[str]) -> Testee:
        """The process, greeted. Its stderr is ours."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24
        )
        testee = cls(name, process)
        testee._spawn(testee._read())
        testee.hello = await testee.call("hello", protocol="1.0")
        return testee

    async def call(self, method: str, seconds: float = 30, **params: Any) -> dict[str, Any]:
        """The result. Raises ``Refused`` for an error, ``TimeoutError`` after so many seconds."""
        number = next(self._ids)
        self._calls[number] = asyncio.get_running_loop().create_future()
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        try:
            message = await asyncio.wait_for(self._calls[number], seconds)
        except asyncio.TimeoutError:
            raise TimeoutError(f"{self.name} did not answer {method} within {seconds} s") from None
        if "error" in message:
            raise Refused(f"{self.name}: {method}: {message['error']['message']}")
        result: dict[str, Any] = message["result"]
        return result

    async def ask(self, method: str, seconds: float = 30, **params: Any) -> Outcome:
        """``send`` or ``trigger``, timed."""
        began = time.monotonic()
        result = await self.call(method, seconds, **params)
        return Outcome(result["outcome"], result["content"], time.monotonic() - began)

    async def close(self) -> None:
        """Shut down; killed where it does not go within 10 s."""
        try:
            await self.call("shutdown", seconds=10)
            await asyncio.wait_for(self.process.wait(), 5)
        except (Refused, asyncio.TimeoutError, TimeoutError, ConnectionError):
            pass
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        for task in self._tasks:
            task.cancel()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            message = json.loads(line)
            if message.get("method") == "received":
                self._received(message["params"])
            elif message.get("method") == "error":
                self.errors.append(message["params"])
            elif "id" in message:
                call = self._calls.pop(message["id"])
                if not call.done():
                    call.set_result(message)
        for call in self._calls.values():
            if not call.done():
                call.set_result({"error": {"message": f"the process ended ({self.process.returncode})"}})

    def _received(self, request: dict[str, Any]) -> None:
        self.received.append(request)
        answer = self.answers.get(request["endpoint"])
        act = answer(request) if answer else None
        if act:
            method, params = act
            self._spawn(self._answer(method, endpoint=request["endpoint"], request=request["request"], **params))

    async def _answer(self, method: str, **params: Any) -> None:
        try:
            await self.call(method, **params)
        except (Refused, TimeoutError) as error:
            self.errors.append({"endpoint": params["endpoint"], "kind": method, "message": str(error)})

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
