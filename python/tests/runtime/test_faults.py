"""Redis goes away, comes back, forgets, refuses: both faces recover by themselves."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
import redis

from redisipc import ConnectionLost

from ..support_server import Server
from .faces import Face, until


@pytest.fixture
def stream() -> str:
    return "faults"


class Pair:
    """A requester and a responder on a server of the test's own."""

    def __init__(self, face: Face, server: Server) -> None:
        self.face, self.server = face, server
        self.errors: list[Any] = []

    async def start(self, **options: Any) -> Pair:
        self.stock = await self.face.connected(
            "faults", "stock", lambda request: request.content, url=self.server.url, **options
        )
        self.web = self.face.stream("faults", "web", url=self.server.url, **options)
        self.web.on_error(self.errors.append)
        await self.face.call(self.web.connect)
        await self.works()
        return self

    async def works(self, limit: float = 10.0) -> None:
        """Requests are answered again, after some tries at most."""
        end = time.monotonic() + limit
        while True:
            response = await self.face.call(self.web.send_to_group, [1], to="stock", timeout=0.5)
            if response.fulfilled:
                return
            assert time.monotonic() < end, response

    def raw(self) -> redis.Redis:
        return redis.Redis.from_url(self.server.url)


@pytest.fixture
async def pair(face: Face, server: Server) -> Pair:
    return await Pair(face, server).start()


async def test_killed_and_started_empty_it_works_again(pair: Pair) -> None:
    pair.server.kill()
    await until(lambda: not pair.web.connected)
    await asyncio.sleep(0.5)
    pair.server.start()
    await until(lambda: pair.web.connected and pair.stock.connected)
    await pair.works()


async def test_a_loss_is_told_once(pair: Pair) -> None:
    pair.server.kill()
    await until(lambda: not pair.web.connected)
    await asyncio.sleep(1.0)
    assert [type(error) for error in pair.errors] == [ConnectionLost]
    pair.server.start()
    await until(lambda: pair.web.connected)
    assert len(pair.errors) == 1


async def test_what_is_sent_while_redis_is_away_ends_in_time(pair: Pair) -> None:
    pair.server.kill()
    await until(lambda: not pair.web.connected)
    start = time.monotonic()
    response = await pair.face.call(pair.web.send_to_group, 1, to="stock", timeout=0.5)
    assert response.timed_out
    assert "no working connection to Redis" in str(response.reason)
    assert time.monotonic() - start < 1.5


async def test_what_is_sent_while_redis_is_away_is_answered_when_it_is_back_in_time(pair: Pair) -> None:
    pair.server.kill()
    await until(lambda: not pair.web.connected and not pair.stock.connected)
    future = pair.web.submit("late", to="stock", timeout=9)
    await asyncio.sleep(0.3)
    pair.server.start()
    assert await pair.face.outcome(future) == "late"


async def test_a_frozen_redis_does_not_hold_anybody(pair: Pair) -> None:
    pair.server.pause(True)
    start = time.monotonic()
    response = await pair.face.call(pair.web.send_to_group, 1, to="stock", timeout=0.5)
    assert response.timed_out
    assert time.monotonic() - start < 1.5
    pair.server.pause(False)
    await pair.works()


async def test_cut_connections_are_opened_again(pair: Pair) -> None:
    with pair.raw() as raw:
        for _ in range(5):
            for client in raw.client_list():
                if client["name"].startswith("redisipc:"):
                    raw.client_kill_filter(_id=client["id"])
            await pair.works()


async def test_flushall_is_recovered_from(pair: Pair) -> None:
    with pair.raw() as raw:
        raw.flushall()
        await pair.works()
        keys = {key.decode() for key in raw.scan_iter("faults:*:consumers")}
    assert f"faults:web:{pair.web.instance}:consumers" in keys


async def test_a_destroyed_group_is_made_again(pair: Pair) -> None:
    with pair.raw() as raw:
        raw.xgroup_destroy("faults", "stock")
        await pair.works()


