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
