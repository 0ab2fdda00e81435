"""Time that a test sets forward: one clock for the event loop, the library and the hubs of this process."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol

MOST_TURNS = 10_000
"""After so many turns of the event loop at one moment, something counts as spinning."""
PATIENCE = 2.0
"""Real seconds for which threads may work before time continues."""

_real = time.monotonic
_ahead = 0.0


class DueTimes(Protocol):
    """The calls that are due by a hub's clock (`clock.Timers`)."""

    def next(self) -> float | None: ...
    def run_due(self) -> bool: ...


class Timed(Protocol):
    """The part of a server (`server.Server`) that time needs. ``busy`` counts functions of the test that run for it."""

    lock: threading.RLock
    busy: int

    @property
    def timers(self) -> DueTimes: ...
    def flush(self) -> None: ...


class StillWaiting(AssertionError):
    """Time cannot be moved forward, because something does not come to rest. The message names it."""


def monotonic() -> float:
    """Seconds of the process's clock, plus those by which it was set forward."""
    return _real() + _ahead


def take_over() -> None:
    """Make the library use this clock, also in modules that were loaded since then."""
    for name, module in list(sys.modules.items()):
        if name.startswith("redisipc.runtime") and isinstance(module, ModuleType):
            if getattr(module, "monotonic", None) is _real:
                module.monotonic = monotonic  # type: ignore[attr-defined]
            if getattr(module, "time", None) is time:
                module.time = SimpleNamespace(monotonic=monotonic, sleep=time.sleep)  # type: ignore[attr-defined]


def is_ahead() -> bool:
    """Whether time was ever set forward here."""
    return _ahead > 0


def _home() -> Any:
    home: Any = asyncio.get_running_loop()
    if not isinstance(home, asyncio.BaseEventLoop) or not hasattr(home, "_scheduled"):
        raise RuntimeError(f"advance() needs an event loop of asyncio itself, and this is {type(home).__name__}")
    home.time = monotonic  # type: ignore[method-assign]
    return home


async def advance(server: Timed, seconds: float) -> None:
    """See ``Hub.advance``."""
    global _ahead
    home = _home()
    take_over()
    end = monotonic() + seconds
    while True:
        await _settle(home, server)
        dues = [handle.when() for handle in home._scheduled if not handle.cancelled()]
        with server.lock:
            of_hub = server.timers.next()
        if of_hub is not None:
            dues.append(of_hub)
        due = min((*dues, end))
        _ahead += max(0.0, due - monotonic())
        with server.lock:
            server.timers.run_due()
            server.flush()
        if due >= end:
            break
    await _settle(home, server)


async def _settle(home: Any, server: Timed) -> None:
    """Let everything happen that needs no time."""
    quiet = turns = 0
    busy_since: float | None = None
    while quiet < 3:
        await asyncio.sleep(0)
        turns += 1
        quiet = 0 if home._ready else quiet + 1
        if turns > MOST_TURNS:
            raise StillWaiting(f"the event loop does not come to rest: {'; '.join(waiting(home)) or 'no task waits'}")
        threads = _threads(home) + server.busy
        if threads and quiet:
            quiet = 0
            turns = 0
            busy_since = busy_since or _real()
            if _real() - busy_since > PATIENCE:
                raise StillWaiting(
                    f"{threads} threads have worked for {PATIENCE:g} s, and their time cannot be set forward: "
                    + "; ".join(waiting(home))
                )
            time.sleep(0.001)


def _threads(home: Any) -> int:
    """Jobs that run in the loop's own threads: ``asyncio.to_thread``."""
    executor = getattr(home, "_default_executor", None)
    if executor is None:
        return 0
    idle = getattr(executor, "_idle_semaphore", None)
    working = len(executor._threads) - idle._value if idle is not None else 0
    return max(0, working) + int(executor._work_queue.qsize())


def waiting(home: asyncio.AbstractEventLoop) -> list[str]:
    """The tasks of an event loop that have not ended, each with the line at which it stands."""
    found = []
    for task in asyncio.all_tasks(home):
        if task is asyncio.current_task(home) or task.done():
            continue
        stack = task.get_stack(limit=1)
        where = f" at {stack[0].f_code.co_filename}:{stack[0].f_lineno}" if stack else ""
        coroutine = task.get_coro()
        found.append(f"{task.get_name()} in {getattr(coroutine, '__qualname__', coroutine)}{where}")
    return sorted(found)
