"""Both faces behind one word each, so that a behaviour is tested once and on both.

Tests are coroutines. A call that waits goes through ``face.call``: in a thread for ``redisipc``, awaited for
``redisipc.asyncio``. A handler that waits is written as a coroutine function and goes through ``face.handler``.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import redisipc
import redisipc.asyncio


class Face:
    def __init__(self, name: str, module: Any) -> None:
        self.name = name
        self.module = module
        self.made: list[Any] = []

    async def call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if self.name == "threads":
            return await asyncio.to_thread(function, *arguments, **options)
        value = function(*arguments, **options)
        return await value if inspect.isawaitable(value) else value

    async def outcome(self, future: Any) -> Any:
        """The result or the error of a future of ``submit``."""
        return await (asyncio.wrap_future(future) if self.name == "threads" else future)

    def handler(self, work: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        if self.name == "asyncio":
            return work
        return lambda *arguments: asyncio.run(work(*arguments))

    def stream(self, stream: str, group: str, handler: Callable[..., Any] | None = None, **options: Any) -> Any:
        """A Stream that is closed at the end of the test."""
        made = self.module.Stream(stream, group, **options)
        if handler is not None:
            made.on_request(handler)
        self.made.append(made)
        return made

    async def connected(self, stream: str, group: str, handler: Any = None, **options: Any) -> Any:
        made = self.stream(stream, group, handler, **options)
        await self.call(made.connect)
        return made

    async def close(self) -> None:
        for made in self.made:
            await self.call(made.disconnect, 0.2)


class Gate:
    """An event that a handler of either face can wait for."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reached = 0

    def open(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        self.reached += 1
        while not self._event.is_set():
            await asyncio.sleep(0.002)


async def until(condition: Callable[[], Any], limit: float = 5.0) -> Any:
    """Wait until ``condition`` gives something true, at most ``limit`` seconds."""
    end = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.005)
    return value


NOTICED = 5.7
"""Seconds within which the silence of a master that hangs is noticed; 6 s is the aim for coming back."""
FACES = {"threads": redisipc, "asyncio": redisipc.asyncio}
