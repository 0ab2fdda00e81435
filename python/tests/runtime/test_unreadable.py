"""An entry that no connection lets through does not keep its readers from all others (RIPC-RECOV-28)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from redisipc import ReportedError, RequestTimeout

from .faces import Face, until
from .gate import Gate

LARGE = "x" * 40_000


@pytest.fixture
def gate(url: str) -> Iterator[Gate]:
    gate = Gate(url)
    gate.limit = 20_000
    yield gate
    gate.close()


@pytest.mark.real("a proxy with a limit")
async def test_others_are_served_beside_an_entry_that_breaks_each_read(face: Face, stream: str, gate: Gate) -> None:
    told: list[ReportedError] = []
    stock = face.stream(stream, "stock", lambda request: len(request.content), url=gate.url)
    stock.on_error(told.append)
    await face.call(stock.connect)
    web = await face.connected(stream, "web")
    large = asyncio.ensure_future(face.call(web.request, LARGE, "stock", timeout=3.0))
    await until(lambda: gate.breaks)
    answers: list[Any] = []
    for n in range(1, 9):
        answers.append(await face.call(web.request, "y" * n, "stock", timeout=3.0))
        await asyncio.sleep(0.3)
    assert answers == list(range(1, 9))
    with pytest.raises(RequestTimeout):
        await large
    assert gate.breaks <= 5
    assert [error.kind for error in told if error.kind == "unreadable"] == ["unreadable"]
