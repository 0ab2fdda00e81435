"""Tasks whose next step got lost: the event loop took the step out, and an exception of a signal handler ended the loop.

asyncio then never continues the task, and reports nothing. The task's result never comes, and ``asyncio.run``, which cancels all
tasks at its end and waits for them, never returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable
from typing import Any

_CONTINUES = object()
"""Stands for a task that will be continued."""


def look(task: asyncio.Task[Any], lost: Callable[[], None]) -> None:
    """Call ``lost`` soon if ``task`` has no step to come, and end the task. Call this in a callback of the event loop.

    A task continues when the future that it awaits is done. That step is scheduled as soon as the future is done, and the
    event loop makes scheduled steps in order. So the step got lost if it does not run before a callback that is scheduled now.
    """
    awaited = _awaited(task)
    if awaited is not _CONTINUES:
        task.get_loop().call_soon(_look_again, task, awaited, lost)


def _look_again(task: asyncio.Task[Any], awaited: Any, lost: Callable[[], None]) -> None:
    if _awaited(task) is awaited:
        lost()
        # Its blocks "finally" run. What they wait for does not come.
        with contextlib.suppress(RuntimeError):
            _work_of(task).close()
        # A task's cancel() would only note that its next step is to raise CancelledError.
        asyncio.Future.cancel(task)


def _work_of(task: asyncio.Task[Any]) -> Any:
    return task.get_coro()


def _awaited(task: asyncio.Task[Any]) -> Any:
    """The future that is done and whose task did not continue, or None for a task that did not begin."""
    # asyncio has no public name for it. Without it nothing counts as lost.
    awaited: Any = getattr(task, "_fut_waiter", _CONTINUES)
    if task.done() or awaited is _CONTINUES:
        return _CONTINUES
    if awaited is None:
        work = _work_of(task)
        begins = inspect.iscoroutine(work) and inspect.getcoroutinestate(work) == inspect.CORO_CREATED
        return None if begins else _CONTINUES
    return awaited if awaited.done() else _CONTINUES
