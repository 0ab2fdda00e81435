"""Signal handlers and finalizers come at any moment, and call, or raise: no call hangs, and the endpoint lives on.

Storms with seeds: thousands of interruptions in a process of their own. On the old design each of them hung or went deaf.
"""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

THREADS = """
    import random, signal, sys, time
    from redisipc import *
    name, url, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    random.seed(seed)
    me = Stream(name, "me", url=url, timeout=5)
    me.on_request(lambda request: request.content)
    me.connect()
    calls = interrupted = 0

    def soon(_number=0, _frame=None):
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0002, 0.004))
"""
ASYNCIO = """
    import asyncio, random, signal, sys, time
    from redisipc.asyncio import *
    name, url, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    random.seed(seed)
    me = Stream(name, "me", url=url, timeout=5)
    me.on_request(lambda request: request.content)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)
    loop.run_until_complete(me.connect())
    calls = interrupted = 0

    def soon(_number=0, _frame=None):
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0002, 0.004))
"""
SEEDS = ["1", "2"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("what", ["submit", "request", "cancel"])
def test_threads_a_signal_handler_may_call(run: Any, stream: str, url: str, what: str, seed: str) -> None:
    text = f"""{THREADS}
    futures = []
    def handler(number, frame):
        global interrupted
        interrupted += 1
        if {what!r} == "request":
            assert me.request(interrupted, to="me") == interrupted
        else:
            futures.append(me.submit(interrupted, to="me"))
            if {what!r} == "cancel":
                assert futures[-1].cancel() or futures[-1].result() == interrupted
        soon()
    signal.signal(signal.SIGALRM, handler)
    soon()
    while interrupted < count:
        calls += 1
        assert me.request(calls, to="me") == calls
    signal.setitimer(signal.ITIMER_REAL, 0)
    if {what!r} == "submit":
        assert [future.result() for future in futures] == list(range(1, len(futures) + 1))
    me.disconnect()
    print("went on")
    """
    assert run(text, stream, url, seed, "1000").end(60) == (0, "went on\n")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("wait", ["0", ""])
def test_threads_a_signal_handler_may_disconnect(run: Any, stream: str, url: str, seed: str, wait: str) -> None:
    text = f"""{THREADS}
    signal.signal(signal.SIGALRM, lambda number, frame: web.disconnect({wait}))
    for _ in range(count):
        web = Stream(name, "web", url=url, timeout=5, close_timeout=1).connect()
        soon()
        try:
            while True:
                web.request(1, to="me")
        except (NotConnected, ClosedError, RequestCancelled):
            pass
        assert not web.connected
    me.disconnect()
    print("went on")
    """
    assert run(text, stream, url, seed, "100").end(60) == (0, "went on\n")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["KeyboardInterrupt", "Exception"])
@pytest.mark.parametrize("call", ["me.request(calls, to='me')", "me.submit(calls, to='me').result()"])
def test_threads_a_signal_handler_may_raise(run: Any, stream: str, url: str, seed: str, kind: str, call: str) -> None:
    text = f"""{THREADS}
    class SoftLimit({kind}): ...
    def handler(number, frame):
        if armed:
            raise SoftLimit
    signal.signal(signal.SIGALRM, handler)
    armed = False
    while interrupted < count:
        calls += 1
        try:
            armed = True
            soon()
            assert {call} == calls
            armed = False
        except SoftLimit:
            armed = False
            interrupted += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert me.request("after", to="me") == "after"
    me.disconnect()
    print("went on")
    """
    assert run(text, stream, url, seed, "1000").end(60) == (0, "went on\n")


@pytest.mark.parametrize("seed", SEEDS)
def test_threads_a_finalizer_may_call(run: Any, stream: str, url: str, seed: str) -> None:
    """The garbage collector runs it on whatever thread it likes, the endpoint's own included: waiting is refused there."""
    text = f"""{THREADS}
    import gc, threading
    where = set()
    class Remote:
        def __init__(self):
            self.me = self
        def __del__(self):
            global interrupted
            interrupted += 1
            where.add(threading.current_thread().name)
            me.submit(1, to="me")
            try:
                me.request(1, to="me")
            except CannotWait:
                refused.append(1)
    refused = []
    while interrupted < count:
        calls += 1
        # Whoever makes the last of so many objects runs the collection.
        gc.set_threshold(random.randint(5, 50), 2, 2)
        Remote()
        assert me.request(calls, to="me") == calls
    gc.disable()
    me.disconnect()
    print("went on", len(where) > 1, bool(refused) == bool(where & {{"redisipc-me-io", "redisipc-me-start"}}))
    """
    assert run(text, stream, url, seed, "500").end(60) == (0, "went on True True\n")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("what", ["submit", "cancel"])
