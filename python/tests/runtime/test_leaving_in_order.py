"""Leaving in order loses nothing: responses, answers that come later, questions of handlers, and programs that just end."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from typing import Any

import pytest
import redis

from redisipc import RequestTimeout
from redisipc.protocol.closing import UNBLOCK_LIMIT

from . import gate as gates
from .faces import Face, Gate, until


async def test_a_requester_that_leaves_gets_the_responses_that_its_siblings_read(face: Face, stream: str) -> None:
    gate = Gate()

    async def handle(request: Any) -> int:
        await gate.wait()
        return 7

    await face.connected(stream, "stock", face.handler(handle), concurrency=64)
    await face.connected(stream, "web")
    web = await face.connected(stream, "web")
    futures = [web.submit(number, to="stock", timeout=8) for number in range(20)]
    await until(lambda: gate.reached == len(futures))
    leaving = asyncio.ensure_future(face.call(web.disconnect))
    await asyncio.sleep(0.05)
    gate.open()
    await leaving
    assert [await face.outcome(future) for future in futures] == [7] * len(futures)


async def test_who_leaves_waits_for_answers_that_come_later(face: Face, stream: str) -> None:
    held: list[Any] = []
    stock = await face.connected(stream, "stock", lambda request: held.append(request.later()))
    web = await face.connected(stream, "web")
    future = web.submit(1, to="stock", timeout=8)
    await until(lambda: held)
    leaving = asyncio.ensure_future(face.call(stock.disconnect))
    await asyncio.sleep(0.05)
    assert not leaving.done()
    held[0].fulfill("late")
    await leaving
    assert await face.outcome(future) == "late"


async def test_a_handler_may_ask_while_its_endpoint_leaves(face: Face, stream: str) -> None:
    gate = Gate()
    await face.connected(stream, "db", lambda request: "row")

    async def handle(request: Any) -> Any:
        await gate.wait()
        return await face.call(stock.request, 1, to="db", timeout=4)

    stock = await face.connected(stream, "stock", face.handler(handle))
    web = await face.connected(stream, "web")
    futures = [web.submit(number, to="stock", timeout=8) for number in range(4)]
    await until(lambda: gate.reached == len(futures))
    leaving = asyncio.ensure_future(face.call(stock.disconnect))
    await until(lambda: " up" not in repr(stock))
    gate.open()
    await leaving
    assert [await face.outcome(future) for future in futures] == ["row"] * len(futures)


class SlowToRead(gates.Gate):
    """A blocking read arrives late, as over a link that is slow or busy."""

    def _inward(self, near: socket.socket, far: socket.socket, state: dict[str, Any]) -> None:
        while data := near.recv(65536):
            if b"BLOCK" in data:
                time.sleep(0.2)
            far.sendall(data)
        far.shutdown(socket.SHUT_RDWR)


async def test_who_leaves_within_moments_of_its_join_leaves_no_consumer(
    face: Face, stream: str, url: str, raw: redis.Redis
) -> None:
    """RIPC-LIFE-21: Redis may not have come to its first read yet, which would make the consumer again."""
    gate = SlowToRead(url)
    for group in ("first", "second", "third"):
        stock = await face.connected(stream, group, lambda request: 1, url=gate.url)
        began = time.monotonic()
        await face.call(stock.disconnect)
        took = time.monotonic() - began
        await asyncio.sleep(0.3)
        left = [*raw.xinfo_consumers(stream, group), *raw.keys(f"{stream}:*")]
        # On a machine that is so late, the read did not end in time, and its consumer stays by design. Then once more.
        if not left or took < UNBLOCK_LIMIT:
            break
    assert left == []
    gate.close()


async def test_the_only_member_that_asked_itself_leaves_no_consumer(face: Face, stream: str, raw: redis.Redis) -> None:
    """RIPC-LIFE-21: what it gave back is deleted when its own time is up, and nobody else is there to settle that."""
    gate = Gate()

    async def handle(request: Any) -> int:
        await gate.wait()
        return 7

    stock = await face.connected(stream, "stock", face.handler(handle), concurrency=1)
    futures = [stock.submit(number, to="stock", timeout=1.5) for number in range(3)]
    await until(lambda: gate.reached == 1 and raw.xlen(stream) == 3)
    leaving = asyncio.ensure_future(face.call(stock.disconnect, 4))
    await until(lambda: " up" not in repr(stock))
    gate.open()
    assert await face.outcome(futures[0]) == 7
    await leaving
    for future in futures[1:]:
        with pytest.raises(RequestTimeout):
            await face.outcome(future)
    assert raw.xinfo_consumers(stream, "stock") == []
    assert raw.xpending(stream, "stock")["pending"] == 0


# Python shows no ResourceWarning unless it is asked to; these programs end connected, on purpose.
ENDS = """
    import logging, sys, threading, time, warnings, redisipc
    warnings.simplefilter("ignore", ResourceWarning)
    logging.basicConfig(stream=sys.stdout)
    stock = redisipc.Stream(sys.argv[1], "stock", url=sys.argv[2])
    @stock.on_request
    def handle(request):
        started.set()
        time.sleep(1.2)
        print("the handler ended", flush=True)
    started = threading.Event()
    stock.connect()
    stock.submit(1, to="stock")
    started.wait(5)
"""
INTERRUPTED = """
    import logging, sys, warnings, redisipc
    warnings.simplefilter("ignore", ResourceWarning)
    logging.basicConfig(stream=sys.stdout)
    web = redisipc.Stream(sys.argv[1], "web", url=sys.argv[2]).connect()
    try:
        print("up", flush=True)
        web.request(1, to="nobody", timeout=20)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""
JOINS = """
    import sys, redisipc
    stock = redisipc.Stream(sys.argv[1], "stock", url=sys.argv[2])
    stock.on_request(lambda request: 1)
    print("made", flush=True)
    stock.run()
"""

CONNECTS = """
    import sys, redisipc
    stock = redisipc.Stream(sys.argv[1], "stock", url=sys.argv[2])
    print("made", flush=True)
    stock.connect()
    stock.disconnect()
"""


def test_a_program_that_ends_lets_its_handlers_end_and_says_nothing_else(run: Any, stream: str, url: str) -> None:
    assert run(ENDS, stream, url).end() == (0, "the handler ended\n")


def test_an_interrupted_program_ends_without_a_word(run: Any, stream: str, url: str) -> None:
    program = run(INTERRUPTED, stream, url)
    assert program.line() == "up"
    program.process.send_signal(signal.SIGINT)
    assert program.end() == (0, "interrupted\n")


@pytest.mark.parametrize("after", [0.008, 0.014, 0.018, 0.022])
def test_ctrl_c_while_it_connects_leaves_no_key(
    run: Any, stream: str, url: str, raw: redis.Redis, after: float
) -> None:
    program = run(CONNECTS, stream, url)
    assert program.line() == "made"
    time.sleep(after)
    program.process.send_signal(signal.SIGINT)
    program.process.wait(10)
    assert list(raw.scan_iter(f"{stream}:*")) == []


@pytest.mark.parametrize("after", [0.004, 0.008, 0.02])
def test_sigterm_while_it_connects_leaves_no_key(
    run: Any, stream: str, url: str, raw: redis.Redis, after: float
) -> None:
    program = run(JOINS, stream, url)
    assert program.line() == "made"
    # A signal meets it at the beginning, in the middle and at the end of joining.
    time.sleep(after)
    program.process.send_signal(signal.SIGTERM)
    program.process.wait(10)
    assert program.process.returncode in (0, -signal.SIGTERM)
    assert list(raw.scan_iter(f"{stream}:*")) == []
