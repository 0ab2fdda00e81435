"""Streams that nobody disconnects: dropped, or left to the next event loop."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import redis

import redisipc.asyncio

from .faces import Face, until


def connections(raw: redis.Redis, group: str) -> int:
    return sum(f":{group}:" in client["name"] for client in raw.client_list())


async def test_a_stream_that_is_dropped_says_so_and_leaves(face: Face, stream: str, raw: redis.Redis) -> None:
    group = f"dropped-{face.name}"
    before = set(threading.enumerate())

    async def drop() -> None:
        await connect()
        gc.collect()

    async def connect() -> None:
        made = face.module.Stream(stream, group)
        made.on_request(lambda request: 1)
        # Another thread would keep it until its next job.
        connecting = made.connect()
        if face.name == "asyncio":
            await connecting
        del connecting

    with pytest.warns(ResourceWarning, match="was dropped while it was connected"):
        await drop()
    await until(lambda: connections(raw, group) == 0)
    await until(lambda: [t for t in threading.enumerate() if t not in before and t.name.startswith("redisipc")] == [])


async def test_one_that_is_disconnected_says_nothing(face: Face, stream: str) -> None:
    async def leave() -> None:
        made = face.module.Stream(stream, "left")
        await face.call(made.connect)
        await face.call(made.disconnect)

    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        await leave()
        gc.collect()


async def test_one_that_was_told_to_leave_in_a_callback_leaves_in_order(face: Face, stream: str) -> None:
    """disconnect() does not wait there. Its channel drops it then, and what is outstanding must still be answered."""
    release = threading.Event()
    stock = await face.connected(stream, "stock", face.handler(waits_for(release)))
    told: list[Any] = []

    async def ask() -> Any:
        made = face.module.Stream(stream, "left")
        await face.call(made.connect)
        futures = [made.submit(number, to="stock", timeout=10.0) for number in range(2)]

        def leave(_: Any) -> None:
            told.append(made.disconnect(5.0))

        made.submit(None, to="stock", timeout=10.0).add_done_callback(leave)
        await until(lambda: told)
        if face.name == "asyncio":
            told[0] = asyncio.ensure_future(told[0])
            await asyncio.sleep(0.01)
            told[0].cancel()
        return futures

    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        futures = await ask()
        gc.collect()
        await asyncio.sleep(0.2)
        release.set()
        assert [await face.outcome(future) for future in futures] == [0, 1]
    await face.call(stock.disconnect)


def waits_for(event: threading.Event) -> Callable[[Any], Any]:
    async def handle(request: Any) -> Any:
        while request.content is not None and not event.is_set():
            await asyncio.sleep(0.01)
        return request.content

    return handle


def test_the_next_event_loop_gets_its_answers_and_no_connection_is_left(
    stream: str, url: str, raw: redis.Redis
) -> None:
    made = redisipc.asyncio.Stream(stream, "loops", url=url)
    made.on_request(lambda request: request.content)

    async def live() -> list[Any]:
        await made.connect()
        return [await made.request(number, to="loops", timeout=2) for number in range(2)]

    def gone() -> bool:
        return connections(raw, "loops") == 0

    for _ in range(3):
        assert asyncio.run(live()) == [0, 1]
        wait(gone)


def wait(condition: Callable[[], bool]) -> None:
    asyncio.run(until(condition))
