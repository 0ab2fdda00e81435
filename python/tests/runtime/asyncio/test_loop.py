"""The parts that only asyncio has: event loops, tasks, and loops that stand still."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from redisipc import LoopLagError, WrongLoopError
from redisipc.asyncio import Stream
from redisipc.runtime.asyncio.host import Host
from redisipc.runtime.asyncio.loop import Loop
from redisipc.runtime.connection import Connection
from redisipc.runtime.driver import Driver

from .conftest import Connect


async def test_a_cancelled_caller_gives_its_request_up(connect: Connect, raw: Any, stream: str) -> None:
    web = await connect("web")
    waiting = asyncio.create_task(web.request(1, to="nobody"))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert web.outstanding == 0
    await asyncio.sleep(0.05)
    assert raw.xlen(stream) == 0


async def test_wait_for_gives_the_request_up(connect: Connect) -> None:
    web = await connect("web")
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(web.request(1, to="nobody"), 0.05)
    assert web.outstanding == 0


async def test_another_event_loop_is_told(connect: Connect) -> None:
    web = await connect("web")
    with pytest.raises(WrongLoopError, match="another event loop"):
        await asyncio.to_thread(lambda: asyncio.run(web.request(1, to="stock")))
    with pytest.raises(WrongLoopError, match="thread without an event loop"):
        await asyncio.to_thread(web.submit, 1, "stock")


async def test_a_loop_that_stood_still_is_reported(connect: Connect) -> None:
    errors: list[Any] = []
    web = await connect("web")
    web.on_error(errors.append)
    await asyncio.sleep(0.1)
    time.sleep(2.2)
    await asyncio.sleep(0.1)
    assert [type(error) for error in errors] == [LoopLagError]
    assert "stood still" in str(errors[0])
    assert web.connected


async def test_plain_handlers_leave_the_loop_its_turns(connect: Connect) -> None:
    """A hundred handlers of 2 ms that were read at once do not run one after the other: the loop turns in between."""
    run = 0
    between_turns: list[int] = []

    def handle(request: Any) -> None:
        nonlocal run
        time.sleep(0.002)
        run += 1

    async def watch() -> None:
        last = run
        while True:
            await asyncio.sleep(0)
            between_turns.append(run - last)
            last = run

    await connect("stock", handle, concurrency=100)
    web = await connect("web")
    watching = asyncio.create_task(watch())
    await asyncio.gather(*(web.request(n, to="stock") for n in range(100)))
    watching.cancel()
    assert sum(between_turns) > 90
    assert max(between_turns) < 10


TWO_LOOPS = """
import asyncio, sys
from redisipc import NotConnected
from redisipc.asyncio import Stream
from redisipc.runtime.asyncio.host import Host
from redisipc.runtime.asyncio.loop import Loop
from redisipc.runtime.driver import Driver

web = Stream(sys.argv[1], "web", url=sys.argv[2])

async def use():
    await web.connect()
    return web.instance

async def send():
    await web.request(1, to="web")

first = asyncio.run(use())
assert asyncio.run(use()) != first
asyncio.run(web.disconnect())
try:
    asyncio.run(send())
except NotConnected:
    print("not connected")
"""


def test_an_event_loop_that_has_ended_does_not_hold_the_stream(stream: str, url: str) -> None:
    """A Stream of a module, and one asyncio.run() after the other; in a process, since Python warns of what is left open."""
    done = subprocess.run([sys.executable, "-c", TWO_LOOPS, stream, url], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "not connected\n", "")


@pytest.mark.real("process of its own, so its thread is in this one")
async def test_no_task_and_no_thread_is_left(connect: Connect) -> None:
    threads, tasks = set(threading.enumerate()), asyncio.all_tasks()
    stock = await connect("stock", lambda request: 1)
    web = await connect("web")
    await web.request(1, to="stock")
    await web.disconnect()
    await stock.disconnect()
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == tasks
    assert set(threading.enumerate()) == threads


async def test_a_connection_whose_opening_got_lost_is_opened_anew(
    stream: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception of a signal handler may end the event loop just when it took out the next step of a task."""
    monkeypatch.setattr("redisipc.runtime.connection.FIRST_OPENING", 0.3)
    opens = Host._open
    lost: list[Any] = []

    async def open_or_hang(host: Host, *about: Any) -> None:
        if not lost:
            lost.append(about)
            await asyncio.Event().wait()
        await opens(host, *about)

    monkeypatch.setattr(Host, "_open", open_or_hang)
    web = await Stream(stream, "web", url=url, connect_timeout=60).connect()
    assert len(lost) == 1
    assert web.connected
    await web.disconnect()


async def crowd(raw: Any, stream: str, endpoint: Stream, until: Callable[[], bool]) -> None:
    """Entries for another group, until ``until`` holds, or 5 s have passed."""
    end = time.monotonic() + 5
    fields = {"id": "f" * 21, "instance_id": "ffffff", "status": "pending", "content": "1"}
    while not until() and time.monotonic() < end:
        raw.xadd(stream, {**fields, "source_group": "c", "destination_group": "nobody"})
        await asyncio.sleep(0.0005)
    assert until()


async def test_a_read_of_others_entries_takes_no_whole_turn(
    connect: Connect, raw: Any, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = await connect("stock", lambda request: request.content)
    session = stock._session
    assert session is not None
    reads: list[float] = []
    turns: list[float] = []
    received, serve = Loop._received_alone, Loop._serve

    def counted_read(loop: Loop, connection: Connection, data: bytes) -> None:
        reads.append(0.0)
        received(loop, connection, data)

    def counted_serve(loop: Loop) -> None:
        turns.append(0.0)
        serve(loop)

    monkeypatch.setattr(Loop, "_received_alone", counted_read)
    await crowd(raw, stream, stock, lambda: len(reads) >= 20)
    monkeypatch.setattr(Loop, "_serve", counted_serve)
    reads.clear()
    await crowd(raw, stream, stock, lambda: len(reads) >= 60)
    assert len(turns) < len(reads) / 2
    web = await connect("web")
    assert await web.request(7, to="stock", timeout=5) == 7


async def test_a_lost_timer_of_the_next_read_is_found(connect: Connect, raw: Any, stream: str) -> None:
    stock = await connect("stock", lambda request: request.content)
    web = await connect("web")
    session = stock._session
    assert session is not None
    loop = session.loop
    await crowd(raw, stream, stock, lambda: loop._rest is not None)
    assert loop._rest is not None
    loop._rest.cancel()
    assert await web.request(7, to="stock", timeout=5) == 7


async def test_what_was_read_is_not_lost_though_an_exception_comes_before_it_is_handed_in(
    connect: Connect, raw: Any, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = await connect("stock", lambda request: request.content)
    web = await connect("web")
    session = stock._session
    assert session is not None
    received, raised = Driver.received, list[float]()

    def interrupted(driver: Driver, connection: Connection, data: bytes, now: float) -> None:
        if driver is session.driver and not raised and sys._getframe(1).f_code.co_name == "_visit_alone":
            raised.append(now)
            raise RuntimeError("a signal handler raised before the core was visited")
        received(driver, connection, data, now)

    monkeypatch.setattr(Driver, "received", interrupted)
    await crowd(raw, stream, stock, lambda: bool(raised))
    assert await web.request(7, to="stock", timeout=4) == 7
