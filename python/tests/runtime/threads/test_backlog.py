"""Functions of the user that are slow: however much there is to call, a bounded number of calls waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from redisipc import ReportedError, Stream
from redisipc.protocol.events import Incoming
from redisipc.runtime.hooks import Hook
from redisipc.runtime.received import Received
from redisipc.runtime.threads import backlog
from redisipc.runtime.threads.session import CALLBACK_THREADS

from ..faces import until

MOST_CALLS = 10
CALLS = 5 * MOST_CALLS

Flood = Callable[[Any, Callable[[Any], Any]], None]


def errors(session: Any, wait: Callable[[Any], Any]) -> None:
    session.hooks.on_error = Hook(wait)
    for number in range(CALLS):
        session.report(ReportedError(f"{number}", kind="callback"))


def states(session: Any, wait: Callable[[Any], Any]) -> None:
    for number in range(CALLS):
        session.call_hook("on_state", Hook(wait), number)


def cancels(session: Any, wait: Callable[[Any], Any]) -> None:
    def flood(now: float) -> None:
        for number in range(CALLS):
            incoming = Incoming(b"1-0", b"%d" % number, b"", b"web", b"", 0.0)
            incoming.data = Received(session, incoming)
            incoming.data.on_cancel.append(Hook(lambda: wait(None)))
            session._host.cancelled(incoming, "as asked")

    session.call(flood)


@pytest.mark.parametrize("flood", [errors, states, cancels])
async def test_slow_functions_have_a_bound(
    flood: Flood, stream: str, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(backlog, "MOST_CALLS", MOST_CALLS)
    monkeypatch.setattr(backlog, "PAUSE", 0.05)
    gate, begun = threading.Event(), []

    def wait(_: Any) -> None:
        begun.append(None)
        gate.wait(20.0)

    with Stream(stream, "stock", url=url) as stock:
        session: Any = stock._session
        flood(session, wait)
        await until(lambda: begun)
        assert all(len(pool.jobs) <= MOST_CALLS for pool in session.pools)
        gate.set()
        await until(lambda: "were dropped" in caplog.text)
        await until(lambda: not any(pool.jobs for pool in session.pools))
        assert len(begun) <= MOST_CALLS + CALLBACK_THREADS
        # There is room again.
        some = len(begun)
        flood(session, wait)
        await until(lambda: len(begun) >= some + MOST_CALLS)


async def test_functions_of_cancelled_requests_keep_no_callback_waiting(stream: str, url: str) -> None:
    """Others cancel their requests when they like: neither the callbacks nor the number of own requests suffers."""
    gate = threading.Event()
    with Stream(stream, "stock", url=url, max_outstanding=10) as stock:
        stock.on_request(lambda request: request.content)
        session: Any = stock._session
        try:
            cancels(session, lambda _: gate.wait(20.0))
            done = threading.Event()
            future = stock.submit(1, to="stock", timeout=5)
            future.add_done_callback(lambda _: done.set())
            assert future.result() == 1
            await until(done.is_set, 2.0)
        finally:
            gate.set()
