"""The fixtures of the shop's tests. ``--redisipc=real`` runs them over a Redis, and nothing else changes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from redisipc.testing.plugin import Ipc

from .stock import Stock, service
from .web import app

pytest_plugins = ["redisipc.testing.plugin"]


@pytest_asyncio.fixture
async def web(ipc: Ipc) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, which is connected to Redis."""
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://shop") as client,
    ):
        yield client


@pytest_asyncio.fixture
async def stock(ipc: Ipc) -> AsyncIterator[Stock]:
    """The other service, connected."""
    stock = Stock({"tea": 3})
    async with service(stock):
        yield stock
