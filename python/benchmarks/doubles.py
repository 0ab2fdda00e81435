"""Compares a hub of ``redisipc.testing`` with a real Redis: ``python -m benchmarks.doubles``. REDIS_URL names the Redis.

Rounds of both alternate, so that a busy machine affects both. It prints medians and their ratios, of two kinds. *Elapsed* is
the time that a test waits; it depends on the load. *Processor* is the processor time of this process and of Redis together.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import redis

import redisipc
import redisipc.asyncio
from redisipc.testing import Hub

ROUNDS = 15
REQUESTS = 300


class Took(NamedTuple):
    """Two times in seconds: elapsed, and of the processor."""

    elapsed: float
    processor: float


class Meter:
    """Measures from its construction to ``took``. ``doubled``: over a hub, which is in this process."""

    def __init__(self, doubled: bool) -> None:
        self._server = None if doubled else redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://localhost"))
        self._processor = self._used()
        self._begin = time.perf_counter()

    def took(self, times: int = 1) -> Took:
        """The times for each of so many repetitions."""
        elapsed = time.perf_counter() - self._begin
        return Took(elapsed / times, (self._used() - self._processor) / times)

    def _used(self) -> float:
        server = 0.0
        if self._server is not None:
            info: Any = self._server.info("cpu")
            server = info["used_cpu_sys"] + info["used_cpu_user"]
        return server + time.process_time()


def stock_of(face: Any, client: Hub | None) -> Any:
    """The Stream that answers, not yet connected."""
    stock = face.Stream("doubles", "stock", client=client)
    stock.on_request(lambda request: request.content)
    return stock


def life_in_threads(client: Hub | None) -> Took:
    """Measures two Streams that connect, exchange one request and disconnect."""
    meter = Meter(client is not None)
    with stock_of(redisipc, client), redisipc.Stream("doubles", "web", client=client) as web:
        web.request(1, to="stock")
    return meter.took()


def life_in_asyncio(client: Hub | None) -> Took:
    """The same in one event loop."""

    async def live() -> Took:
        meter = Meter(client is not None)
        async with stock_of(redisipc.asyncio, client), redisipc.asyncio.Stream("doubles", "web", client=client) as web:
            await web.request(1, to="stock")
        return meter.took()

    return asyncio.run(live())


def request_in_threads(client: Hub | None) -> Took:
    """Measures one request, as a share of many that follow each other."""
    with stock_of(redisipc, client), redisipc.Stream("doubles", "web", client=client) as web:
        web.request(1, to="stock")
        meter = Meter(client is not None)
        for number in range(REQUESTS):
            web.request(number, to="stock")
        return meter.took(REQUESTS)


def request_in_asyncio(client: Hub | None) -> Took:
    """The same in one event loop."""

    async def live() -> Took:
        async with stock_of(redisipc.asyncio, client), redisipc.asyncio.Stream("doubles", "web", client=client) as web:
            await web.request(1, to="stock")
            meter = Meter(client is not None)
            for number in range(REQUESTS):
                await web.request(number, to="stock")
            return meter.took(REQUESTS)

    return asyncio.run(live())


WHAT: dict[str, Callable[[Hub | None], Took]] = {
    "two Streams connect, ask once, disconnect: threads": life_in_threads,
    "two Streams connect, ask once, disconnect: asyncio": life_in_asyncio,
    "a request: threads": request_in_threads,
    "a request: asyncio": request_in_asyncio,
}


def main() -> None:
    print(f"{'':52}{'elapsed':>15}{'':15}{'processor':>18}")
    print(f"{'milliseconds, medians':52}{'hub':>15} {'Redis':>7} {'ratio':>6}{'hub':>17} {'Redis':>7} {'ratio':>6}")
    for name, measure in WHAT.items():
        took: dict[bool, list[Took]] = {True: [], False: []}
        for _ in range(ROUNDS):
            with Hub() as hub:
                took[True].append(measure(hub))
            took[False].append(measure(None))
        columns = ""
        for part, width in ((0, 14), (1, 16)):
            hub_ms, redis_ms = (
                statistics.median(one[part] for one in took[doubled]) * 1000 for doubled in (True, False)
            )
            columns += f" {hub_ms:{width}.3f} {redis_ms:7.3f} {hub_ms / redis_ms:6.2f}"
        print(f"{name:52}{columns}")


if __name__ == "__main__":
    main()
