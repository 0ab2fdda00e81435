"""A hub of the test's own, and both faces over it. No Redis is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from redisipc.testing import Hub

from ..runtime.faces import FACES, Face


@pytest.fixture(autouse=True)
def _no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not name the hub reaches nothing."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        yield hub


@pytest_asyncio.fixture(params=["threads", "asyncio"])
async def face(request: Any, hub: Hub) -> AsyncIterator[Face]:
    face = Face(request.param, FACES[request.param])
    yield face
    await face.close()
