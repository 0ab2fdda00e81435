"""The library, asyncio: each request at once is a task."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redisipc.asyncio import Stream

from ..asking import Ask, echo, in_tasks


def serve(
    url: str, name: str, ready: Any, group: str = "b", work: float = 0.0, wait: float = 0.0, **options: Any
) -> None:
    async def waiting(request: Any) -> Any:
        await asyncio.sleep(wait)
        return request.content

    async def main() -> None:
        async with Stream.from_url(url, name, group, **options) as stream:
            stream.on_request(waiting if wait else echo(work))
            ready()
            await asyncio.Event().wait()

    asyncio.run(main())


@contextmanager
def ask(url: str, name: str, group: str = "a", to: str = "b", **options: Any) -> Iterator[Ask]:
    loop = asyncio.new_event_loop()
    stream = Stream.from_url(url, name, group, timeout=60.0, **options)
    loop.run_until_complete(stream.connect())
    try:
        yield in_tasks(loop, lambda payload: stream.request(payload, to=to))
    finally:
        loop.run_until_complete(stream.close())
        loop.close()
