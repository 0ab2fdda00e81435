"""Steps and last words of tasks that get lost when an exception of a signal handler ends the event loop."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from redisipc import Rejected
from redisipc.asyncio import Stream
from redisipc.runtime.asyncio.host import Host


async def a_lost_step() -> None:
    """Wait for ever: the event loop takes the step that follows out, and does not make it."""
    loop: Any = asyncio.get_running_loop()
    future = loop.create_future()

    def lose() -> None:
        future.set_result(None)
        loop._ready.pop()

    loop.call_soon(lose)
    await future


async def a_lost_word() -> None:
    """The task ends, and tells nobody."""


@pytest.mark.parametrize("interrupted", [a_lost_step, a_lost_word])
@pytest.mark.parametrize("which", ["write", "read"])
async def test_a_connection_whose_opening_was_interrupted_is_opened_anew_at_once(
    stream: str, url: str, monkeypatch: pytest.MonkeyPatch, interrupted: Any, which: str
) -> None:
    opens = Host._open
    lost: list[Any] = []

    async def open_or_not(host: Host, connection: Any, *about: Any) -> None:
        if connection.name == which and not lost:
            lost.append(about)
            await interrupted()
            return
        await opens(host, connection, *about)

    monkeypatch.setattr(Host, "_open", open_or_not)
    web = await Stream(stream, "web", url=url, connect_timeout=15).connect()
    assert web.connected
    assert len(lost) == 1
    await web.disconnect()


async def test_a_task_that_was_not_begun_counts_as_interrupted(
    stream: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop: Any = asyncio.get_running_loop()
    makes = loop.create_task
    lost: list[Any] = []

    def make_and_lose(work: Any, **given: Any) -> Any:
        task = makes(work, **given)
        if getattr(work, "__name__", "") == "_open" and not lost:
            lost.append(task)
            loop._ready.pop()
        return task

    monkeypatch.setattr(loop, "create_task", make_and_lose)
    web = await Stream(stream, "web", url=url, connect_timeout=15).connect()
    assert web.connected
    await web.disconnect()
    assert lost[0].cancelled()


def test_asyncio_run_does_not_wait_for_a_step_that_was_lost(
    stream: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cancels all tasks at its end. One that never continues would not hear it."""
    monkeypatch.setattr(Host, "_open", lambda *about: a_lost_step())
    # It stays until the event loop ends, as a Stream of a module does.
    web = Stream(stream, "web", url=url)

    async def main() -> None:
        connecting = asyncio.ensure_future(web.connect())
        await asyncio.sleep(0.05)
        assert not connecting.done()

    start = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - start < 10


async def test_a_handler_whose_next_step_was_lost_is_answered_for(stream: str, url: str) -> None:
    stock = Stream(stream, "stock", url=url, concurrency=1)
    reported: list[str] = []
    stock.on_error(lambda error: reported.append(str(error)))

    @stock.on_request
    async def handle(request: Any) -> Any:
        if request.content == "lost":
            await a_lost_step()
        return request.content

    web = Stream(stream, "web", url=url, timeout=15)
    async with stock, web:
        start = time.monotonic()
        with pytest.raises(Rejected, match="RuntimeError"):
            await web.request("lost", to="stock")
        assert time.monotonic() - start < 10
        assert len(reported) == 1
        assert "interrupted by an exception of a signal handler" in reported[0]
        # Its place is free again.
        assert await web.request("after", to="stock") == "after"


async def test_what_waits_long_is_not_taken_for_lost(stream: str, url: str) -> None:
    stock = Stream(stream, "stock", url=url)

    @stock.on_request
    async def handle(request: Any) -> Any:
        await asyncio.sleep(2)
        # Another callback of the same turn of the event loop, which stands still.
        time.sleep(0.6)
        await asyncio.sleep(0)
        return request.content

    web = Stream(stream, "web", url=url, timeout=15)
    async with stock, web:
        asyncio.get_running_loop().call_later(1.0, time.sleep, 1.2)
        assert await web.request("slow", to="stock") == "slow"
