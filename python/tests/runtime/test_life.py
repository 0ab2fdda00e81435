"""Connecting, leaving, and what misuse is answered with, the same on both faces."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import redis.asyncio

import redisipc.runtime.asyncio.host
import redisipc.runtime.threads.host
from redisipc import (
    AlreadyConnected,
    ClosedError,
    ConfigurationError,
    ConnectionLost,
    NotConnected,
    Options,
    Overloaded,
    RedisIPCError,
)

from ..support_server import Server
from .faces import Face, Gate, until


async def test_connected_says_whether_it_is(face: Face, stream: str) -> None:
    web = face.stream(stream, "web")
    assert not web.connected
    assert web.instance is None
    assert await face.call(web.connect) is web
    assert web.connected
    assert len(web.instance) == 6
    await face.call(web.disconnect)
    assert not web.connected
    assert "not connected" in repr(web)


async def test_it_can_be_found_once_connect_returned(face: Face, stream: str, raw: redis.Redis) -> None:
    web = await face.connected(stream, "web")
    key = f"{stream}:web:{web.instance}:consumers"
    assert raw.lrange(key, 0, -1) == [f"consumer_{web.instance}_0".encode()]
    assert 0 < raw.ttl(key) <= 100


async def test_connect_does_not_succeed_before_it_reads(
    face: Face, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RIPC-LIFE-3."""
    for host in (redisipc.runtime.threads.host.Host, redisipc.runtime.asyncio.host.Host):

        def open_all_but_one(self: Any, connection: Any, attempt: int, opens: Any = host.open) -> None:
            if connection.name != "read":
                opens(self, connection, attempt)

        monkeypatch.setattr(host, "open", open_all_but_one)
    web = face.stream(stream, "web", connect_timeout=0.5)
    with pytest.raises(ConnectionLost):
        await face.call(web.connect)
    assert not web.connected


async def test_after_leaving_nothing_of_it_is_left_but_the_group(face: Face, stream: str, raw: redis.Redis) -> None:
    web = await face.connected(stream, "web")
    await face.call(web.disconnect)
    assert list(raw.scan_iter(f"{stream}:*")) == []
    assert raw.xinfo_consumers(stream, "web") == []
    assert [group["name"] for group in raw.xinfo_groups(stream)] == [b"web"]


async def test_it_can_connect_again(face: Face, stream: str) -> None:
    await face.connected(stream, "stock", lambda request: 1)
    web = await face.connected(stream, "web")
    first = web.instance
    await face.call(web.disconnect)
    await face.call(web.disconnect)
    await face.call(web.connect)
    assert web.instance != first
    assert await face.call(web.request, 1, to="stock") == 1


async def test_as_a_context_manager_it_is_connected_inside(face: Face, stream: str) -> None:
    web = face.stream(stream, "web")
    if face.name == "threads":
        with web as inside:
            assert inside is web
            assert web.connected
    else:
        async with web as inside:
            assert inside is web
            assert web.connected
    assert not web.connected


async def test_leaving_waits_for_handlers(face: Face, stream: str) -> None:
    gate = Gate()

    async def handle(request: Any) -> str:
        await gate.wait()
        return "done"

    stock = await face.connected(stream, "stock", face.handler(handle))
    web = await face.connected(stream, "web")
    future = web.submit(1, to="stock")
    await until(lambda: gate.reached)
    leaving = asyncio.ensure_future(face.call(stock.disconnect, 5))
    await asyncio.sleep(0.1)
    assert not leaving.done()
    gate.open()
    await leaving
    assert await face.outcome(future) == "done"


async def test_leaving_gives_back_what_was_not_started(face: Face, stream: str) -> None:
    gate = Gate()

    async def handle(request: Any) -> str:
        await gate.wait()
        return "first"

    stock = await face.connected(stream, "stock", face.handler(handle), concurrency=1)
    web = await face.connected(stream, "web")
    futures = [web.submit(n, to="stock") for n in range(3)]
    await until(lambda: gate.reached)
    await asyncio.sleep(0.05)
    await face.connected(stream, "stock", lambda request: "second")
    leaving = asyncio.ensure_future(face.call(stock.disconnect, 5))
    assert [await face.outcome(future) for future in futures[1:]] == ["second", "second"]
    gate.open()
    assert await face.outcome(futures[0]) == "first"
    await leaving


