"""A caller on a real Redis, both faces, against responders that are Streams: it asks, and leaves nothing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import redis

import redisipc
import redisipc.asyncio
from redisipc import (
    ConfigurationError,
    ContentError,
    NoResponders,
    Overloaded,
    Rejected,
    RequestFailed,
    RequestTimeout,
)

from .faces import FACES, Face, until
from .gate import Gate


@pytest.fixture
async def stock(stream: str) -> Any:
    """A group that answers: an echo, which rejects None and takes its time for a number of seconds."""

    async def handle(request: Any) -> Any:
        if request.content is None:
            raise redisipc.Reject("nothing")
        if isinstance(request.content, float):
            await asyncio.sleep(request.content)
        return request.content

    responder = redisipc.asyncio.Stream(stream, "stock")
    responder.on_request(handle)
    async with responder:
        yield responder


@pytest.fixture
def gate(url: str) -> Iterator[Gate]:
    gate = Gate(url)
    yield gate
    gate.close()


@pytest.fixture(params=["threads", "asyncio"])
async def caller(request: Any, stream: str, gate: Gate, stock: Any) -> Any:
    face = Face(request.param, FACES[request.param])
    caller = face.module.Caller(stream, url=gate.url)
    yield Asking(face, caller)
    await face.call(caller.close)


class Asking:
    """A caller of either face, whose calls are awaited."""

    def __init__(self, face: Face, caller: Any) -> None:
        self.face, self.caller = face, caller

    async def request(self, content: Any, to: str = "stock", timeout: float | None = None) -> Any:
        return await self.face.call(self.caller.request, content, to, timeout)


def entries(raw: redis.Redis, stream: str) -> list[Any]:
    return raw.xrange(stream)  # type: ignore[return-value]


async def test_it_asks_and_leaves_nothing(caller: Asking, raw: redis.Redis, stream: str) -> None:
    keys = set(raw.keys(f"{stream}*"))  # type: ignore[arg-type]
    for content in ("Hello", {"sku": [1, 2.5, None]}, "123", "", "x" * 3_000_000):
        assert await caller.request(content) == content
    assert entries(raw, stream) == []
    assert set(raw.keys(f"{stream}*")) == keys  # type: ignore[arg-type]
    assert [group["name"] for group in raw.xinfo_groups(stream)] == [b"stock"]  # type: ignore[union-attr]


async def test_a_rejection_says_why(caller: Asking) -> None:
    with pytest.raises(Rejected) as caught:
        await caller.request(None)
    assert caught.value.content == "nothing"
    assert caught.value.group == "stock"


async def test_a_response_tells_without_raising(caller: Asking) -> None:
    response = await caller.face.call(caller.caller.send_to_group, None, "stock")
    assert (response.rejected, response.reason) == (True, "nothing")
    response = await caller.face.call(caller.caller.send_to_group, 1, "stock")
    assert (response.fulfilled, response.value) == (True, 1)


async def test_one_connection_serves_one_call_after_the_other(caller: Asking, gate: Gate) -> None:
    for _ in range(5):
        await caller.request(1)
    assert gate.connections == 1


async def test_without_an_answer_it_ends_at_its_timeout(caller: Asking, raw: redis.Redis, stream: str) -> None:
    raw.xgroup_create(stream, "silent")
    start = time.monotonic()
    with pytest.raises(RequestTimeout) as caught:
        await caller.request(1, "silent", 0.7)
    assert 0.7 <= time.monotonic() - start < 1.7
    assert type(caught.value) is RequestTimeout
    assert entries(raw, stream) == []
    assert await caller.request(2) == 2


async def test_a_group_that_does_not_exist_is_told_early(caller: Asking, raw: redis.Redis, stream: str) -> None:
    start = time.monotonic()
    with pytest.raises(NoResponders):
        await caller.request(1, "nobody", 30.0)
    assert 0.5 <= time.monotonic() - start < 3.0
    assert entries(raw, stream) == []


async def test_without_early_end_only_the_timeout_tells(caller: Asking) -> None:
    patient = caller.face.module.Caller(caller.caller.stream, early_end=False)
    with pytest.raises(RequestTimeout) as caught:
        await caller.face.call(patient.request, 1, "nobody", 0.8)
    assert type(caught.value) is RequestTimeout
    await caller.face.call(patient.close)


async def test_misuse_is_told_at_once(caller: Asking) -> None:
    for content, to, timeout, error in (
        (1, " ", 1.0, ConfigurationError),
        (1, "stock", 0.0, ConfigurationError),
        (float("nan"), "stock", 1.0, ContentError),
    ):
        with pytest.raises(error):
            await caller.request(content, to, timeout)
    for given in ({"timeout": 0}, {"max_outstanding": 0}, {"url": ""}, {"url": "redis://x", "client": 1}):
        with pytest.raises(ConfigurationError):
            caller.face.module.Caller("s", **given)


# trouble on the way


async def test_a_connection_that_breaks_before_redis_has_the_request_ends_it_as_failed(
    caller: Asking, gate: Gate
) -> None:
    gate.armed = (b"XADD", "before")
    with pytest.raises(RequestFailed):
        await caller.request(1)
    assert await caller.request(2) == 2


async def test_a_request_whose_reply_got_lost_is_found_and_answered(
    caller: Asking, gate: Gate, raw: redis.Redis, stream: str
) -> None:
    gate.armed = (b"XADD", "after")
    assert await caller.request(0.3) == 0.3
    assert entries(raw, stream) == []


async def test_a_lost_read_is_done_again(caller: Asking, gate: Gate, raw: redis.Redis, stream: str) -> None:
    gate.armed = (b"XREAD", "after")
    assert await caller.request(0.3) == 0.3
    assert entries(raw, stream) == []


async def test_a_connection_that_died_between_two_calls_is_not_used(caller: Asking, gate: Gate) -> None:
    await caller.request(1)
    gate.cut()
    gate.open = True
    await asyncio.sleep(0.05)
    assert await caller.request(2) == 2


async def test_silence_does_not_hold_it_beyond_its_timeout(caller: Asking, gate: Gate) -> None:
    gate.armed = (b"XREAD", "silent")
    start = time.monotonic()
    assert await caller.request(0.2, timeout=1.0) == 0.2  # the last look, on another connection
    assert time.monotonic() - start < 2.0


@pytest.mark.parametrize(("word", "most"), [(b"XADD", 3.0), (b"XREAD", 6.4)])
async def test_silence_of_three_seconds_is_a_lost_connection(
    caller: Asking, gate: Gate, word: bytes, most: float
) -> None:
    start = time.monotonic()
    asked = asyncio.ensure_future(caller.request(1.0, timeout=20.0))
    if word == b"XREAD":
        # The first read is short: it ends when the group is looked up. The next one is as long as any.
        await asyncio.sleep(0.25)
    gate.armed = (word, "silent")
    assert await asked == 1.0
    # A read that blocks is due when its time is over. The rest is for a busy machine.
    assert 3.0 <= time.monotonic() - start < most + 1.3


@pytest.mark.parametrize("face", ["threads", "asyncio"])
async def test_a_server_that_is_not_there_is_told_in_time(face: str) -> None:
    caller = FACES[face].Caller("s", url="redis://127.0.0.1:1")
    start = time.monotonic()
    with pytest.raises(RequestFailed, match="is Redis running"):
        await Asking(Face(face, FACES[face]), caller).request(1, timeout=0.5)
    assert 0.5 <= time.monotonic() - start < 1.5


@pytest.mark.real("passwords")
@pytest.mark.parametrize("face", ["threads", "asyncio"])
async def test_a_wrong_password_is_told_at_once(face: str, url: str) -> None:
    caller = FACES[face].Caller("s", url=url.replace("redis://", "redis://nobody:wrong@"))
    start = time.monotonic()
    with pytest.raises(RequestFailed, match="WRONGPASS"):
        await Asking(Face(face, FACES[face]), caller).request(1, timeout=5.0)
    assert time.monotonic() - start < 2.0


@pytest.mark.real("rights")
async def test_four_commands_are_enough(caller: Asking, raw: redis.Redis, url: str) -> None:
    stream = caller.caller.stream
    raw.execute_command(  # type: ignore[no-untyped-call]
        "ACL", "SETUSER", "asker", "on", ">secret", "resetkeys", f"~{stream}", "-@all", "+xadd", "+xread", "+xrange", "+xdel"
    )  # fmt: skip
    try:
        other = caller.face.module.Caller(stream, url=url.replace("redis://", "redis://asker:secret@"))
        assert await caller.face.call(other.request, 1, "stock") == 1
        with pytest.raises(RequestTimeout) as caught:
            await caller.face.call(other.request, 1, "nobody", 0.8)
        assert type(caught.value) is RequestTimeout
        await caller.face.call(other.close)
    finally:
        raw.execute_command("ACL", "DELUSER", "asker")  # type: ignore[no-untyped-call]


async def test_without_a_stream_it_has_failed(caller: Asking, raw: redis.Redis) -> None:
    other = caller.face.module.Caller("a-stream-that-nobody-made")
    with pytest.raises(RequestFailed, match="no stream"):
        await caller.face.call(other.request, 1, "stock")
    assert raw.exists("a-stream-that-nobody-made") == 0
    await caller.face.call(other.close)


# several at once, given up, forked


async def test_several_calls_at_once_have_a_connection_each(caller: Asking, gate: Gate) -> None:
    seconds = [0.2, 0.21, 0.22, 0.23]
    assert await asyncio.gather(*map(caller.request, seconds)) == seconds
    assert gate.connections == 4


async def test_more_calls_than_max_outstanding_are_refused(caller: Asking) -> None:
    small = caller.face.module.Caller(caller.caller.stream, max_outstanding=2)
    calls = [asyncio.ensure_future(caller.face.call(small.request, 0.5, "stock")) for _ in range(3)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Overloaded", "float", "float"]
    assert any(isinstance(result, Overloaded) for result in results)
    assert await caller.face.call(small.request, 1, "stock") == 1
    await caller.face.call(small.close)


async def test_a_cancelled_task_deletes_its_request(stream: str, stock: Any, raw: redis.Redis) -> None:
    raw.xgroup_create(stream, "silent")
    async with redisipc.asyncio.Caller(stream) as caller:
        task = asyncio.create_task(caller.request(1, "silent", 20.0))
        await until(lambda: entries(raw, stream))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert entries(raw, stream) == []
        assert await caller.request(2, "stock") == 2


class Interrupted(BaseException):
    """The exception that a signal handler raises, as Ctrl-C does."""


def test_an_exception_of_a_signal_handler_deletes_the_request(stream: str, raw: redis.Redis) -> None:
    import signal

    def interrupt(_number: int, _frame: Any) -> None:
        raise Interrupted

    with redisipc.Stream(stream, "stock") as responder, redisipc.Caller(stream) as caller:
        responder.on_request(lambda request: request.content)
        raw.xgroup_create(stream, "silent")
        before = signal.signal(signal.SIGUSR1, interrupt)
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1))
        timer.start()
        try:
            with pytest.raises(Interrupted):
                caller.request(1, "silent", 20.0)
        finally:
            signal.signal(signal.SIGUSR1, before)
            timer.join()
        assert entries(raw, stream) == []
        assert caller.request(2, "stock") == 2


def test_it_works_in_the_next_event_loop(stream: str, raw: redis.Redis) -> None:
    with redisipc.Stream(stream, "stock") as responder:
        responder.on_request(lambda request: request.content)
        caller = redisipc.asyncio.Caller(stream)
        for n in range(3):
            assert asyncio.run(caller.request(n, "stock")) == n


BARE_LOOPS = """
import asyncio, gc, sys, time, warnings
import redis
from redisipc import Stream
from redisipc.asyncio import Caller

