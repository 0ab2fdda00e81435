"""Tasks of the user's coroutines: those of handlers, and those of callbacks, which have a name."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context
from time import monotonic
from typing import Any

TURNS = 3
"""Turns of the event loop that transports need to close. Code that ends the event loop after ``disconnect()`` finds none open."""
LAST_CALLS = 0.2
"""Seconds that coroutines of callbacks have at least when the endpoint has left: most of them tell of its end."""


class UserTasks:
    """The tasks that have not ended. ``tell`` reports a callback that was cancelled; again, if a report of that did not end."""

    def __init__(self, home: asyncio.AbstractEventLoop, tell: Callable[[str, bool], None]) -> None:
        self._home = home
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()
        self._callbacks: dict[asyncio.Task[None], str] = {}

    def __contains__(self, task: object) -> bool:
        return task in self._tasks

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, None], context: Context, callback: str) -> asyncio.Task[None]:
        """Run a coroutine. ``callback`` names it, if it is one."""
        task = _make_task(self._home, self._known(work), context)
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._ended)
            if callback:
                self._callbacks[task] = callback
        return task

    async def _known(self, work: Coroutine[Any, Any, None]) -> None:
        # A task that runs at once must be in the set before _make_task returns it.
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await work
        finally:
            self._tasks.discard(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._callbacks.pop(task, None)

    async def end(self, until: float) -> None:
        """Cancel handlers, and wait for callbacks. Cancel and report those that do not end in time."""
        await _cancel([task for task in self._others() if task not in self._callbacks])
        await self._wait(until)
        # The report of a callback may call on_error, which may not end either.
        for again in (False, True):
            cut = await self._cut()
            for what in cut:
                self._tell(what, again)
            if not cut:
                return
            for _ in range(TURNS):
                await asyncio.sleep(0)
            await self._wait(monotonic() + LAST_CALLS)
        await self._cut()

    def _others(self) -> list[asyncio.Task[None]]:
        me = asyncio.current_task()
        return [task for task in self._tasks if task is not me]

    async def _wait(self, until: float) -> None:
        while (tasks := self._others()) and monotonic() < until:
            await asyncio.wait(tasks, timeout=until - monotonic())

    async def _cut(self) -> list[str]:
        tasks = self._others()
        names = [self._callbacks.pop(task) for task in tasks if task in self._callbacks]
        await _cancel(tasks)
        return names


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=1.0)


def _make_task(
    home: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None], context: Context
) -> asyncio.Task[None]:
    """Start ``work`` as a task. Where Python can, the task runs at once until it first waits."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=home, context=context, eager_start=True)
    if sys.version_info >= (3, 11):
        return home.create_task(work, context=context)
    return context.run(home.create_task, work)
