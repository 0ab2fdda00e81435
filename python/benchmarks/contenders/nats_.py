"""nats-py: request and reply over a NATS server. It stores nothing, so a crash loses the requests under way."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..asking import Ask, echo, in_tasks
from .meeting import end_with_parent, forget, free_port, port_of, tell

START_LIMIT = 10.0


def missing() -> str:
    return "" if shutil.which("nats-server") else "the program nats-server is not installed"


async def _connect(port: int) -> Any:
    import nats

    end = time.monotonic() + START_LIMIT
    while True:
        try:
            return await nats.connect(f"nats://127.0.0.1:{port}", allow_reconnect=False)
        except OSError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.05)


def serve(url: str, name: str, ready: Any, work: float = 0.0, **_options: Any) -> None:
    port = free_port()
    command = ["nats-server", "-a", "127.0.0.1", "-p", str(port)]
    subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=end_with_parent)

    class Asked:
        content: Any

    async def main() -> None:
        client, handle = await _connect(port), echo(work)

        async def answer(message: Any) -> None:
            request = Asked()
            request.content = json.loads(message.data)
            await message.respond(json.dumps(handle(request)).encode())

        await client.subscribe(name, queue="b", cb=answer)
        await client.flush()
        tell(name, port)
        ready()
        await asyncio.Event().wait()

    asyncio.run(main())


@contextmanager
def ask(url: str, name: str, **_options: Any) -> Iterator[Ask]:
    loop = asyncio.new_event_loop()
    client = loop.run_until_complete(_connect(port_of(name)))
    forget(name)

    async def once(payload: Any) -> Any:
        return json.loads((await client.request(name, json.dumps(payload).encode(), timeout=60)).data)

    try:
        yield in_tasks(loop, once)
    finally:
        loop.run_until_complete(client.close())
        loop.close()
