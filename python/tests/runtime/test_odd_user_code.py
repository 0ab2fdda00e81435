"""Code of the user that raises where nobody expects it: in what a handler returned, in an exception, in a log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from redisipc.errors import HandlerError, Reject

from .faces import Face, until


class OwnError(BaseException):
    """Neither an Exception nor one that Python knows."""


class Unreadable(dict[str, Any]):
    def items(self) -> Any:
        raise KeyError("row is gone")


class Speechless(Exception):
    def __str__(self) -> str:
        raise OwnError("no text")


def odd(request: Any) -> Any:
    """Returns or raises what the content names."""
    match request.content:
        case "value":
            return Unreadable(a=1)
        case "part":
            return {"rows": [Unreadable(a=1)]}
        case "reason":
            raise Reject(Unreadable(a=1))
        case "exception":
            raise Speechless
        case content:
            return content


@pytest.mark.parametrize(
    ("content", "kind"),
    [("value", "KeyError"), ("part", "KeyError"), ("reason", "KeyError"), ("exception", "Speechless")],
)
async def test_what_cannot_be_read_is_answered_and_reported(face: Face, stream: str, content: str, kind: str) -> None:
    told: list[Any] = []
    stock = face.stream(stream, "stock", odd, concurrency=2)
    stock.on_error(told.append)
    await face.call(stock.connect)
    web = await face.connected(stream, "web")
    # More often than there are workers: none of them is lost by it.
    for _ in range(3):
        response = await face.call(web.send_to_group, content, to="stock", timeout=3)
        assert (response.status, kind in str(response.reason)) == ("rejected", True), response
    assert await face.call(web.request, "ok", to="stock", timeout=3) == "ok"
    error = await until(lambda: told and told.pop())
    assert isinstance(error, HandlerError)
    assert type(error.__cause__).__name__ == kind


class Full(logging.Handler):
    """A log that cannot be written. ``raised`` counts its exceptions."""

    def __init__(self, kind: type[BaseException]) -> None:
        super().__init__()
        self.kind, self.raised = kind, 0

    def emit(self, record: logging.LogRecord) -> None:
        self.raised += 1
        raise self.kind("disk full")


@pytest.fixture(params=[OSError, OwnError])
def log(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Full]:
    full = Full(request.param)
    library = logging.getLogger("redisipc")
    library.addHandler(full)
    # It gets the exceptions of the log, and those that end a thread. The tests see whether one ended.
    monkeypatch.setattr(threading, "excepthook", lambda told: None)
    yield full
    library.removeHandler(full)


async def test_a_log_that_raises_silences_no_reports(face: Face, stream: str, log: Full) -> None:
    if face.name == "asyncio" and log.kind is OwnError:
        pytest.skip("there it is the event loop's")
    told: list[Any] = []

    def tell(error: Any) -> None:
        told.append(error)
        raise log.kind("told")

    def fail(request: Any) -> None:
        raise ValueError("as asked")

    stock = face.stream(stream, "stock", fail)
    stock.on_error(tell)
    await face.call(stock.connect)
    web = await face.connected(stream, "web")
    for count in (1, 2, 3):
        await face.call(web.send_to_group, 1, to="stock", timeout=3)
        await until(lambda count=count: len(told) >= count and log.raised >= count)


async def test_a_callback_and_a_log_that_raise_cost_no_thread(face: Face, stream: str, log: Full) -> None:
    if face.name == "asyncio":
        pytest.skip("callbacks have no threads there")
    await face.connected(stream, "stock", odd)
    web = await face.connected(stream, "web")

    def fail(_: Any) -> None:
        raise OwnError("as asked")

    web.submit("ok", to="stock").add_done_callback(fail)
    await until(lambda: log.raised)
    ran = threading.Event()
    workers = list(web._session.callbacks._workers)
    future = web.submit("ok", to="stock")
    future.add_done_callback(lambda _: ran.set())
    await until(ran.is_set)
    assert all(worker.thread.is_alive() for worker in workers)


async def test_a_log_that_raises_keeps_nobody_from_connecting_again(
    face: Face, stream: str, log: Full, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever logs is the thread that starts others, or the one that reads and writes."""
    if face.name == "asyncio":
        pytest.skip("there are no such threads")
    stock = await face.connected(stream, "stock", odd)
    web = await face.connected(stream, "web")
    starts = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if "stock-worker" in thread.name:
            raise RuntimeError("can't start new thread")
        starts(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        await face.call(web.send_to_group, "ok", to="stock", timeout=3)
        await until(lambda: log.raised)

    def fail(now: float) -> None:
        raise ValueError("a defect")

    before, opened = log.raised, stock._session.driver.writer.attempt
    stock._session.call(fail)
    await until(lambda: log.raised > before and stock._session.driver.writer.attempt > opened)
    assert await face.call(web.request, "ok", to="stock", timeout=5) == "ok"
    assert stock._session.starter.thread.is_alive()
