"""Defects that chaos found in the shipped library, each cut down to what matters."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
import redis

from ..support_server import Server
from .faces import Face, until


async def test_a_connection_that_breaks_while_memory_is_short_comes_back(
    face: Face, server: Server, stream: str
) -> None:
    """Redis refuses to make the group, and has it already: what is there is not made again."""
    web = await face.connected(stream, "web", url=server.url)
    with redis.Redis.from_url(server.url) as raw:
        raw.config_set("maxmemory", 1)
        raw.client_kill_filter(_type="normal", skipme=True)
        await until(lambda: not web.connected)
        await until(lambda: web.connected, 3.0)
        raw.config_set("maxmemory", 0)


async def test_a_request_that_comes_again_by_a_rollback_is_told_as_redelivered(
    face: Face, stream: str, raw: redis.Redis
) -> None:
    """It is the same entry ID and the same id, in the process that ran it before."""
    seen: list[tuple[int, bool]] = []
    kept: list[Any] = []

    def handle(request: Any) -> int:
        kept.extend(raw.xrange(stream))
        seen.append((request.content, request.redelivered))
        return 1

    await face.connected(stream, "stock", handle)
    web = await face.connected(stream, "web")
    assert await face.call(web.request, 7, to="stock") == 1
    [(entry, fields)] = kept
    raw.delete(stream)
    raw.xadd(stream, fields, id=entry)
    await until(lambda: len(seen) == 2)
    assert seen == [(7, False), (7, True)]


@pytest.mark.real("thread of its own")
async def test_no_thread_while_it_reconnects_and_it_comes_back(
    stream: str, url: str, raw: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    from redisipc import Stream

    stock = Stream(stream, "stock", url=url)
    stock.on_request(lambda request: 7)
    web = Stream(stream, "web", url=url)
    start = threading.Thread.start
    refused: list[str] = []

    def refuse(thread: threading.Thread) -> None:
        refused.append(thread.name)
        raise RuntimeError("can't start new thread")

    with stock, web:
        assert web.request(1, to="stock", timeout=5) == 7
        monkeypatch.setattr(threading.Thread, "start", refuse)
        for client in raw.client_list():
            if f"redisipc:{stream}:" in client["name"] or f":{stock.instance}:" in client["name"]:
                raw.client_kill_filter(_id=client["id"])
        await asyncio.sleep(0.3)
        monkeypatch.setattr(threading.Thread, "start", start)
        assert refused
        await until(lambda: web.connected and stock.connected, 5.0)
        assert web.request(1, to="stock", timeout=5) == 7


@pytest.mark.real("thread of its own")
@pytest.mark.parametrize("what", ["handler", "callback"])
async def test_users_code_keeps_no_connection_waiting_where_no_thread_can_be_started(
    what: str, stream: str, url: str, raw: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that runs it in reserve is not the one that connects in reserve."""
    from redisipc import Stream

    begun, gate = threading.Event(), threading.Event()

    def hold(_: object) -> int:
        begun.set()
        gate.wait(20.0)
        return 7

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def connections() -> set[str]:
        return {client["id"] for client in raw.client_list() if f"redisipc:{stream}:" in client["name"]}

    with Stream(stream, "stock", url=url) as stock:
        if what == "handler":
            stock.on_request(hold)
        monkeypatch.setattr(threading.Thread, "start", refuse)
        try:
            if what == "handler":
                pending = stock.submit(1, to="stock", timeout=20)
            else:
                stock.submit(1, to="nobody", timeout=0.3).add_done_callback(hold)
            await until(begun.is_set, 5.0)
            before = connections()
            for client in before:
                raw.client_kill_filter(_id=client)
            await until(lambda: len(connections() - before) == len(before), 5.0)
        finally:
            gate.set()
        if what == "handler":
            assert pending.result(10.0) == 7


@pytest.mark.real("thread of its own")
async def test_a_thread_that_starts_slowly_keeps_neither_answers_nor_timeouts_waiting(
    stream: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine a start takes a second; here it takes until all else has ended."""
    from redisipc import RequestTimeout, Stream

    stock, web = Stream(stream, "stock", url=url), Stream(stream, "web", url=url)
    start, starting, release = threading.Thread.start, threading.Event(), threading.Event()
    stock.on_request(lambda request: request.content != "hold" or release.wait(20.0))
    web.on_request(lambda request: 8)

    def slow(thread: threading.Thread) -> None:
        starting.set()
        release.wait(20.0)
        start(thread)

    with stock, web:
        held = web.submit("hold", to="stock", timeout=20)
        assert stock.request(1, to="web", timeout=5) == 8
        monkeypatch.setattr(threading.Thread, "start", slow)
        try:
            # The only thread that stock has for handlers is taken: another one is to start.
            more = web.submit(2, to="stock", timeout=20)
            assert starting.wait(5.0)
            assert stock.request(3, to="web", timeout=5) == 8
            with pytest.raises(RequestTimeout) as late:
                stock.request(4, to="nobody", timeout=0.3)
            assert "too busy" not in str(late.value)
            assert not more.done()
        finally:
            release.set()
        assert more.result(10.0) is True
        assert held.result(10.0) is True