async def test_leaving_within_a_handler_does_not_wait_for_it(face: Face, stream: str) -> None:
    stock = face.stream(stream, "stock")

    async def handle(request: Any) -> str:
        if face.name == "threads":
            stock.disconnect()
        else:
            await stock.disconnect()
        return "bye"

    # A plain function for threads: the call must come from the handler's own thread.
    stock.on_request(face.handler(handle))
    await face.call(stock.connect)
    web = await face.connected(stream, "web")
    assert await face.call(web.request, 1, to="stock") == "bye"
    await until(lambda: not stock.connected and "not connected" in repr(stock))


async def test_several_may_leave_at_once(face: Face, stream: str) -> None:
    """A view, a signal and the end of a block: each call returns when it has left."""
    for _ in range(5):
        web = await face.connected(stream, "web")
        if face.name == "threads":
            # Not asyncio's threads: one that hangs would keep the test from failing.
            callers = [threading.Thread(target=web.disconnect, args=(0.5,), daemon=True) for _ in range(4)]
            for caller in callers:
                caller.start()
            await until(lambda callers=callers: not any(caller.is_alive() for caller in callers))
        else:
            await asyncio.wait_for(asyncio.gather(*(web.disconnect(0.5) for _ in range(4))), 5)
        assert not web.connected


async def test_leaving_while_another_connects(face: Face, stream: str, server: Server) -> None:
    server.pause(True)
    try:
        web = face.stream(stream, "web", url=server.url)
        connecting = asyncio.create_task(face.call(web.connect))
        await until(lambda: "joining" in repr(web))
        await face.call(web.disconnect)
        with pytest.raises(ClosedError, match="while it connected"):
            await connecting
    finally:
        server.pause(False)


@pytest.mark.parametrize("grace", [-1, float("nan"), float("inf"), "1", True, 10**400])
async def test_a_time_to_leave_that_is_none_is_refused_and_changes_nothing(face: Face, stream: str, grace: Any) -> None:
    web = await face.connected(stream, "web", lambda request: request.content)
    with pytest.raises(ConfigurationError, match="number of seconds"):
        await face.call(web.disconnect, grace)
    with pytest.raises(ConfigurationError, match="close_timeout"):
        face.stream(stream, "web", close_timeout=grace)
    assert await face.call(web.request, 1, to="web") == 1
    await asyncio.wait_for(face.call(web.disconnect), 5)


async def test_state_changes_are_logged_once(face: Face, stream: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "redisipc"):
        web = await face.connected(stream, "web")
        instance = web.instance
        await face.call(web.disconnect)
        await until(lambda: len(caplog.records) == 2)
    assert [record.getMessage() for record in caplog.records] == [
        f"<{stream}:web:{instance}> connected",
        f"<{stream}:web:{instance}> disconnected",
    ]
    assert caplog.records[0].redisipc_group == "web"  # type: ignore[attr-defined]


