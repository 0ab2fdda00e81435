"""Who leads: callers, quick handlers and slow ones, and what is left of the threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as TimeoutErrorOfFutures
from typing import Any

import pytest

from redisipc import Caller, ConfigurationError, ConnectionLost, RequestTimeout, Stream
from redisipc.runtime.driver import AFTER_DEFECT, Driver
from redisipc.runtime.threads.session import sessions
from redisipc.testing import Hub

Connect = Callable[..., Stream]


@pytest.fixture
def connect(stream: str, url: str) -> Iterator[Connect]:
    made: list[Stream] = []

    def connect(group: str, handler: Any = None, **options: Any) -> Stream:
        endpoint = Stream(stream, group, url=url, **options)
        if handler is not None:
            endpoint.on_request(handler)
        made.append(endpoint)
        return endpoint.connect()

    yield connect
    for endpoint in made:
        endpoint.disconnect(0.2)


def test_a_handler_that_was_registered_before_a_request_was_sent_gets_it() -> None:
    """The call and the bytes may come in one turn of the I/O thread: over a hub they did, in half of the rounds."""
    with Hub() as hub:
        for _ in range(20):
            with Stream("shop", "stock", client=hub) as stock, Caller("shop", client=hub) as caller:
                stock.on_request(lambda request: request.content * 2)
                assert caller.request(21, to="stock") == 42


def test_a_handler_that_is_slow_for_once_does_not_hold_the_others(connect: Connect) -> None:
    """By experience it is quick, so it runs on the thread that reads: another one must take over reading."""
    slow = threading.Event()

    def handle(request: Any) -> Any:
        if request.content == "slow":
            slow.wait(5)
        return request.content

    connect("stock", handle)
    web = connect("web")
    for number in range(300):
        web.request(number, to="stock")
    future = web.submit("slow", to="stock")
    time.sleep(0.02)
    start = time.monotonic()
    for number in range(20):
        assert web.request(number, to="stock") == number
    assert time.monotonic() - start < 1
    slow.set()
    assert future.result() == "slow"


def test_a_nested_request_of_a_quick_handler_is_answered(connect: Connect) -> None:
    stock = connect("stock", lambda request: request.content)

    def handle(request: Any) -> Any:
        return stock_of_web.request(request.content, to="stock")

    stock_of_web = connect("middle", handle)
    web = connect("web")
    for number in range(300):
        assert web.request(number, to="middle") == number
    assert stock.connected


def test_many_callers_share_one_endpoint(connect: Connect) -> None:
    connect("stock", lambda request: request.content)
    web = connect("web")
    wrong: list[Any] = []

    def call(base: int) -> None:
        for number in range(base, base + 100):
            if web.request(number, to="stock") != number:
                wrong.append(number)

    callers = [threading.Thread(target=call, args=(1000 * n,)) for n in range(16)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    assert not wrong
    assert web.outstanding == 0


def test_callers_and_handlers_at_once(connect: Connect) -> None:
    """An endpoint that asks and answers: while a caller leads, requests go to workers."""
    one = connect("one", lambda request: request.content + 1)
    two = connect("two", lambda request: request.content + 2)
    sums = {"one": 0, "two": 0}

    def call(me: Stream, other: str) -> None:
        for number in range(300):
            sums[me.group] += me.request(number, to=other) - number

    callers = [threading.Thread(target=call, args=(one, "two")), threading.Thread(target=call, args=(two, "one"))]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    assert sums == {"one": 600, "two": 300}


def test_an_idle_endpoint_answers_at_once_after_its_calls(connect: Connect) -> None:
    """A caller that leaves keeps the lead free for its next call; a request that comes meanwhile must not wait long."""
    one = connect("one", lambda request: 1)
    two = connect("two", lambda request: 2)
    for _ in range(50):
        one.request(0, to="two")
    for _ in range(50):
        start = time.monotonic()
        two.request(0, to="one")
        assert time.monotonic() - start < 0.5


def test_no_thread_is_left(connect: Connect) -> None:
    before = set(threading.enumerate())
    stock = connect("stock", lambda request: time.sleep(0.02))
    web = connect("web")
    futures = [web.submit(n, to="stock") for n in range(30)]
    for future in futures:
        future.result()
    web.disconnect()
    stock.disconnect()
    deadline = time.monotonic() + 2
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(threading.enumerate()) - before == set()


def test_callbacks_of_futures_may_block(connect: Connect) -> None:
    connect("stock", lambda request: request.content)
    web = connect("web")
    free = threading.Event()
    web.submit(1, to="stock").add_done_callback(lambda future: free.wait(5))
    assert web.request(2, to="stock", timeout=2) == 2
    free.set()


def test_an_async_handler_is_refused() -> None:
    async def handle(request: Any) -> None: ...

    with pytest.raises(ConfigurationError, match=r"redisipc\.asyncio"):
        Stream("s", "g").on_request(handle)


def test_a_handler_that_exits_its_thread_rejects(connect: Connect) -> None:
    def handle(request: Any) -> None:
        raise SystemExit("out")

    connect("stock", handle)
    web = connect("web")
    for _ in range(2):
        assert "SystemExit" in str(web.send_to_group(1, to="stock").reason)


def test_an_interpreter_without_daemon_threads_is_refused(
    stream: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **given: Any) -> None:
        assert given["daemon"]
        raise RuntimeError("daemon threads are disabled in this (sub)interpreter")

    monkeypatch.setattr("redisipc.runtime.threads.loop.threading.Thread", refuse)
    with pytest.raises(ConfigurationError, match="main interpreter"):
        Stream(stream, "stock", url=url).connect()


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("thread is not supported for isolated subinterpreters", ConfigurationError, "main interpreter"),
        (
            "can't create new thread at interpreter shutdown",
            ConnectionLost,
            "the program is ending: .*; connect earlier",
        ),
        ("can't start new thread", ConnectionLost, "no thread could be started: can't start new thread"),
    ],
)
def test_where_no_thread_can_be_started_connect_says_why(
    stream: str, url: str, monkeypatch: pytest.MonkeyPatch, text: str, kind: Any, said: str
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError(text)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(kind, match=said):
            Stream(stream, "stock", url=url).connect()
    assert not sessions


def test_a_defect_that_cannot_be_mended_is_told_and_paced(
    connect: Connect, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connecting again is the answer to an internal error; where that fails as well, it is not tried without a pause."""
    pauses: list[float] = []
    monkeypatch.setattr("redisipc.runtime.threads.loop.time.sleep", pauses.append)
    web = connect("web")
    session: Any = web._session
    driver = session.driver
    mended = driver.defect

    def fail(error: BaseException, now: float) -> None:
        driver.defect = mended
        raise ValueError("no way")

    def break_it(now: float) -> None:
        raise RuntimeError("a defect")

    driver.defect = fail
    session.call(break_it)
    answered = threading.Event()
    session.call(lambda now: answered.set())
    assert answered.wait(10)
    assert pauses == [AFTER_DEFECT]
    assert "no way to connect again: ValueError: no way" in caplog.text


