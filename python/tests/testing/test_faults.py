"""The faults by name, and that the library comes through them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from redisipc import ConfigurationError, ConnectionLost, RequestFailed, RequestTimeout
from redisipc.testing import Hub

from ..runtime.faces import Face, Gate, until


async def pair(face: Face, hub: Hub, handler: Any = lambda request: request.content) -> tuple[Any, Any]:
    stock = face.stream("shop", "stock", handler, client=hub)
    stock.on_error(lambda error: None)
    await face.call(stock.connect)
    web = face.stream("shop", "web", client=hub)
    web.on_error(lambda error: None)
    await face.call(web.connect)
    return stock, web


async def test_after_a_crash_all_goes_on(face: Face, hub: Hub) -> None:
    stock, web = await pair(face, hub)
    with hub.down():
        await until(lambda: not web.connected and not stock.connected)
        asked = asyncio.ensure_future(face.call(web.request, 1, to="stock"))
    assert await asked == 1


async def test_after_a_crash_that_lost_all_data_it_goes_on(face: Face, hub: Hub) -> None:
    stock, web = await pair(face, hub)
    with hub.down(empty=True):
        await until(lambda: not web.connected and not stock.connected)
    await until(lambda: web.connected and stock.connected)
    assert await face.call(web.request, 1, to="stock") == 1


async def test_a_flush_is_survived(face: Face, hub: Hub) -> None:
    _, web = await pair(face, hub)
    hub.flush()

    async def answered() -> bool:
        response = await face.call(web.send_to_group, 1, to="stock", timeout=1)
        return bool(response.fulfilled)

    for _ in range(10):
        if await answered():
            break
    else:
        pytest.fail("no request was answered any more")


async def test_a_failover_loses_what_was_written_meanwhile(face: Face, hub: Hub) -> None:
    gate = Gate()

    async def handle(request: Any) -> int:
        await gate.wait()
        return 1

    _, web = await pair(face, hub, face.handler(handle))
    with hub.fail_over():
        asked = asyncio.ensure_future(face.call(web.send_to_group, 1, to="stock", timeout=0.5))
        await until(lambda: gate.reached)
    gate.open()
    assert not (await asked).fulfilled
    assert "fails over to a replica that lags behind" in hub.story()
    assert await face.call(web.request, 1, to="stock") == 1


async def test_a_redis_that_stands_still_answers_later(face: Face, hub: Hub) -> None:
    _, web = await pair(face, hub)
    with hub.pause():
        asked = asyncio.ensure_future(face.call(web.request, 1, to="stock"))
        await asyncio.sleep(0.05)
        assert not asked.done()
        assert hub.requests == []
    assert await asked == 1


async def test_without_memory_a_request_fails_and_says_why(face: Face, hub: Hub) -> None:
    _, web = await pair(face, hub)
    with hub.out_of_memory(), pytest.raises((RequestFailed, RequestTimeout), match="OOM"):
        await face.call(web.request, 1, to="stock", timeout=0.3)
    assert await face.call(web.request, 1, to="stock") == 1


async def test_without_writes_a_request_fails_and_says_why(face: Face, hub: Hub) -> None:
    _, web = await pair(face, hub)
    with hub.no_writes(), pytest.raises((RequestFailed, RequestTimeout), match="NOREPLICAS"):
        await face.call(web.request, 1, to="stock", timeout=0.3)
    await until(lambda: web.connected)
    assert await face.call(web.request, 1, to="stock") == 1


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_answer_is_written_once_whenever_its_connection_breaks(face: Face, hub: Hub, when: str) -> None:
    runs: list[int] = []

    def handle(request: Any) -> int:
        runs.append(request.content)
        return 7

    _, web = await pair(face, hub, handle)
    getattr(hub, f"cut_{when}")("XADD", group="stock")
    assert await face.call(web.request, 1, to="stock") == 7
    assert runs == [1]
    assert len(hub.requests[0].answers) == 1
    assert f"is cut off {when} its XADD" in hub.story()


def readers(hub: Hub, before: set[int]) -> set[str]:
    """The groups that read over connections which were made since."""
    with hub.server.lock:
        return {
            one.group
            for number, one in hub.server.connections.items()
            if number not in before and one.name.endswith(":read")
        }


async def test_all_connections_may_be_cut_at_any_time(face: Face, hub: Hub) -> None:
    _, web = await pair(face, hub)
    for group, cut in (("web", {"web"}), (None, {"stock", "web"})):
        before = set(hub.server.connections)
        assert hub.cut(group) >= 2
        await until(lambda before=before, cut=cut: readers(hub, before) == cut)
        assert await face.call(web.request, 1, to="stock") == 1


def test_a_group_that_was_never_here_cannot_be_cut(hub: Hub) -> None:
    hub.peer("stock", stream="shop")
    with pytest.raises(ConfigurationError, match="group 'stok' was never here; here are stock"):
        hub.cut("stok")


def test_a_fault_that_did_not_strike_is_named(hub: Hub) -> None:
    hub.cut_before("XADD", "stok")
    assert hub.unstruck() == ["cut_before('XADD', 'stok') did not strike: no such command came"]
    hub.mend()
    assert hub.unstruck() == []


async def test_who_was_killed_cannot_connect_before_it_is_mended(face: Face, hub: Hub) -> None:
    stock, _ = await pair(face, hub)
    hub.kill("stock")
    await until(lambda: not stock.connected)
    hub.mend()
    await until(lambda: stock.connected)


async def test_a_hub_that_is_down_refuses_who_comes_new(face: Face, hub: Hub) -> None:
    with hub.down(), pytest.raises(ConnectionLost, match="the hub is down"):
        await face.connected("shop", "web", client=hub, connect_timeout=0.2)


async def test_in_the_worst_case_a_handler_runs_twice_and_the_requester_gets_one_answer(face: Face, hub: Hub) -> None:
    runs: list[str] = []

    def handle(request: Any) -> int:
        runs.append(request.id)
        return int(request.content) * 2

    stock, web = await pair(face, hub, handle)
    with hub.worst_case():
        assert await face.call(web.request, 4, to="stock") == 8
        await until(lambda: len(runs) == 2)
        assert len(set(runs)) == 1
        await until(lambda: hub.residue(0) == [])
    assert "is cut off after it wrote" in hub.story()
    assert "is cut off after it read" in hub.story()
    names = {one.group for one in hub.server.connections.values()}
    assert names == {"stock", "web"}
    assert await face.call(web.request, 5, to="stock") == 10
    assert len(runs) == 3
    assert stock.connected
