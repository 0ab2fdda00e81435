"""Code of the user: its contexts, whatever it raises, how much of it runs at once, and who runs it."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import Counter
from typing import Any

import pytest

from redisipc.errors import ConfigurationError, HandlerError, Rejected

from .faces import Face, until

tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant", default="nobody")


class OwnError(BaseException):
    """Neither an Exception nor one that Python knows."""


async def test_each_call_sees_the_context_of_its_own_registration(face: Face, stream: str) -> None:
    seen: Counter[tuple[str, str]] = Counter()

    def handle(request: Any) -> str:
        seen["handler", tenant.get()] += 1
        # Seen by nobody else.
        tenant.set("of the handler")
        if request.content == "fail":
            raise ValueError("as asked")
        return "ok"

    tenant.set("registration")
    stock = face.stream(stream, "stock", handle)
    stock.on_error(lambda error: seen.update([("on_error", tenant.get())]))
    tenant.set("connect")
    await face.call(stock.connect)
    web = await face.connected(stream, "web")
    for number in range(20):
        tenant.set(f"caller {number}")
        future = web.submit(number, to="stock")
        tenant.set("somebody else")
        future.add_done_callback(lambda _: seen.update([("callback", tenant.get())]))
        await face.outcome(future)
    with pytest.raises(Rejected):
        await face.call(web.request, "fail", to="stock")
    await until(lambda: seen["on_error", "registration"] and seen["callback", "somebody else"] == 20)
    assert set(seen) == {("handler", "registration"), ("on_error", "registration"), ("callback", "somebody else")}


@pytest.mark.parametrize("kind", [GeneratorExit, OwnError, asyncio.CancelledError])
@pytest.mark.parametrize("way", ["plain", "coroutine"])
async def test_whatever_a_handler_raises_is_answered_and_reported(face: Face, stream: str, kind: Any, way: str) -> None:
    told: list[Any] = []

    def handle(request: Any) -> str:
        if request.content == "raise":
            raise kind("as asked")
        return "ok"

    async def wait_and_handle(request: Any) -> str:
        await asyncio.sleep(0)
        return handle(request)

    if face.name == "threads" and way == "coroutine":
        pytest.skip("threads have plain handlers")
    stock = face.stream(stream, "stock", handle if way == "plain" else wait_and_handle, expose_errors="text")
    stock.on_error(told.append)
    await face.call(stock.connect)
    web = await face.connected(stream, "web")
    with pytest.raises(Rejected, match="as asked"):
        await face.call(web.request, "raise", to="stock", timeout=2)
    error = await until(lambda: told and told.pop())
    assert isinstance(error, HandlerError)
    assert isinstance(error.__cause__, kind)
    assert await face.call(web.request, "again", to="stock") == "ok"


async def test_whatever_a_callback_raises_ends_nothing(face: Face, stream: str) -> None:
    await face.connected(stream, "stock", lambda request: request.content)
    web = await face.connected(stream, "web")

    def fail(_: Any) -> None:
        raise ValueError("as asked")

    if face.name == "asyncio":
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    for number in range(20):
        future = web.submit(number, to="stock")
        future.add_done_callback(fail)
        assert await face.outcome(future) == number
    assert await face.call(web.request, 1, to="stock") == 1


async def test_an_instance_without_a_handler_takes_nothing_that_a_sibling_answers(face: Face, stream: str) -> None:
    """It is there before its handler is, as where a model is loaded in between."""
    first = await face.connected(stream, "stock", lambda request: "first")
    web = await face.connected(stream, "web")
    late = await face.connected(stream, "stock")
    for _ in range(50):
        assert await face.call(web.request, 1, to="stock") == "first"
    late.on_request(lambda request: "late")
    await face.call(first.disconnect)
    assert await face.call(web.request, 1, to="stock") == "late"


def test_a_second_handler_is_refused(face: Face, stream: str) -> None:
    me = face.stream(stream, "stock")

    def define() -> Any:
        @me.on_request
        def handle(request: Any) -> None: ...

        return handle

    define()
    # Defined again, as in a notebook.
    define()
    with pytest.raises(ConfigurationError, match="one handler"):
        me.on_request(lambda request: 1)


async def test_slow_callbacks_take_a_bounded_number_of_threads(face: Face, stream: str) -> None:
    if face.name == "asyncio":
        pytest.skip("callbacks have no threads there")
    gate, before = threading.Event(), threading.active_count()
    done: Counter[str] = Counter()

    def block(_: Any) -> None:
        gate.wait(20)
        done["callbacks"] += 1

    await face.connected(stream, "stock", lambda request: 1)
    web = await face.connected(stream, "web")
    futures = [web.submit(number, to="stock") for number in range(300)]
    for future in futures:
        future.add_done_callback(block)
    await until(lambda: not web.outstanding)
    await asyncio.sleep(0.3)
    # 16 callbacks, 16 handlers, and what two endpoints have besides.
    assert threading.active_count() - before < 50
    gate.set()
    await until(lambda: done["callbacks"] == 300, 10)