name, url = sys.argv[1:]
raw = redis.Redis.from_url(url)

def connections():
    for _ in range(100):
        found = sum(client["name"].startswith(f"redisipc:{name}:caller") for client in raw.client_list())
        if found == 0:
            break
        time.sleep(0.02)
    return found

async def several(caller):
    assert await asyncio.gather(*(caller.request(n, to="stock") for n in range(3))) == [0, 1, 2]

warnings.simplefilter("ignore")  # Python warns of what such a loop leaves open
with Stream(name, "stock", url=url) as stock:
    stock.on_request(lambda request: request.content)
    caller = Caller(name, url=url)
    for n in range(3):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(several(caller))
        loop.close()
    asyncio.run(caller.request(1, to="stock"))
    print(connections())
    loops = [asyncio.new_event_loop() for _ in range(2)]
    loops[0].run_until_complete(several(caller))
    loops[1].run_until_complete(caller.close())
    print(connections())
    loops[1].run_until_complete(several(caller))
    loops[1].close()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        del caller
        gc.collect()
    print(connections(), [str(one.message)[:60] for one in told if "Caller" in str(one.message)])
"""


@pytest.mark.real("other processes")
def test_an_event_loop_that_ends_without_a_word_leaves_no_connection_to_the_next(stream: str, url: str) -> None:
    done = subprocess.run([sys.executable, "-c", BARE_LOOPS, stream, url], capture_output=True, text=True, timeout=30)
    lost = f"<asyncio Caller {stream!r}> was dropped with open connections"
    assert done.stdout.splitlines() == ["0", "0", f"0 {[lost[:60]]}"], done.stderr


@pytest.mark.real("other processes")
def test_it_works_in_a_forked_child_and_in_its_parent(stream: str, raw: redis.Redis) -> None:
    with redisipc.Stream(stream, "stock") as responder, redisipc.Caller(stream) as caller:
        responder.on_request(lambda request: [request.content, request.instance_id])
        assert caller.request(0, "stock") == [0, caller.instance]
        parent = caller.instance
        read, write = os.pipe()
        with warnings.catch_warnings():
            # From Python 3.12 on a fork beside threads is warned of; it is what is tried here.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            try:
                content, instance = caller.request(1, "stock")
                os.write(write, b"fine" if content == 1 and instance not in (parent, None) else b"wrong")
            finally:
                os._exit(0)
        os.close(write)
        assert os.read(read, 10) == b"fine"
        os.close(read)
        os.waitpid(child, 0)
        assert caller.request(2, "stock") == [2, parent]


class OwnError(BaseException):
    """As a signal handler raises it."""


async def test_a_slot_that_an_interruption_lost_comes_back(
    face: Face, stream: str, stock: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception of a signal handler may come when a call has taken its slot, or before it gave it back."""
    caller = face.module.Caller(stream, url=url, max_outstanding=1)
    kind = type(caller)
    takes, ends = kind._take, kind._ended

    def take_and_raise(self: Any) -> Any:
        taken = takes(self)
        raise OwnError(len(taken))

    def raise_at_the_end(self: Any, call: Any) -> None:
        ends(self, call)
        raise OwnError

    for name, broken in (("_take", take_and_raise), ("_ended", raise_at_the_end)):
        with monkeypatch.context() as patched:
            patched.setattr(kind, name, broken)
            for _ in range(2):
                with pytest.raises(OwnError):
                    await face.call(caller.request, 1, to="stock")
                # The thread that made the call may hold its exception, and so the slot, for a moment longer.
                await until(lambda: caller._free)
        assert await face.call(caller.request, 2, to="stock") == 2
    await face.call(caller.close)
