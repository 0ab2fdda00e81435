"""Waits for a limited time.

`asyncio.wait_for` of Python before 3.12 loses a cancellation that comes together with the result. A cancelled run would
continue.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
LONGEST_PATIENCE = 6.0
"""So many times its bound a work may take at most, whatever is excused."""


async def within(work: asyncio.Future[T] | Coroutine[Any, Any, T], seconds: float) -> T:
    """The result of `work`. After `seconds` it is cancelled, and TimeoutError raised; so it is when the caller is cancelled."""
    future = asyncio.ensure_future(work)
    # The caller may be cancelled at the moment at which the work fails.
    future.add_done_callback(take_note)
    try:
        await asyncio.wait({future}, timeout=seconds)
        if future.done():
            return future.result()
        raise TimeoutError(f"not done within {seconds:g} s")
    finally:
        if not future.done():
            future.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await future


async def patiently(
    work: asyncio.Future[T] | Coroutine[Any, Any, T], seconds: float, excused: Callable[[], float]
) -> T:
    """As `within`. The seconds that `excused` tells, when asked at the end, are given in addition: the machine took them."""
    future = asyncio.ensure_future(work)
    given, allowed = 0.0, seconds
    while given < allowed:
        await asyncio.wait({future}, timeout=allowed - given)
        if future.done():
            break
        given, allowed = allowed, min(seconds + excused(), LONGEST_PATIENCE * seconds)
    return await within(future, 0.0)


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which a cancellation of the caller does not cut short: the caller is cancelled afterwards."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        take_note(task)
        raise asyncio.CancelledError
    return task.result()


def take_note(future: asyncio.Future[Any]) -> None:
    """A done callback. asyncio reports an exception that was never retrieved, so this retrieves it."""
    if not future.cancelled():
        future.exception()


async def results_of(tasks: Sequence[asyncio.Task[T]]) -> list[T]:
    """Their results, or the first failure. A cancellation ends this wait at once, and not first the task whose turn it is."""
    for task in tasks:
        await asyncio.wait({task})
        task.result()
    return [task.result() for task in tasks]


async def end_all(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancels them until all have ended. Once is not always enough, see above."""
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=1.0)