async def test_a_logger_of_the_users_own_is_used(face: Face, stream: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        web = face.stream(stream, "web")
        await face.call(web.connect, logger=logging.getLogger("mine"))
        await face.call(web.disconnect)
        await until(lambda: len(caplog.records) == 2)
    assert {record.name for record in caplog.records} == {"mine"}


async def test_trouble_is_logged_where_nobody_takes_it(
    face: Face, stream: str, raw: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    await face.connected(stream, "stock", lambda request: 1 / 0)
    web = await face.connected(stream, "web")
    with caplog.at_level(logging.ERROR, "redisipc"):
        assert (await face.call(web.send_to_group, {"secret": 1}, to="stock")).code == "handler_failed"
        await until(lambda: caplog.records)
    [record] = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    assert "raised ZeroDivisionError: division by zero" in record.getMessage()
    assert "secret" not in record.getMessage()


class TestWhereRedisIs:
    async def test_by_url(self, face: Face, stream: str, url: str) -> None:
        web = face.module.Stream.from_url(url, stream, "web", timeout=1.5)
        face.made.append(web)
        await face.call(web.connect)
        assert web.options.timeout == 1.5

    async def test_by_client(self, face: Face, stream: str, url: str) -> None:
        kind = redis.Redis if face.name == "threads" else redis.asyncio.Redis
        client = kind.from_url(url, decode_responses=True, protocol=3, socket_timeout=0.5, health_check_interval=1)
        await face.connected(stream, "stock", lambda request: request.content, client=client)
        web = await face.connected(stream, "web", client=client)
        assert await face.call(web.request, "a", to="stock") == "a"

    async def test_a_socket_timeout_of_the_client_does_not_break_the_blocking_read(
        self, face: Face, stream: str, url: str
    ) -> None:
        errors: list[Any] = []
        web = face.stream(stream, "web", url=f"{url}?socket_timeout=0.1")
        web.on_error(errors.append)
        await face.call(web.connect)
        await asyncio.sleep(0.5)
        assert web.connected
        assert not errors

    async def test_by_redis_options_as_in_the_gem(self, face: Face, stream: str, url: str) -> None:
        web = face.stream(stream, "web")
        await face.call(web.connect, redis_options={"url": url, "client_name": "x"}, ledger={"entry_timeout": 2})
        assert web.options.timeout == 2

    async def test_by_host_and_port(self, face: Face, stream: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
        given = urlsplit(url)
        web = face.stream(stream, "web", lambda request: request.content)
        await face.call(web.connect, redis_options={"host": given.hostname, "port": given.port})
        assert await face.call(web.request, 1, to="web") == 1

    async def test_redis_options_go_before_the_url(self, face: Face, stream: str, url: str) -> None:
        web = face.stream(stream, "web")
        await face.call(web.connect, url=url, redis_options={"db": 1})
        with redis.Redis.from_url(url.removesuffix("/0") + "/1", protocol=2) as other:
            assert other.exists(stream)
            await face.call(web.disconnect)
            other.delete(stream)

    async def test_two_addresses_are_refused(self, face: Face, stream: str, url: str) -> None:
        with pytest.raises(ConfigurationError, match="a url, or host in redis_options, not both"):
            await face.call(face.stream(stream, "web", url=url).connect, redis_options={"host": "x"})

    @pytest.mark.parametrize("options", [{"hots": "x"}, {"host": "x", "hots": "y"}])
    async def test_redis_options_that_nobody_knows_are_refused(self, face: Face, stream: str, options: Any) -> None:
        with pytest.raises(ConfigurationError, match="hots"):
            await face.call(face.stream(stream, "web").connect, redis_options=options)

    async def test_a_client_of_the_other_face_is_refused(self, face: Face, stream: str, url: str) -> None:
        kind = redis.asyncio.Redis if face.name == "threads" else redis.Redis
        web = face.stream(stream, "web", client=kind.from_url(url))
        with pytest.raises(ConfigurationError, match="client must be"):
            await face.call(web.connect)

    async def test_a_sentinel_itself_is_refused_with_a_hint(self, face: Face, stream: str) -> None:
        sentinel = redis.sentinel.Sentinel([("127.0.0.1", 1)])
        with pytest.raises(ConfigurationError, match="master_for"):
            await face.call(face.stream(stream, "web", client=sentinel).connect)

    async def test_url_and_client_together_are_refused(self, face: Face, stream: str, url: str) -> None:
        web = face.stream(stream, "web", url=url, client=redis.Redis.from_url(url))
        with pytest.raises(ConfigurationError, match="not both"):
            await face.call(web.connect)

    async def test_a_url_that_is_none_is_refused(self, face: Face, stream: str) -> None:
        with pytest.raises(ConfigurationError, match="url= cannot be used"):
            await face.call(face.stream(stream, "web", url="localhost:6379").connect)

    async def test_nobody_there(self, face: Face, stream: str) -> None:
        web = face.stream(stream, "web", url="redis://127.0.0.1:1", connect_timeout=0.4)
        start = time.monotonic()
        with pytest.raises(ConnectionLost, match=r"within 0\.4 s.*127.0.0.1:1.*REDIS_URL") as caught:
            await face.call(web.connect)
        assert isinstance(caught.value, ConnectionError)
        assert 0.3 < time.monotonic() - start < 2
        assert not web.connected

    async def test_what_only_the_user_can_mend_is_told_at_once(self, face: Face, stream: str, raw: redis.Redis) -> None:
        raw.set(stream, "no stream")
        web = face.stream(stream, "web", connect_timeout=10)
        start = time.monotonic()
        with pytest.raises(ConnectionLost, match=r"WRONGTYPE.*choose another name"):
            await face.call(web.connect)
        assert time.monotonic() - start < 2


class TestMisuse:
    async def test_before_connect(self, face: Face, stream: str) -> None:
        web = face.stream(stream, "web")
        with pytest.raises(NotConnected, match="call connect"):
            await face.call(web.request, 1, to="stock")
        with pytest.raises(NotConnected):
            web.submit(1, to="stock")

    async def test_connected_twice(self, face: Face, stream: str) -> None:
        web = await face.connected(stream, "web")
        with pytest.raises(AlreadyConnected, match="disconnect"):
            await face.call(web.connect)
        assert web.connected

    @pytest.mark.parametrize("name", ["", " \t"])
    async def test_blank_names(self, face: Face, stream: str, name: str) -> None:
        with pytest.raises(ConfigurationError, match="group must not be blank"):
            face.module.Stream("s", name)
        with pytest.raises(ConfigurationError, match="stream must not be blank"):
            face.module.Stream(name, "g")
        web = await face.connected(stream, "web")
        with pytest.raises(ConfigurationError, match="blank"):
            await face.call(web.request, 1, to=name)

    @pytest.mark.parametrize("timeout", [0, -1, math.inf, math.nan, "1", True])
    async def test_timeouts_that_are_none(self, face: Face, stream: str, timeout: Any) -> None:
        web = await face.connected(stream, "web")
        with pytest.raises(ConfigurationError, match="timeout"):
            await face.call(web.send_to_group, 1, to="stock", timeout=timeout)
        assert web.outstanding == 0

    async def test_unknown_options(self, face: Face, stream: str) -> None:
        with pytest.raises(ConfigurationError, match="did you mean 'concurrency'"):
            face.module.Stream("s", "g", concurency=3)

    async def test_handlers_that_are_none(self, face: Face) -> None:
        web = face.module.Stream("s", "g")
        with pytest.raises(ConfigurationError, match="function"):
            web.on_request(7)
        with pytest.raises(ConfigurationError, match="function"):
            web.on_error(None)

    async def test_more_than_may_be_outstanding(self, face: Face, stream: str) -> None:
        web = await face.connected(stream, "web", max_outstanding=2)
        for _ in range(2):
            web.submit(1, to="nobody").cancel()
        futures = [web.submit(1, to="nobody") for _ in range(2)]
        with pytest.raises(Overloaded, match="with 2 outstanding"):
            web.submit(1, to="nobody")
        for future in futures:
            future.cancel()

    async def test_all_errors_have_one_base(self) -> None:
        for kind in (NotConnected, AlreadyConnected, ConfigurationError, ConnectionLost, Overloaded):
            assert issubclass(kind, RedisIPCError)

    async def test_options_are_frozen_and_shared(self, face: Face, stream: str) -> None:
        options = Options(timeout=2.0, concurrency=3)
        web = face.module.Stream("s", "g", options=options, concurrency=5)
        assert (web.options.timeout, web.options.concurrency, options.concurrency) == (2.0, 5, 3)