def test_asyncio_a_signal_handler_may_call(run: Any, stream: str, url: str, what: str, seed: str) -> None:
    text = f"""{ASYNCIO}
    futures = []
    def handler(number, frame):
        global interrupted
        interrupted += 1
        futures.append(me.submit(interrupted, to="me"))
        if {what!r} == "cancel":
            futures[-1].cancel()
        soon()
    signal.signal(signal.SIGALRM, handler)
    async def main():
        global calls
        soon()
        while interrupted < count:
            calls += 1
            assert await me.request(calls, to="me") == calls
        signal.setitimer(signal.ITIMER_REAL, 0)
        if {what!r} == "submit":
            assert await asyncio.gather(*futures) == list(range(1, len(futures) + 1))
        await me.disconnect()
        print("went on")
    loop.run_until_complete(main())
    loop.close()
    """
    assert run(text, stream, url, seed, "1000").end(60) == (0, "went on\n")


@pytest.mark.parametrize("seed", SEEDS)
def test_asyncio_a_signal_handler_may_disconnect(run: Any, stream: str, url: str, seed: str) -> None:
    text = f"""{ASYNCIO}
    def handler(number, frame):
        leaving.append(loop.create_task(web.disconnect(0)))
    signal.signal(signal.SIGALRM, handler)
    async def main():
        global web, leaving
        for _ in range(count):
            web, leaving = await Stream(name, "web", url=url, timeout=5).connect(), []
            soon()
            try:
                while True:
                    await web.request(1, to="me")
            except (NotConnected, ClosedError, RequestCancelled):
                pass
            await leaving[0]
            assert not web.connected
        await me.disconnect()
        print("went on")
    loop.run_until_complete(main())
    loop.close()
    """
    assert run(text, stream, url, seed, "100").end(60) == (0, "went on\n")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["KeyboardInterrupt", "Exception"])
def test_asyncio_a_signal_handler_may_raise(run: Any, stream: str, url: str, seed: str, kind: str) -> None:
    """An exception out of nowhere ends a visit of the core at any point. Requests may end as failed, but all end."""
    text = f"""{ASYNCIO}
    class SoftLimit({kind}): ...
    def handler(number, frame):
        global interrupted
        if armed:
            interrupted += 1
            soon()
            raise SoftLimit
    signal.signal(signal.SIGALRM, handler)
    armed = False
    async def some():
        for number in range(20):
            try:
                assert await me.request(number, to="me", timeout=2) == number
            except RequestError:
                pass
            except SoftLimit:
                return
    async def three():
        await asyncio.gather(*(some() for _ in range(3)))
    while interrupted < count:
        calls += 1
        try:
            armed = True
            soon()
            loop.run_until_complete(three())
            armed = False
        except SoftLimit:
            armed = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    async def after():
        for task in asyncio.all_tasks() - {{asyncio.current_task()}}:
            task.cancel()
        for _ in range(50):
            response = await me.send_to_group("after", to="me", timeout=1)
            if response.fulfilled:
                break
        assert response.value == "after", response
        start = time.monotonic()
        for number in range(100):
            assert await me.request(number, to="me") == number
        assert time.monotonic() - start < 5
        assert me.outstanding == 0, me.outstanding
        await me.disconnect()
        print("went on")
    loop.run_until_complete(after())
    """
    code, out = run(text, stream, url, seed, "1000").end(90)
    assert (code, out[:8]) == (0, "went on\n"), out


RUN = {
    "threads": """
    import sys
    from redisipc import Stream
    me = Stream(sys.argv[1], "me", url=sys.argv[2])
    me.connect()
    print("up")
    me.run()
    """,
    "asyncio": """
    import asyncio, sys
    from redisipc.asyncio import Stream
    me = Stream(sys.argv[1], "me", url=sys.argv[2])
    async def main():
        await me.connect()
        print("up")
        await me.run()
    asyncio.run(main())
    """,
}


@pytest.mark.parametrize("face", RUN)
def test_run_ends_on_many_signals_at_once(run: Any, stream: str, url: str, face: str) -> None:
    """A terminal and a supervisor both want it to end. It may be ended by the second one, but it ends."""
    for number in range(10):
        program = run(RUN[face], stream, url)
        assert program.line() == "up"
        if number % 2:
            time.sleep(0.01)
        for _ in range(20):
            program.process.send_signal(signal.SIGTERM)
            program.process.send_signal(signal.SIGINT)
        program.process.wait(15)
