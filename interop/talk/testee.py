"""One implementation in its own process: the suite's client of the testee protocol, with answers by endpoint and timed calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from redisipc_conformance.testee.process import (
    TesteeBroke,
    TesteeGone,
    TesteeProcess,
    TesteeRefused,
    TesteeUnusable,
)
from redisipc_conformance.testee.schemas import TesteeSchemas

Answer = Callable[[dict[str, Any]], tuple[str, dict[str, Any]] | None]
"""The answer to a ``received``: the method (``fulfill``, ``reject``...) and its arguments, or None to leave it."""
CALL_SECONDS = 30.0
"""The longest time for one call, also for the first one, in which the process starts."""
LAST_LINES = 5
"""Lines of stderr that go with the end of a process."""


class Unusable(Exception):
    """The testee cannot be started, or gives no valid hello. The text names it, and has the end of its stderr."""


class CallFailed(Exception):
    """The testee refused a call, broke the protocol, or ended."""


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
    process: TesteeProcess = field(init=False)
    answers: dict[str, Answer] = field(default_factory=dict)
    """By endpoint."""
    received: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @classmethod
    async def start(cls, name: str, command: Sequence[str]) -> Testee:
        """The process, greeted. Raises ``Unusable``."""
        testee = cls(name)
        try:
            testee.process = await TesteeProcess.start(
                command, on_notification=testee._notified, schemas=TesteeSchemas.load(), seconds=CALL_SECONDS
            )
        except TesteeUnusable as error:
            raise Unusable(f"{name} cannot take part: {error}") from error
        return testee

    @property
    def version(self) -> str:
        """Name and version, as it said hello."""
        return f"{self.process.hello['name']} {self.process.hello['version']}"

    async def call(self, method: str, seconds: float = CALL_SECONDS, **params: Any) -> dict[str, Any]:
        """The result. Raises ``CallFailed``, or ``TimeoutError`` after so many seconds."""
        try:
            return await self.process.call(method, params, seconds)
        except TimeoutError as error:
            raise TimeoutError(f"{self.name}: {error}") from None
        except (TesteeRefused, TesteeBroke) as error:
            raise CallFailed(f"{self.name}: {method}: {error}") from error
        except TesteeGone as error:
            tail = self.process.stderr.strip().splitlines()[-LAST_LINES:]
            raise CallFailed("\n  ".join([f"{self.name}: {method}: {error}", *tail])) from error

    async def ask(self, method: str, seconds: float = CALL_SECONDS, **params: Any) -> Outcome:
        """``send`` or ``trigger``, timed."""
        began = time.monotonic()
        result = await self.call(method, seconds, **params)
        return Outcome(result["outcome"], result["content"], time.monotonic() - began)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()

    async def close(self) -> None:
        """Shuts it down, and kills it if it does not end by itself."""
        await self.process.close()
        for task in self._tasks:
            task.cancel()

    def _notified(self, method: str, params: dict[str, Any]) -> None:
        if method == "received":
            self._received(params)
        elif method == "error":
            self.errors.append(params)

    def _received(self, request: dict[str, Any]) -> None:
        self.received.append(request)
        answer = self.answers.get(request["endpoint"])
        act = answer(request) if answer else None
        if act:
            method, params = act
            work = self._answer(method, endpoint=request["endpoint"], request=request["request"], **params)
            task = asyncio.get_running_loop().create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, method: str, **params: Any) -> None:
        try:
            await self.call(method, **params)
        except (CallFailed, TimeoutError) as error:
            self.errors.append({"endpoint": params["endpoint"], "kind": method, "message": str(error)})
