"""A hub of ``redisipc.testing`` beside a real Redis: ``python -m benchmarks.doubles``, with REDIS_URL naming the Redis.

Rounds of both in turn, so that a busy machine hits both. It prints the medians and their ratio.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

import redisipc
import redisipc.asyncio
from redisipc.testing import Hub

ROUNDS = 15
REQUESTS = 300


def stock_of(face: Any, client: Hub | None) -> Any:
    """The one that answers, not yet connected."""
    stock = face.Stream("doubles", "stock", client=client)
    stock.on_request(lambda request: request.content)
    return stock


def life_in_threads(client: Hub | None) -> float:
    """Seconds in which two Streams connect, exchange one request and disconnect."""
    begin = time.perf_counter()
    with stock_of(redisipc, client), redisipc.Stream("doubles", "web", client=client) as web:
        web.request(1, to="stock")
    return time.perf_counter() - begin


def life_in_asyncio(client: Hub | None) -> float:
    """The same in one event loop."""

    async def live() -> float:
        begin = time.perf_counter()
        async with stock_of(redisipc.asyncio, client), redisipc.asyncio.Stream("doubles", "web", client=client) as web:
            await web.request(1, to="stock")
        return time.perf_counter() - begin

    return asyncio.run(live())


def request_in_threads(client: Hub | None) -> float:
    """Seconds of one request of many, one after the other."""
    with stock_of(redisipc, client), redisipc.Stream("doubles", "web", client=client) as web:
        web.request(1, to="stock")
        begin = time.perf_counter()
        for number in range(REQUESTS):
            web.request(number, to="stock")
        return (time.perf_counter() - begin) / REQUESTS


def request_in_asyncio(client: Hub | None) -> float:
    """The same in one event loop."""

    async def live() -> float:
        async with stock_of(redisipc.asyncio, client), redisipc.asyncio.Stream("doubles", "web", client=client) as web:
            await web.request(1, to="stock")
            begin = time.perf_counter()
            for number in range(REQUESTS):
                await web.request(number, to="stock")
            return (time.perf_counter() - begin) / REQUESTS

    return asyncio.run(live())


WHAT: dict[str, Callable[[Hub | None], float]] = {
    "two Streams connect, ask once, disconnect: threads": life_in_threads,
    "two Streams connect, ask once, disconnect: asyncio": life_in_asyncio,
    "a request: threads": request_in_threads,
    "a request: asyncio": request_in_asyncio,
}


def main() -> None:
    print(f"{'milliseconds, medians':54} {'hub':>7} {'Redis':>7}  hub/Redis")
    for name, measure in WHAT.items():
        took: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(ROUNDS):
            for doubled in took:
                if doubled:
                    with Hub() as hub:
                        took[True].append(measure(hub))
                else:
                    took[False].append(measure(None))
        hub_ms, redis_ms = (statistics.median(took[doubled]) * 1000 for doubled in (True, False))
        print(f"{name:54} {hub_ms:7.3f} {redis_ms:7.3f}  {hub_ms / redis_ms:9.2f}")


if __name__ == "__main__":
    main()
