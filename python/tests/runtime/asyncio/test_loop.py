"""The parts that only asyncio has: event loops, tasks, and loops that stand still."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from redisipc import ForkedError, LoopLagError, WrongLoopError
from redisipc.asyncio import Stream
from redisipc.runtime.asyncio.host import Host
from redisipc.runtime.asyncio.loop import Loop
from redisipc.runtime.driver import Driver

from ..gate import Gate

Connect = Callable[..., Awaitable[Stream]]


@pytest_asyncio.fixture
async def connect(stream: str, url: str) -> AsyncIterator[Connect]:
    made: list[Stream] = []

    async def connect(group: str, handler: Any = None, **options: Any) -> Stream:
        endpoint = Stream(stream, group, url=url, **options)
        if handler is not None:
            endpoint.on_request(handler)
        made.append(endpoint)
        return await endpoint.connect()

    yield connect
    for endpoint in made:
        await endpoint.disconnect(0.2)


async def test_plain_and_async_handlers_both_work(connect: Connect) -> None:
    async def waiting(request: Any) -> str:
        await asyncio.sleep(0.01)
        return "async"

    await connect("one", waiting)
    await connect("two", lambda request: "plain")
    web = await connect("web")
    assert await web.request(1, to="one") == "async"
    assert await web.request(1, to="two") == "plain"


async def test_handlers_run_in_tasks_of_their_own(connect: Connect) -> None:
    async def handle(request: Any) -> bool:
        async with asyncio.timeout(1) if hasattr(asyncio, "timeout") else _nothing():
            return asyncio.current_task() is not None

    await connect("stock", handle)
    web = await connect("web")
    assert await web.request(1, to="stock")


class _nothing:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: Any) -> None: ...


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


async def test_an_on_error_may_be_async(connect: Connect, raw: Any, stream: str) -> None:
    seen: list[Exception] = []

    async def report(error: Exception) -> None:
        await asyncio.sleep(0)
        seen.append(error)

    stock = await connect("stock")
    stock.on_error(report)
    raw.xadd(stream, {"destination_group": "stock"})
    await asyncio.sleep(0.1)
    assert len(seen) == 1


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


async def test_handlers_that_outlive_the_grace_are_cancelled(connect: Connect) -> None:
    ended = asyncio.Event()

    async def handle(request: Any) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    stock = await connect("stock", handle)
    web = await connect("web")
    web.submit(1, to="stock").add_done_callback(lambda future: future.cancelled() or future.exception())
    await asyncio.sleep(0.1)
    await stock.disconnect(0.1)
    assert ended.is_set()


async def test_a_handler_that_outlives_the_grace_is_a_rejection_and_no_error_of_its_own(connect: Connect) -> None:
    errors: list[Any] = []

    async def handle(request: Any) -> None:
        await asyncio.sleep(60)

    stock = await connect("stock", handle)
    stock.on_error(errors.append)
    web = await connect("web")
    web.submit(1, to="stock").add_done_callback(lambda future: future.cancelled() or future.exception())
    await asyncio.sleep(0.1)
    await stock.disconnect(0.1)
    await asyncio.sleep(0.05)
    assert [error.kind for error in errors] == ["closing"]


async def test_a_handler_that_postponed_its_answer_is_not_taken_for_interrupted(connect: Connect) -> None:
    """The look between two turns may come after its end and before the core has heard of that."""
    held: list[Any] = []

    async def handle(request: Any) -> None:
        held.append(request.later())

    stock = await connect("stock", handle)
    web = await connect("web")
    session: Any = stock._session
    waiting = [web.submit(number, to="stock") for number in range(20)]
    while len(held) < len(waiting):
        for job in list(session.started.values()):
            job.look_after()
        await asyncio.sleep(0)
    for _ in range(20):
        for job in list(session.started.values()):
            job.look_after()
        await asyncio.sleep(0)
    for request in held:
        request.fulfill("late")
    assert await asyncio.gather(*waiting) == ["late"] * len(waiting)


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


async def test_in_a_forked_child_nothing_goes_on(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The acts of a child in the copy of its parent's event loop end no connection of it, and open none."""
    web = await connect("web")
    session: Any = web._session
    waiting = web.submit(1, to="nobody", timeout=30)
    while session._host.openings:
        await asyncio.sleep(0.01)
    opened: list[Any] = []
    monkeypatch.setattr(session.driver.host, "open", lambda *about: opened.append(about))
    transports = session._transports()
    session.after_fork()
    for transport in transports:
        session.loop.lost(transport, "ended in the child")
    for _ in range(10):
        await asyncio.sleep(0)
    session.call(lambda now: opened.append("a call"))
    session.loop.work()
    assert opened == []
    assert session.connected is False
    with pytest.raises(ForkedError):
        await waiting
    for transport in transports:
        transport.close()


class Holding(Gate):
    """Holds back what Redis answers until ``go``."""

    def __init__(self, url: str) -> None:
        self.held, self.go = threading.Event(), threading.Event()
        super().__init__(url)

    def _outward(self, near: socket.socket, far: socket.socket, state: dict[str, Any]) -> None:
        # The test may close both ends while it receives.
        with contextlib.suppress(OSError):
            while data := far.recv(65536):
                self.held.set()
                self.go.wait(5)
                near.sendall(data)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="asyncio refuses each step of a task in a forked child")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_forked_child_leaves_a_connection_that_is_being_opened_to_its_parent(stream: str, url: str) -> None:
    gate = Holding(url)
    web = Stream(stream, "web", url=gate.url)
    connecting = asyncio.ensure_future(web.connect())
    while not gate.held.is_set():
        await asyncio.sleep(0.005)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(5)
        try:
            # There is no running event loop in the child by asyncio's own word, and yet it continues.
            for _ in range(30):
                await asyncio.sleep(0)
                time.sleep(0.01)
        finally:
            os._exit(0)
    gate.go.set()
    # Its event loop stands still, so that the child has all the time to take the replies.
    os.waitpid(child, 0)
    await connecting
    assert gate.connections <= 3
    await web.disconnect()
    gate.close()


async def test_a_connection_whose_opening_got_lost_is_opened_anew(
    stream: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception of a signal handler may end the event loop just when it took out the next step of a task."""
    monkeypatch.setattr("redisipc.runtime.asyncio.openings.LONGEST_OPENING", 0.3)
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
    visit, serve = Loop._visit_alone, Loop._serve

    def counted_visit(loop: Loop, now: float, then: Any) -> None:
        reads.append(now)
        visit(loop, now, then)

    def counted_serve(loop: Loop) -> None:
        turns.append(0.0)
        serve(loop)

    monkeypatch.setattr(Loop, "_visit_alone", counted_visit)
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


async def test_what_was_read_is_handed_in_though_an_exception_comes_before(
    connect: Connect, raw: Any, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = await connect("stock", lambda request: request.content)
    web = await connect("web")
    session = stock._session
    assert session is not None
    visit, raised = Loop._visit, list[float]()

    def interrupted(loop: Loop, now: float, then: Any) -> None:
        came = getattr(then, "__func__", None) is not Driver.read_on
        if loop is session.loop and not raised and came and sys._getframe(1).f_code.co_name == "_visit_alone":
            raised.append(now)
            raise RuntimeError("a signal handler raised before the core was visited")
        visit(loop, now, then)

    monkeypatch.setattr(Loop, "_visit", interrupted)
    await crowd(raw, stream, stock, lambda: bool(raised))
    assert await web.request(7, to="stock", timeout=4) == 7
