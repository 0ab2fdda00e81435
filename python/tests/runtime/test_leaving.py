"""Leaving a Redis that does not answer any longer."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from redisipc import RequestCancelled

from .faces import Face, until
from .gate import Gate


async def test_a_redis_that_hangs_is_not_waited_for(
    face: Face, stream: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second that leaving may take beyond its limit is for a Redis that answers."""
    for module in ("session", "stream"):
        monkeypatch.setattr(importlib.import_module(f"redisipc.runtime.{face.name}.{module}"), "OVERDUE", 60.0)
    gate = Gate(url)
    web = await face.connected(stream, "web", url=gate.url)
    shared = web._session.endpoint
    abandoned: list[float] = []

    def abandon(now: float) -> None:
        abandoned.append(now)
        type(shared).abandon(shared, now)

    shared.abandon = abandon
    gate.armed = b"XADD", "silent"
    future = web.submit(1, to="nobody", timeout=30)
    await until(lambda: gate.armed is None)
    await face.call(web.disconnect, 0)
    assert len(abandoned) == 1
    with pytest.raises(RequestCancelled):
        await face.outcome(future)
    gate.close()


async def test_a_redis_that_answers_is_left_in_order(face: Face, stream: str, url: str, raw: Any) -> None:
    web = await face.connected(stream, "web", url=url)
    future = web.submit(1, to="nobody", timeout=30)
    await face.call(web.disconnect, 0)
    assert list(raw.scan_iter(f"{stream}:*")) == []
    with pytest.raises(RequestCancelled):
        await face.outcome(future)
