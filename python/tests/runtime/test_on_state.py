"""The states of a connection, as the user's function gets them: in order, once each, and whatever the function does."""

from __future__ import annotations

import contextvars
import threading
from typing import Any

import pytest
import redis

from redisipc import ConfigurationError, ConnectionLost

from .faces import Face, until

tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant", default="nobody")


def kill(raw: redis.Redis, group: str) -> None:
    """End every connection of an endpoint."""
    for client in raw.client_list():
        if group in client["name"]:
            raw.client_kill_filter(_id=client["id"])


async def test_a_life_is_told_in_order(face: Face, stream: str, raw: redis.Redis) -> None:
    told: list[Any] = []
    stock = face.stream(stream, stream)
    assert stock.on_state(told.append) == told.append
    await face.call(stock.connect)
    await until(lambda: [health.state for health in told] == ["joining", "up"])
    kill(raw, stream)
    await until(lambda: [health.state for health in told] == ["joining", "up", "down", "up"])
    assert told[2].reason
    assert told[1].since <= told[2].since <= told[3].since
    await face.call(stock.disconnect)
    await until(lambda: [health.state for health in told[4:]] == ["closing", "not connected"])


async def test_tries_that_fail_alike_are_told_once(face: Face, stream: str) -> None:
    told: list[Any] = []
    stock = face.stream(stream, "stock", url="redis://127.0.0.1:1", connect_timeout=0.6)
    stock.on_state(told.append)
    with pytest.raises(ConnectionLost):
        await face.call(stock.connect)
    await until(lambda: told and told[-1].state == "not connected")
    reasons = [health.reason for health in told if health.state == "joining"]
    assert len(reasons) == len(set(reasons)) <= 3


async def test_what_it_raises_is_reported_and_the_next_change_is_told(face: Face, stream: str) -> None:
    problems: list[Any] = []
    told: list[str] = []

    def note(health: Any) -> None:
        told.append(health.state)
        raise ValueError("as asked")

    stock = face.stream(stream, "stock", lambda request: 1)
    stock.on_error(problems.append)
    stock.on_state(note)
    await face.call(stock.connect)
    await until(lambda: told == ["joining", "up"] and len(problems) == 2)
    assert problems[0].kind == "callback"
    assert str(problems[0]) == "on_state raised ValueError: as asked"
    assert isinstance(problems[0].__cause__, ValueError)
    assert await face.call(stock.request, 1, to="stock") == 1


@pytest.mark.parametrize("last", ["closing", "not connected"])
async def test_what_it_raises_at_the_end_is_reported(face: Face, stream: str, last: str) -> None:
    problems: list[str] = []

    def note(health: Any) -> None:
        if health.state == last:
            raise ValueError(last)

    stock = face.stream(stream, "stock", lambda request: 1)
    stock.on_error(lambda error: problems.append(str(error)))
    stock.on_state(note)
    await face.call(stock.connect)
    await face.call(stock.disconnect)
    await until(lambda: problems == [f"on_state raised ValueError: {last}"])


async def test_it_sees_the_context_of_its_registration(face: Face, stream: str) -> None:
    seen: list[str] = []
    stock = face.stream(stream, "stock")
    tenant.set("registration")
    stock.on_state(lambda health: seen.append(tenant.get()))
    tenant.set("connect")
    await face.call(stock.connect)
    await until(lambda: len(seen) >= 2)
    assert set(seen) == {"registration"}


async def test_one_that_does_not_return_keeps_nobody(face: Face, stream: str) -> None:
    if face.name == "asyncio":
        pytest.skip("in one event loop it would stop everything, as any code does")
    end = threading.Event()
    stock = face.stream(stream, "stock", lambda request: 1)
    stock.on_state(lambda health: end.wait(10))
    try:
        await face.call(stock.connect)
        assert await face.call(stock.request, 1, to="stock") == 1
    finally:
        end.set()


async def test_an_async_function_is_awaited_or_refused(face: Face, stream: str) -> None:
    told: list[str] = []

    async def note(health: Any) -> None:
        told.append(health.state)

    stock = face.stream(stream, "stock")
    if face.name == "threads":
        with pytest.raises(ConfigurationError, match=r"redisipc\.asyncio"):
            stock.on_state(note)
        return
    stock.on_state(note)
    await face.call(stock.connect)
    await until(lambda: told == ["joining", "up"])


async def test_a_channel_has_it_too(face: Face, stream: str) -> None:
    told: list[str] = []
    base = face.module.Channel
    kind = type("Stock", (base,), {"stream": stream, "channel": "stock"})
    kind.on_state(lambda health: told.append(health.state))
    await face.call(kind.connect)
    await face.call(kind.disconnect)
    await until(lambda: told == ["joining", "up", "closing", "not connected"])


async def test_what_is_no_function_is_refused(face: Face, stream: str) -> None:
    with pytest.raises(ConfigurationError, match="on_state takes a function, got int"):
        face.stream(stream, "stock").on_state(3)
