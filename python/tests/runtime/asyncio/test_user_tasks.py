"""Coroutines of callbacks that still run when their endpoint leaves: they end in time, or on_error or the log names them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from redisipc.asyncio import Stream

CUT = "was cancelled: it had not ended when its endpoint had left; let it end sooner, or raise close_timeout"


async def forever(_: Any) -> None:
    await asyncio.sleep(60)


async def test_a_callback_may_end_while_its_endpoint_leaves(stream: str, url: str) -> None:
    told: list[str] = []

    async def note(health: Any) -> None:
        await asyncio.sleep(0.3)
        told.append(health.state)

    async with Stream(stream, "stock", url=url) as stock:
        stock.on_state(note)
    assert told == ["closing", "not connected"]


async def test_a_callback_that_does_not_end_is_cancelled_and_reported(stream: str, url: str) -> None:
    errors: list[Any] = []
    ended: list[str] = []

    async def note(health: Any) -> None:
        try:
            await forever(health)
        finally:
            ended.append(health.state)

    stock = Stream(stream, "stock", url=url)
    stock.on_state(note)
    stock.on_error(errors.append)
    await stock.connect()
    start = time.monotonic()
    await stock.disconnect(0.2)
    assert time.monotonic() - start < 5
    assert sorted(ended) == ["closing", "joining", "not connected", "up"]
    name = f"on_state ({note.__qualname__})"
    assert [(str(error), error.kind) for error in errors] == [(f"{name} {CUT}", "callback")] * 4


async def test_where_on_error_does_not_end_the_log_tells(
    stream: str, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    stock = Stream(stream, "stock", url=url)
    stock.on_state(forever)
    stock.on_error(forever)
    await stock.connect()
    await stock.disconnect(0.1)
    told = [line.partition("> ")[2] for line in caplog.messages if "cancelled" in line]
    assert told == [f"on_error (forever) {CUT}"] * 4


async def test_a_cancel_callback_that_does_not_end_is_reported(stream: str, url: str) -> None:
    errors: list[Any] = []
    stock = Stream(stream, "stock", url=url)
    stock.on_error(errors.append)

    async def handle(request: Any) -> None:
        request._received.incoming.cancelled = True
        request.on_cancel(lambda: forever(None))

    stock.on_request(handle)
    await stock.connect()
    await stock.send_to_group(1, to="stock")
    await stock.disconnect(0.1)
    assert [str(error) for error in errors if CUT in str(error)]


async def test_a_handler_that_outlives_the_limit_is_reported(stream: str, url: str) -> None:
    errors: list[Any] = []
    started = asyncio.Event()

    async def handle(request: Any) -> None:
        started.set()
        await forever(request)

    stock, web = Stream(stream, "stock", url=url), Stream(stream, "web", url=url)
    stock.on_error(errors.append)
    stock.on_request(handle)
    async with web, stock:
        asking = asyncio.ensure_future(web.send_to_group(1, to="stock", timeout=5))
        await started.wait()
        await stock.disconnect(0.1)
        assert (await asking).status == "rejected"
    assert [error.kind for error in errors] == ["closing"]
