"""Several processes: conversing, forked, ended by a signal, ended without a word."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest
import redis

pytestmark = pytest.mark.slow

THREADS_CHILD = """
    import sys, redisipc
    child = redisipc.Stream(sys.argv[1], "child", url=sys.argv[2])
    @child.on_request
    def handle(request):
        return "Yes, " + request.source_group
    child.connect()
    print("up")
    child.run()
    print("left")
"""
ASYNCIO_CHILD = """
    import asyncio, sys, redisipc.asyncio
    child = redisipc.asyncio.Stream(sys.argv[1], "child", url=sys.argv[2])
    @child.on_request
    async def handle(request):
        return "Yes, " + request.source_group
    async def main():
        await child.connect()
        print("up")
        await child.run()
        print("left")
    asyncio.run(main())
"""
PARENT = """
    import sys, redisipc
    with redisipc.Stream(sys.argv[1], "parent", url=sys.argv[2]) as parent:
        print(parent.send_to_group(content="Please", to="child").value)
"""


@pytest.mark.parametrize("child", [THREADS_CHILD, ASYNCIO_CHILD])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_parent_and_child_converse_and_a_signal_ends_in_order(
    run: Any, stream: str, url: str, raw: redis.Redis, child: str, number: signal.Signals
) -> None:
    program = run(child, stream, url)
    assert program.line() == "up"
    assert run(PARENT, stream, url).end() == (0, "Yes, parent\n")
    program.process.send_signal(number)
    assert program.end() == (0, "left\n")
    assert list(raw.scan_iter(f"{stream}:*")) == []


def test_a_program_that_ends_without_disconnect_still_leaves(run: Any, stream: str, url: str, raw: redis.Redis) -> None:
    text = """
        import sys, warnings, redisipc
        warnings.simplefilter("ignore", ResourceWarning)
        web = redisipc.Stream(sys.argv[1], "web", url=sys.argv[2]).connect()
    """
    assert run(text, stream, url).end() == (0, "")
    assert list(raw.scan_iter(f"{stream}:*")) == []


def test_a_forked_child_is_told_and_may_connect_anew(run: Any, stream: str, url: str) -> None:
    text = """
        import os, sys, warnings, redisipc
        warnings.simplefilter("ignore", DeprecationWarning)
        stock = redisipc.Stream(sys.argv[1], "stock", url=sys.argv[2])
        stock.on_request(lambda request: request.content)
        web = redisipc.Stream(sys.argv[1], "web", url=sys.argv[2])
        stock.connect(), web.connect()
        web.request(1, to="stock")
        pid = os.fork()
        if pid == 0:
            try:
                web.request(1, to="stock")
            except redisipc.ForkedError as error:
                print(type(error).__name__, web.connected, flush=True)
            try:
                web.connect()
            except redisipc.ForkedError as error:
                print(type(error).__name__, flush=True)
            web.disconnect()
            with web:
                print(web.request(2, to="stock"), flush=True)
            os._exit(0)
        print(os.waitpid(pid, 0)[1], web.request(3, to="stock"))
        web.disconnect(), stock.disconnect()
    """
    assert run(text, stream, url).end() == (0, "ForkedError False\nForkedError\n2\n0 3\n")


def test_a_forked_child_joins_anew_in_an_event_loop_of_its_own(run: Any, stream: str, url: str) -> None:
    """From Python 3.14 on it has no other: asyncio refuses each step of a task there on the loop of the parent."""
    text = """
        import asyncio, os, signal, sys, warnings, redisipc
        from redisipc.asyncio import Stream
        warnings.simplefilter("ignore", DeprecationWarning)

        async def child(web):
            try:
                await web.request(1, to="stock")
            except redisipc.ForkedError:
                print("told", flush=True)
            await web.disconnect()
            await web.connect()
            print(await web.request(2, to="stock"), flush=True)
            await web.disconnect()

        async def main():
            stock = Stream(sys.argv[1], "stock", url=sys.argv[2])
            stock.on_request(lambda request: request.content)
            web = Stream(sys.argv[1], "web", url=sys.argv[2])
            async with stock, web:
                await web.request(1, to="stock")
                pid = os.fork()
                if pid == 0:
                    signal.alarm(15)
                    try:
                        asyncio.run(child(web))
                    finally:
                        os._exit(0)
                end = await asyncio.to_thread(os.waitpid, pid, 0)
                print(end[1], await web.request(3, to="stock"))

        asyncio.run(main())
    """
    assert run(text, stream, url).end() == (0, "told\n2\n0 3\n")


def test_ctrl_c_while_waiting_gives_the_request_up(run: Any, stream: str, url: str, raw: redis.Redis) -> None:
    text = """
        import signal, sys, redisipc
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
        web = redisipc.Stream(sys.argv[1], "web", url=sys.argv[2]).connect()
        print("up")
        try:
            web.request(1, to="nobody", timeout=30)
        except KeyboardInterrupt:
            print("interrupted", web.outstanding)
        web.disconnect()
    """
    program = run(text, stream, url)
    program.line()
    end = time.monotonic() + 10
    while raw.xlen(stream) == 0:
        assert time.monotonic() < end, "the request was not stored"
        time.sleep(0.01)
    program.process.send_signal(signal.SIGINT)
    assert program.end() == (0, "interrupted 0\n")
    assert raw.xlen(stream) == 0


def test_requests_of_a_killed_instance_are_run_by_another(run: Any, stream: str, url: str) -> None:
    text = """
        import sys, time, redisipc
        stock = redisipc.Stream(sys.argv[1], "stock", url=sys.argv[2])
        @stock.on_request
        def handle(request):
            print("started", flush=True)
            time.sleep(60)
        stock.connect()
        print("up")
        stock.run()
    """
    from redisipc import Stream

    victim = run(text, stream, url)
    victim.line()
    seen: list[Any] = []
    with Stream(stream, "web", url=url, timeout=25) as web:
        future = web.submit("precious", to="stock")
        assert victim.line() == "started"
        victim.process.kill()
        with Stream(stream, "stock", url=url) as heir:
            heir.on_request(lambda request: seen.append(request) or request.content)
            assert future.result(20) == "precious"
    assert seen[0].redelivered
    assert seen[0].starts == 2
