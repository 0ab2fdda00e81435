"""The service ``web``: an application for FastAPI that asks ``stock``.

REDIS_URL=redis://localhost:6379 uvicorn examples.shop.web:app
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException

from redisipc import Rejected, RequestTimeout
from redisipc.asyncio import Stream


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Connected for as long as the application runs."""
    async with Stream("shop", "web", timeout=2.0) as app.state.ipc:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/reserve/{sku}")
async def reserve(sku: str, count: int = 1) -> Any:
    try:
        return await app.state.ipc.request({"sku": sku, "count": count}, to="stock")
    except Rejected as error:
        raise HTTPException(409, error.content) from error
    except RequestTimeout as error:
        raise HTTPException(504, "stock does not answer") from error
