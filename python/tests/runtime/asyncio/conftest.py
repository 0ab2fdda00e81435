"""Streams of asyncio that a test connects, and that are left after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest_asyncio

from redisipc.asyncio import Stream

Connect = Callable[..., Awaitable[Stream]]


@pytest_asyncio.fixture
async def connect(stream: str, url: str) -> AsyncIterator[Connect]:
    made: list[Stream] = []

    async def connect(group: str, handler: Any = None, **options: Any) -> Stream:
        endpoint = Stream(stream, group, url=url, **options)
        if handler is not None:
            endpoint.on_request(handler)
        made.append(endpoint)
        return await endpoint.connect()

    yield connect
    for endpoint in made:
        await endpoint.disconnect(0.2)
