"""clamator-over-redis: JSON-RPC over Redis streams, the nearest relative on PyPI."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..asking import Ask, in_tasks


def _contract() -> Any:
    from clamator_protocol import Contract, MethodEntry
    from pydantic import BaseModel

    class Content(BaseModel):
        content: dict[str, Any] | str

    return Contract("bench", {"echo": MethodEntry(Content, Content, "echo")})


class _Echo:
    async def echo(self, params: Any) -> Any:
        return params


def serve(url: str, name: str, ready: Any, **_options: Any) -> None:
    from clamator_over_redis import RedisRpcServer

    async def main() -> None:
        server = RedisRpcServer(redis_url=url, key_prefix=name)
        server.register_service(_contract(), _Echo())
        await server.start()
        ready()
        await asyncio.Event().wait()

    asyncio.run(main())


@contextmanager
def ask(url: str, name: str, **_options: Any) -> Iterator[Ask]:
    from clamator_over_redis import RedisRpcClient

    loop = asyncio.new_event_loop()
    client = RedisRpcClient(redis_url=url, key_prefix=name)
    loop.run_until_complete(client.start())
    try:
        yield in_tasks(loop, lambda payload: client.call("bench", "echo", {"content": payload}))
    finally:
        loop.run_until_complete(client.stop())
        loop.close()