async def test_out_of_memory_is_waited_for(pair: Pair) -> None:
    with pair.raw() as raw:
        raw.config_set("maxmemory", "1")
        future = pair.web.submit("kept", to="stock", timeout=9)
        await asyncio.sleep(0.6)
        assert not future.done()
        raw.config_set("maxmemory", "0")
        assert await pair.face.outcome(future) == "kept"


async def test_without_the_right_to_listen_it_works_without_wake_ups(face: Face, server: Server) -> None:
    with redis.Redis.from_url(server.url) as raw:
        raw.acl_setuser("ipc", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all"], channels=[], reset=True)
    url = server.url.replace("redis://", "redis://ipc:pw@")
    stock = await face.connected("faults", "stock", lambda request: request.content, url=url)
    web = await face.connected("faults", "web", url=url)
    assert await face.call(web.request, 1, to="stock") == 1
    assert stock.connected


async def test_a_wrong_password_is_told(face: Face, server: Server) -> None:
    with redis.Redis.from_url(server.url) as raw:
        raw.config_set("requirepass", "secret")
    web = face.stream("faults", "web", url=server.url, connect_timeout=0.5)
    with pytest.raises(ConnectionLost, match=r"(?i)auth"):
        await face.call(web.connect)


async def test_a_wrong_password_is_refused_at_once(face: Face, server: Server) -> None:
    url = server.url.replace("redis://", "redis://nobody:nothing@")
    web = face.stream("faults", "web", url=url, connect_timeout=30)
    with pytest.raises(ConnectionLost, match=r"refuses this endpoint: WRONGPASS .*the password in the URL"):
        await asyncio.wait_for(face.call(web.connect), 5)


async def test_a_database_that_is_none_is_refused_at_once(face: Face, server: Server) -> None:
    web = face.stream("faults", "web", url=server.url.removesuffix("/0") + "/99", connect_timeout=30)
    with pytest.raises(ConnectionLost, match="database number in the URL"):
        await asyncio.wait_for(face.call(web.connect), 5)


async def test_a_password_that_is_changed_is_told_beside_the_loss(face: Face, server: Server) -> None:
    with redis.Redis.from_url(server.url) as raw:
        raw.acl_setuser("ipc", enabled=True, passwords=["+old"], keys=["*"], channels=["*"], commands=["+@all"])
        errors: list[Any] = []
        web = face.stream("faults", "web", url=server.url.replace("redis://", "redis://ipc:old@"))
        web.on_error(errors.append)
        await face.call(web.connect)
        raw.execute_command("ACL SETUSER", "ipc", "<old", ">new")
        raw.client_kill_filter(user="ipc")
        await until(lambda: any("WRONGPASS" in str(error) for error in errors))
        told = len(errors)
        assert "check the user and the password" in str(errors[-1])
        # It continues to try, says no more, and is there again when the password is.
        await asyncio.sleep(1.0)
        assert len(errors) == told
        raw.execute_command("ACL SETUSER", "ipc", ">old")
        await until(lambda: web.connected, 15)


async def test_that_redis_is_full_is_told(pair: Pair) -> None:
    with pair.raw() as raw:
        raw.config_set("maxmemory", "1")
        response = await pair.face.call(pair.web.send_to_group, 1, to="stock", timeout=0.7)
        assert response.timed_out
        assert "Redis refused to store it: OOM" in str(response.reason)
        await until(lambda: pair.errors)
        raw.config_set("maxmemory", "0")
    assert ["Redis has no memory left" in str(error) for error in pair.errors] == [True]
    await pair.works()


async def test_closing_while_redis_is_away_does_not_wait(pair: Pair) -> None:
    pair.server.kill()
    await until(lambda: not pair.web.connected)
    start = time.monotonic()
    await pair.face.call(pair.web.disconnect)
    assert time.monotonic() - start < 1
