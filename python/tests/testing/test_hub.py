"""The library over a hub: nothing but where it connects to differs from a Redis."""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
import threading
import warnings
from typing import Any

import pytest

import redisipc
import redisipc.asyncio
from redisipc import ConfigurationError, ConnectionLost, NoResponders, Reject, RequestTimeout, event
from redisipc.testing import Hub
from redisipc.testing.sockets import MemorySocket

from ..runtime.faces import FACES, Face, Gate, until


async def test_a_request_is_answered_over_a_hub(face: Face, hub: Hub) -> None:
    await face.connected("shop", "stock", lambda request: request.content + 1, client=hub)
    web = await face.connected("shop", "web", client=hub)
    assert [await face.call(web.request, number, to="stock") for number in range(20)] == list(range(1, 21))


async def test_the_environment_may_name_the_hub(face: Face, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", hub.url)
    await face.connected("shop", "stock", lambda request: "here")
    web = await face.connected("shop", "web")
    assert await face.call(web.request, 1, to="stock") == "here"


async def test_a_hub_is_made_by_the_url_that_first_names_it(face: Face) -> None:
    with Hub.named("first") as hub:
        await face.connected("shop", "stock", lambda request: "here", url="memory://first")
        web = await face.connected("shop", "web", client=hub)
        assert await face.call(web.request, 1, to="stock") == "here"
        assert hub.server.connections
        await face.close()
    assert Hub.named("first") is not hub
    Hub.named("first").close()


async def test_threads_and_asyncio_reach_each_other(hub: Hub) -> None:
    stock = redisipc.Stream("shop", "stock", client=hub)
    stock.on_request(lambda request: [request.content])
    await asyncio.to_thread(stock.connect)
    async with redisipc.asyncio.Stream("shop", "web", client=hub) as web:
        assert await web.request(1, to="stock") == [1]
    await asyncio.to_thread(stock.disconnect)


async def test_streams_do_not_hear_each_other(face: Face, hub: Hub) -> None:
    await face.connected("shop", "stock", lambda request: "shop", client=hub)
    await face.connected("bank", "stock", lambda request: "bank", client=hub)
    shop = await face.connected("shop", "web", client=hub)
    bank = await face.connected("bank", "web", client=hub)
    assert await face.call(shop.request, 1, to="stock") == "shop"
    assert await face.call(bank.request, 1, to="stock") == "bank"


async def test_hubs_do_not_hear_each_other(face: Face, hub: Hub) -> None:
    with Hub() as other:
        await face.connected("shop", "stock", lambda request: 1, client=other)
        web = await face.connected("shop", "web", client=hub)
        with pytest.raises(NoResponders):
            await face.call(web.request, 1, to="stock", timeout=3)
        await face.close()


@event("level", params=["sku"])
def level(self: Any) -> int:
    return int(self.params["sku"]) * 2


async def test_channels_work_over_a_hub(face: Face, hub: Hub) -> None:
    stock = type("Stock", (face.module.Channel,), {"stream": "shop", "channel": "stock", "level": level})
    face.made.append(stock)
    await face.call(stock.connect, client=hub)
    web = await face.connected("shop", "web", client=hub)
    content = {"event": "level", "params": {"sku": 4}}
    assert await face.call(web.request, content, to="stock") == 8


async def test_a_caller_asks_over_a_hub(face: Face, hub: Hub) -> None:
    await face.connected("shop", "stock", lambda request: request.content + 1, client=hub)
    caller = face.module.Caller("shop", client=hub)
    assert [await face.call(caller.request, number, to="stock") for number in range(5)] == [1, 2, 3, 4, 5]
    await face.call(caller.close)


async def test_a_caller_that_nobody_answers_ends_in_time(face: Face, hub: Hub) -> None:
    await face.connected("shop", "stock", lambda request: request.later(), client=hub)
    caller = face.module.Caller("shop", client=hub)
    with pytest.raises(RequestTimeout):
        await face.call(caller.request, 1, to="stock", timeout=0.2)
    await face.call(caller.close)


async def test_refusals_come_back(face: Face, hub: Hub) -> None:
    def handle(request: redisipc.Request) -> None:
        raise Reject({"code": "no such sku"})

    await face.connected("shop", "stock", handle, client=hub)
    web = await face.connected("shop", "web", client=hub)
    assert (await face.call(web.send_to_group, 1, to="stock")).reason == {"code": "no such sku"}


async def test_members_of_a_group_share_its_requests(face: Face, hub: Hub) -> None:
    gate = Gate()
    served: list[int] = []

    def member(number: int) -> object:
        async def handle(request: redisipc.Request) -> int:
            served.append(number)
            await gate.wait()
            return number

        return face.handler(handle)

    for number in (1, 2):
        await face.connected("shop", "stock", member(number), client=hub, concurrency=1)
    web = await face.connected("shop", "web", client=hub)
    asked = [asyncio.ensure_future(face.call(web.request, number, to="stock")) for number in range(2)]
    await until(lambda: sorted(served) == [1, 2])
    gate.open()
    assert sorted(await asyncio.gather(*asked)) == [1, 2]


async def test_a_hub_that_is_closed_is_a_redis_that_is_down(face: Face, hub: Hub) -> None:
    web = await face.connected("shop", "web", client=hub)
    hub.close()
    await until(lambda: not web.connected)
    with pytest.raises(ConnectionLost, match="the hub is down"):
        await face.call(face.stream("shop", "stock", client=hub, connect_timeout=0.3).connect)


async def test_two_hubs_of_one_name_are_refused(hub: Hub) -> None:
    with pytest.raises(ValueError, match="already"):
        Hub(hub.name)


@pytest.mark.parametrize("twin", FACES)
def test_nothing_is_left_when_all_have_left(hub: Hub, twin: str) -> None:
    before = set(threading.enumerate())
    numbers = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []

    async def exchange() -> None:
        face = Face(twin, FACES[twin])
        await face.connected("shop", "stock", lambda request: 1, client=hub)
        web = await face.connected("shop", "web", client=hub)
        await face.call(web.request, 1, to="stock")
        await face.close()
        await until(lambda: not hub.server.connections)

    asyncio.run(exchange())
    for thread in set(threading.enumerate()) - before:
        thread.join(3)
        assert not thread.is_alive(), thread
    if numbers:
        assert len(os.listdir("/proc/self/fd")) <= len(numbers)


def test_an_event_loop_that_ends_takes_its_connections_along(hub: Hub) -> None:
    home = asyncio.new_event_loop()
    web = redisipc.asyncio.Stream("shop", "web", client=hub)
    home.run_until_complete(web.connect())
    assert hub.server.connections
    home.close()
    with redisipc.Stream("shop", "stock", client=hub):
        assert {one.name.split(":")[2] for one in hub.server.connections.values()} == {"stock"}
    with warnings.catch_warnings():
        # It never was disconnected.
        warnings.simplefilter("ignore", ResourceWarning)
        del web


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_is_told_that_it_has_no_hub(hub: Hub) -> None:
    # In a process of its own: this one has threads.
    program = """
import os, redisipc, sys
from redisipc.testing import Hub
from redisipc.testing.sockets import MemorySocket
hub = Hub()
child = os.fork()
if child == 0:
    try:
        redisipc.Stream("shop", "web", client=hub, connect_timeout=0.2).connect()
    except redisipc.ConnectionLost as error:
        os._exit(0 if "in the memory of the process that made it" in str(error) else 1)
    os._exit(2)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", program], timeout=30, check=False).returncode == 0


def test_an_end_that_comes_while_data_is_read_still_rings(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = MemorySocket(hub.server, "one")
    silence = socket._bell.silence

    def ends_meanwhile() -> None:
        hub.server.break_all("cut")
        silence()

    socket.send(b"*1\r\n$4\r\nPING\r\n")
    monkeypatch.setattr(socket._bell, "silence", ends_meanwhile)
    assert socket.recv(100) == b"+PONG\r\n"
    monkeypatch.undo()
    socket.settimeout(1.0)
    assert select.select([socket.fileno()], [], [], 0)[0]
    assert socket.recv(100) == b""
    socket.close()


async def test_an_option_that_redis_py_does_not_know_is_a_mistake_over_a_hub_too(face: Face, hub: Hub) -> None:
    web = face.stream("shop", "web", url=hub.url)
    with pytest.raises(ConfigurationError, match="hots"):
        await face.call(web.connect, redis_options={"hots": "x"})
    await face.call(web.connect, redis_options={"socket_timeout": 1})
