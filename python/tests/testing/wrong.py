"""Shared by the tests of wrong handlers: a handler that is connected, and the check that tells it from a right one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from redisipc import RequestError
from redisipc.asyncio import Stream
from redisipc.testing import Hub

Check = Callable[[Hub, Any], Awaitable[None]]


async def shows(check: Check, *, wrong: Any, right: Any) -> None:
    """The check passes for what is right, and fails for what is wrong."""
    with Hub() as hub:
        await check(hub, right)
    with Hub() as hub, pytest.raises((AssertionError, RequestError)):
        await check(hub, wrong)


class Served:
    """A handler that is connected, and a requester."""

    def __init__(self, hub: Hub, handler: Any, **options: Any) -> None:
        self.stock = Stream("shop", "stock", client=hub, **options)
        self.stock.on_request(handler)
        self.errors: list[Exception] = []
        self.stock.on_error(self.errors.append)
        self.web = Stream("shop", "web", client=hub)
        self.web.on_error(lambda error: None)

    async def __aenter__(self) -> Served:
        await self.stock.connect()
        await self.web.connect()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.web.disconnect(0)
        await self.stock.disconnect(0)


async def until(condition: Callable[[], Any], limit: float = 5.0) -> None:
    for _ in range(int(limit / 0.005)):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come about in time")
