"""A coroutine that is closed, or whose event loop ended halfway, cannot wait: it raises GeneratorExit and goes no further."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

import pytest
import redis

from redisipc.asyncio import Caller, Stream

from ..faces import until


async def begin(work: Coroutine[Any, Any, Any]) -> None:
    """Let it come to its first wait, and then close it."""
    work.send(None)
    await asyncio.sleep(0.05)
    work.close()


async def test_a_closed_call_leaves_no_connection_and_no_slot(stream: str, url: str) -> None:
    gate = asyncio.Event()

    async def handle(_request: Any) -> None:
        await gate.wait()

    async with Stream(stream, "stock", url=url) as stock:
        stock.on_request(handle)
        caller = Caller(stream, url=url, max_outstanding=2)
        for warm in (False, True):
            await begin(caller.request(1, "stock"))
            assert len(caller._free) == 2
            if not warm:
                gate.set()
                assert await caller.request(2, "stock") is None
                gate.clear()
        assert all(slot.line is None for slot in caller._free)
        await begin(stock.request(1, "stock"))
        assert stock.outstanding == 0
        gate.set()


async def test_a_stream_whose_life_is_closed_leaves_by_itself(stream: str, url: str) -> None:
    web = Stream(stream, "web", url=url)

    async def lives() -> None:
        async with web:
            await asyncio.sleep(10.0)

    for work in (web.connect(), lives(), web.run()):
        await begin(work)
        await until(lambda: web._session is None)
    await web.connect()
    await begin(web.run())
    await until(lambda: web._session is None)


def test_an_event_loop_that_ends_halfway_leaves_no_slot_too_many(stream: str, url: str) -> None:
    with redis.Redis.from_url(url, protocol=2) as raw:
        raw.xgroup_create(stream, "nobody", mkstream=True)
    loop = asyncio.new_event_loop()
    caller = Caller(stream, url=url, max_outstanding=2)
    # asyncio says that nobody cancelled it.
    loop.set_exception_handler(lambda _loop, _context: None)
    unraisable: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.unraisablehook", unraisable.append)
        task = loop.create_task(caller.request(1, "nobody", timeout=3.0))
        loop.run_until_complete(asyncio.sleep(0.1))
        loop.close()
        del task
        gc.collect()
    # Python itself warns of the transport that the program left open.
    assert not [each for each in unraisable if not isinstance(each.exc_value, ResourceWarning)]
    assert len(caller._free) == 2
