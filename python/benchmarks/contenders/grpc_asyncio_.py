"""gRPC with asyncio: from process to process, without a server in between. Nothing is stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..asking import Ask, echo, in_tasks
from .grpc_threads_ import Asked, method, write
from .meeting import forget, port_of, tell


def serve(url: str, name: str, ready: Any, work: float = 0.0, **_options: Any) -> None:
    import grpc.aio

    handle = echo(work)

    async def answer(content: Any, _context: Any) -> Any:
        return handle(Asked(content))

    async def main() -> None:
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((method(answer),))
        tell(name, server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        ready()
        await server.wait_for_termination()

    asyncio.run(main())


@contextmanager
def ask(url: str, name: str, **_options: Any) -> Iterator[Ask]:
    import grpc.aio

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    async def connect() -> Any:
        return grpc.aio.insecure_channel(f"127.0.0.1:{port_of(name)}")

    channel = loop.run_until_complete(connect())
    call = channel.unary_unary("/bench/echo", request_serializer=write, response_deserializer=json.loads)

    async def once(payload: Any) -> Any:
        return await call(payload, timeout=60)

    try:
        yield in_tasks(loop, once)
    finally:
        forget(name)
        loop.run_until_complete(channel.close())
        loop.close()