def test_a_read_of_others_entries_takes_no_whole_turn(
    connect: Connect, raw: Any, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = connect("stock", lambda request: request.content)
    session: Any = stock._session
    reads: list[float] = []
    turns: list[float] = []
    read_on, pump = Driver.read_on, Driver.pump

    def counted_read(driver: Driver, now: float) -> bool:
        if driver.endpoint is session.endpoint:
            reads.append(now)
        return read_on(driver, now)

    def counted_pump(driver: Driver, now: float, reading: bool = True) -> None:
        if driver.endpoint is session.endpoint:
            turns.append(now)
        pump(driver, now, reading)

    monkeypatch.setattr(Driver, "read_on", counted_read)
    fields = {"id": "f" * 21, "instance_id": "ffffff", "status": "pending", "content": "1"}
    end = time.monotonic() + 10
    while len(reads) < 60 and time.monotonic() < end:
        raw.xadd(stream, {**fields, "source_group": "c", "destination_group": "nobody"})
        time.sleep(0.0005)
        if len(reads) == 5 and Driver.pump is pump:
            monkeypatch.setattr(Driver, "pump", counted_pump)
    assert len(reads) >= 60
    assert len(turns) < len(reads)
    assert connect("web").request(7, to="stock", timeout=5) == 7


def test_who_waits_in_vain_leaves_nothing_behind(connect: Connect) -> None:
    free = threading.Event()
    connect("stock", lambda request: free.wait(20))
    web = connect("web")
    future = web.submit(1, to="stock", timeout=20)
    session: Any = web._session
    before = len(session.gone._signals)
    for _ in range(20):
        with pytest.raises(TimeoutErrorOfFutures):
            future.result(timeout=0)
    with pytest.raises(RequestTimeout):
        web.wait_for_group("nobody", timeout=0.5)
    ticket: Any = future._ticket  # type: ignore[attr-defined]
    assert len(ticket._signals) == 0
    assert len(session.gone._signals) == before
    free.set()
    assert future.result() is True
