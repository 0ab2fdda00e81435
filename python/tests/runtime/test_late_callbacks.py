"""A callback that is registered too late runs at once, and is then what it would have been: awaited, or refused; never raised."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from redisipc import ConfigurationError

from .faces import Face, until


async def cancelled(face: Face, stream: str, work: Any) -> Any:
    """Has ``work`` done with a request that was cancelled, in its handler. What it raises is given back."""
    ended: list[Any] = []

    async def handle(request: Any) -> None:
        # As the core does it within 3 s of the requester's cancelling.
        request._received.incoming.cancelled = True
        try:
            ended.append(work(request))
        except BaseException as error:
            ended.append(error)
        await asyncio.sleep(0.01)

    stock = await face.connected(stream, "stock", face.handler(handle))
    await face.call(stock.send_to_group, 1, to="stock")
    return ended[0]


class Own(BaseException):
    pass


@pytest.mark.parametrize("raised", [KeyError("of the function"), Own()], ids=["an exception", "a base exception"])
async def test_what_it_raises_is_logged(face: Face, stream: str, raised: BaseException, caplog: Any) -> None:
    def fails() -> None:
        raise raised

    assert await cancelled(face, stream, lambda request: request.on_cancel(fails)) is None
    await until(lambda: f"a callback raised {type(raised).__name__}" in caplog.text)


async def test_an_async_one_is_awaited_or_refused(face: Face, stream: str) -> None:
    awaited = threading.Event()

    async def note() -> None:
        await asyncio.sleep(0)
        awaited.set()

    ended = await cancelled(face, stream, lambda request: request.on_cancel(note))
    if face.name == "threads":
        assert isinstance(ended, ConfigurationError)
        assert "redisipc.asyncio" in str(ended)
    else:
        await until(awaited.is_set)


async def test_a_future_of_threads_refuses_an_async_callback(stream: str, url: str) -> None:
    from redisipc import Stream

    async def note(_future: Any) -> None: ...

    with Stream(stream, "stock", url=url) as stock:
        stock.on_request(lambda request: 1)
        future = stock.submit(1, to="stock")
        with pytest.raises(ConfigurationError, match="nobody would await"):
            future.add_done_callback(note)
        assert future.result() == 1


async def test_a_function_that_raises_the_word_for_cancelled_is_told(stream: str, url: str, caplog: Any) -> None:
    """Nobody cancelled it, so that it is a failure like any other. Python 3.10 cannot tell them apart."""
    from redisipc.asyncio import Stream

    if not hasattr(asyncio.Task, "cancelling"):
        pytest.skip("this Python does not say who cancelled a task")

    async def raises(_of: Any) -> None:
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    told: list[Any] = []
    stock = Stream(stream, "stock", url=url)
    stock.on_state(raises)
    stock.on_error(told.append)
    async with stock:
        await until(lambda: told)
        assert told[0].kind == "callback"
        stock.on_state(told.append)
        stock.on_error(raises)
        stock.on_request(lambda request: 1 / 0)
        await stock.send_to_group(1, to="stock")
        await until(lambda: "on_error raised CancelledError" in caplog.text)
