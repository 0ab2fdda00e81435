"""FastStream's ``request()`` to a subscriber of a Redis stream."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..asking import Ask, in_tasks


def serve(url: str, name: str, ready: Any, **_options: Any) -> None:
    from faststream.redis import RedisBroker

    async def main() -> None:
        broker = RedisBroker(url, logger=None)

        @broker.subscriber(stream=name)
        async def echo(content: Any) -> Any:
            return content

        await broker.start()
        ready()
        await asyncio.Event().wait()

    asyncio.run(main())


@contextmanager
def ask(url: str, name: str, **_options: Any) -> Iterator[Ask]:
    from faststream.redis import RedisBroker

    loop = asyncio.new_event_loop()
    broker = RedisBroker(url, logger=None)
    loop.run_until_complete(broker.connect())

    async def once(payload: str) -> None:
        await broker.request(payload, stream=name, timeout=10.0)

    try:
        yield in_tasks(loop, once)
    finally:
        loop.run_until_complete(broker.stop())
        loop.close()
