"""Callbacks that do not end: however much there is to report, a bounded number of tasks is at it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from redisipc import ReportedError
from redisipc.asyncio import Stream
from redisipc.protocol.events import Incoming
from redisipc.runtime.asyncio import backlog
from redisipc.runtime.hooks import Hook
from redisipc.runtime.received import Received

from ..faces import until

MOST_CALLS = 10

Flood = Callable[[Any, Callable[[Any], Any]], None]


def errors(session: Any, wait: Callable[[Any], Any]) -> None:
    session.hooks.on_error = Hook(wait)
    for number in range(3 * MOST_CALLS):
        session.report(ReportedError(f"{number}", kind="callback"))


def states(session: Any, wait: Callable[[Any], Any]) -> None:
    for number in range(3 * MOST_CALLS):
        session.call_hook("on_state", Hook(wait), number)


def cancels(session: Any, wait: Callable[[Any], Any]) -> None:
    for number in range(3 * MOST_CALLS):
        incoming = Incoming(b"1-0", b"%d" % number, b"", b"web", b"", 0.0)
        incoming.data = Received(session, incoming)
        incoming.data.on_cancel.append(Hook(lambda: wait(None)))
        session._host.cancelled(incoming, "as asked")


@pytest.mark.parametrize("flood", [errors, states, cancels])
async def test_slow_callbacks_take_a_bounded_number_of_tasks(
    flood: Flood, stream: str, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(backlog, "MOST_CALLS", MOST_CALLS)
    gate, begun = asyncio.Event(), 0

    async def wait(_: Any) -> None:
        nonlocal begun
        begun += 1
        await gate.wait()

    async with Stream(stream, "stock", url=url) as stock:
        session: Any = stock._session
        flood(session, wait)
        await until(lambda: "were dropped" in caplog.text)
        assert begun == len(session.tasks) == MOST_CALLS
        assert f"{2 * MOST_CALLS} " in caplog.text
        gate.set()
        await until(lambda: not session.tasks)
        # There is room again.
        flood(session, wait)
        await until(lambda: begun >= 2 * MOST_CALLS)
