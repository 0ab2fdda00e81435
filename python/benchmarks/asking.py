"""Ways to send requests: one after the other, from threads, from tasks. Each returns the seconds of each request."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from time import perf_counter, sleep, thread_time
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """The seconds of each request that was answered, the seconds of all together, and the number of failures."""

    latencies: list[float]
    seconds: float
    errors: int


Ask = Callable[[Any, int, int], Asked]
"""Gets the payload, the number of requests and how many at once; returns the outcome."""


def echo(work: float, wait: float = 0.0) -> Callable[[Any], Any]:
    """A handler that works for ``work`` seconds (of one processor), waits ``wait`` seconds, and answers with what it was sent."""
    if not work and not wait:
        return lambda request: request.content

    def handler(request: Any) -> Any:
        if wait:
            sleep(wait)
        end = thread_time() + work
        while thread_time() < end:
            pass
        return request.content

    return handler


def one_by_one(once: Callable[[Any], Any]) -> Ask:
    """Sends one request at a time, whatever ``at_once`` is."""

    def run(payload: Any, count: int, _at_once: int) -> Asked:
        latencies, started = [], perf_counter()
        for _ in range(count):
            at = perf_counter()
            once(payload)
            latencies.append(perf_counter() - at)
        return Asked(latencies, perf_counter() - started, 0)

    return run


def in_threads(once: Callable[[Any], Any]) -> Ask:
    """Sends from one thread for each request at once. For one, this is the thread of the caller."""

    def run(payload: Any, count: int, at_once: int) -> Asked:
        if at_once <= 1:
            return one_by_one(once)(payload, count, 1)
        parts: list[Asked] = []
        errors: list[Exception] = []

        def work() -> None:
            try:
                parts.append(one_by_one(once)(payload, count // at_once, 1))
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(at_once)]
        started = perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = perf_counter() - started
        return Asked([one for part in parts for one in part.latencies], seconds, len(errors))

    return run


def in_tasks(loop: asyncio.AbstractEventLoop, once: Callable[[Any], Awaitable[Any]]) -> Ask:
    """Sends from one task for each request at once."""

    async def all_of_them(payload: Any, count: int, at_once: int) -> Asked:
        latencies: list[float] = []
        left, errors = count, 0

        async def work() -> None:
            nonlocal left, errors
            while left > 0:
                left -= 1
                at = perf_counter()
                try:
                    await once(payload)
                except Exception:
                    errors += 1
                else:
                    latencies.append(perf_counter() - at)

        started = perf_counter()
        await asyncio.gather(*(work() for _ in range(at_once)))
        return Asked(latencies, perf_counter() - started, errors)

    return lambda payload, count, at_once: loop.run_until_complete(all_of_them(payload, count, at_once))


def spaced(ask: Ask, payload: Any, count: int, space: float) -> Asked:
    """Sends one request after the other, ``space`` seconds apart."""
    latencies: list[float] = []
    errors, started = 0, perf_counter()
    for _ in range(count):
        asked = ask(payload, 1, 1)
        latencies += asked.latencies
        errors += asked.errors
        sleep(space)
    return Asked(latencies, perf_counter() - started, errors)
