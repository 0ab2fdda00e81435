"""``run()`` takes signals while it serves, beside others who want them, and leaves however it ends."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

import pytest
import redis

from .faces import until

ASYNCIO = """
    import asyncio, os, signal, sys
    from redisipc.asyncio import Channel, Stream
    name, url = sys.argv[1:3]
    async def up(*them):
        while not all(one.connected for one in them):
            await asyncio.sleep(0.005)
    """
BEFORE = """
    async def main():
        came = []
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: came.append("mine"))
        before = signal.getsignal(signal.SIGINT)
        one = Stream(name, "one", url=url)
        running = asyncio.create_task(one.run())
        await up(one)
        assert signal.getsignal(signal.SIGINT) != before
        await one.disconnect()
        await running
        assert signal.getsignal(signal.SIGINT) == before
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.05)
        assert came == ["mine"], came
    asyncio.run(main())
    """
TWO = """
    async def main():
        one, two = (Stream(name, group, url=url) for group in ("one", "two"))
        three = Stream(name, "three", url=url)
        first = asyncio.create_task(three.run())
        both = asyncio.gather(one.run(), two.run())
        await up(one, two, three)
        await three.disconnect()
        await first
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(both, 5)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    asyncio.run(main())
    """


@pytest.mark.parametrize("program", [BEFORE, TWO], ids=["others' handlers come back", "two are told"])
def test_in_an_event_loop_a_signal_belongs_to_all_who_want_it(run: Any, stream: str, url: str, program: str) -> None:
    assert run(ASYNCIO + program, stream, url).end() == (0, "")


CHANNEL = {
    "threads": """
    import sys
    from redisipc import Channel
    class Stock(Channel):
        stream, channel = sys.argv[1], "stock"
    print("made")
    Stock.run(url=sys.argv[2])
    """,
    "asyncio": """
    import asyncio, sys
    from redisipc.asyncio import Channel
    class Stock(Channel):
        stream, channel = sys.argv[1], "stock"
    print("made")
    asyncio.run(Stock.run(url=sys.argv[2]))
    """,
}


@pytest.mark.parametrize("face", CHANNEL)
def test_a_channel_takes_a_signal_while_it_connects(
    run: Any, stream: str, url: str, raw: redis.Redis, face: str
) -> None:
    program = run(CHANNEL[face], stream, url)
    assert program.line() == "made"
    end = time.monotonic() + 5
    while not raw.exists(stream):
        assert time.monotonic() < end
    program.process.send_signal(signal.SIGTERM)
    assert program.end() == (0, "")
    assert list(raw.scan_iter(f"{stream}:*")) == []


async def test_a_run_that_is_cancelled_leaves(stream: str, url: str, raw: redis.Redis) -> None:
    from redisipc.asyncio import Stream

    stock = Stream(stream, "stock", url=url)
    running = asyncio.create_task(stock.run())
    await until(lambda: stock.connected)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not stock.connected
    assert list(raw.scan_iter(f"{stream}:*")) == []


INTERRUPTED = """
    import signal, sys
    from redisipc import Stream
    class Late(Exception):
        pass
    def late(*_):
        raise Late
    me = Stream(sys.argv[1], "me", url=sys.argv[2])
    signal.signal(signal.SIGALRM, late)
    me.on_state(lambda health: health.state == "up" and signal.alarm(1))
    try:
        me.run()
    except Late:
        print(me.connected)
    """


def test_a_run_that_an_exception_ends_leaves(run: Any, stream: str, url: str) -> None:
    assert run(INTERRUPTED, stream, url).end() == (0, "False\n")


FORKED = {
    "threads": """
    import os, sys
    from redisipc import ForkedError, Stream
    me = Stream(sys.argv[1], "me", url=sys.argv[2]).connect()
    if os.fork() == 0:
        try:
            me.run()
        except ForkedError:
            os._exit(7)
        finally:
            os._exit(0)
    print(os.waitstatus_to_exitcode(os.wait()[1]))
    me.disconnect()
    """,
    "asyncio": """
    import asyncio, os, sys
    from redisipc.asyncio import ForkedError, Stream
    async def main():
        me = Stream(sys.argv[1], "me", url=sys.argv[2])
        await me.connect()
        if os.fork() == 0:
            try:
                await me.run()
            except ForkedError:
                os._exit(7)
            finally:
                os._exit(0)
        print(os.waitstatus_to_exitcode(os.wait()[1]))
        await me.disconnect()
    asyncio.run(main())
    """,
}


@pytest.mark.parametrize("face", FORKED)
def test_in_a_forked_child_it_is_refused(run: Any, stream: str, url: str, face: str) -> None:
    assert run(FORKED[face], stream, url).end() == (0, "7\n")


DEAD_LOOP = """
    import asyncio, sys, warnings
    warnings.simplefilter("ignore")  # Python warns of what such a loop leaves open
    from redisipc.asyncio import Stream
    me = Stream(sys.argv[1], "me", url=sys.argv[2])
    loop = asyncio.new_event_loop()
    loop.run_until_complete(me.connect())
    loop.close()
    health = me.health()
    print(me.connected, health.state, health.reason, me.stats().connections, repr(me).split()[-2:], sep=", ")
    """


def test_an_event_loop_that_ended_is_seen_in_the_health(run: Any, stream: str, url: str) -> None:
    code, text = run(DEAD_LOOP, stream, url).end()
    assert (code, text.splitlines()[0]) == (
        0,
        "False, not connected, its event loop has ended, 0, ['not', 'connected>']",
    )
