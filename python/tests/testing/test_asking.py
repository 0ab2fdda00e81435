"""A hub reports what happened on it."""

from __future__ import annotations

import asyncio

import pytest

from redisipc import Reject, RequestTimeout
from redisipc.testing import Hub, journal

from ..runtime.faces import Face, Gate, until


async def test_a_request_is_listed_with_its_outcome(face: Face, hub: Hub) -> None:
    def handle(request: object) -> object:
        if request.content == "no":  # type: ignore[attr-defined]
            raise Reject({"code": 4})
        return [request.content]  # type: ignore[attr-defined]

    await face.connected("shop", "stock", handle, client=hub)
    web = await face.connected("shop", "web", client=hub)
    await face.call(web.send_to_group, {"sku": 1}, to="stock")
    await face.call(web.send_to_group, "no", to="stock")
    first, second = hub.requests
    assert (first.stream, first.source, first.to, first.content) == ("shop", "web", "stock", {"sku": 1})
    assert (first.outcome, first.answer, first.answers) == ("fulfilled", [{"sku": 1}], [("fulfilled", [{"sku": 1}])])
    assert (second.outcome, second.answer) == ("rejected", {"code": 4})
    assert [taker.partition("/")[0] for taker in first.takers] == ["stock"]
    assert first.answered_at is not None
    assert first.asked_at <= first.answered_at


async def test_a_listed_request_shows_what_becomes_of_it(face: Face, hub: Hub) -> None:
    gate = Gate()

    async def handle(request: object) -> int:
        await gate.wait()
        return 7

    await face.connected("shop", "stock", face.handler(handle), client=hub)
    web = await face.connected("shop", "web", client=hub)
    answer = web.submit(1, to="stock")
    await until(lambda: bool(hub.requests and hub.requests[0].takers))
    [asked] = hub.requests
    assert (asked.outcome, asked.answer, asked.answered_at) == ("waiting", None, None)
    gate.open()
    await face.outcome(answer)
    assert (asked.outcome, asked.answer) == ("fulfilled", 7)
    assert hub.requests == [asked]


async def test_notes_are_read_before_they_are_many(face: Face, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_UNREAD", 3)
    await face.connected("shop", "stock", lambda request: request.content, client=hub)
    web = await face.connected("shop", "web", client=hub)
    for number in range(9):
        await face.call(web.request, number, to="stock")
    assert [(asked.content, asked.outcome, len(asked.takers)) for asked in hub.requests] == [
        (number, "fulfilled", 1) for number in range(9)
    ]
    words = [line.split()[3] for line in hub.story().splitlines() if "[" in line]
    assert words == ["asks", "gets", "fulfils", "gets"] * 9


async def test_a_request_waits_until_it_is_given_up(face: Face, hub: Hub) -> None:
    gate = Gate()

    async def handle(request: object) -> None:
        await gate.wait()

    await face.connected("shop", "stock", face.handler(handle), client=hub)
    web = await face.connected("shop", "web", client=hub)
    asked = asyncio.ensure_future(face.call(web.request, 1, to="stock", timeout=0.3))
    await until(lambda: gate.reached)
    assert [one.outcome for one in hub.requests] == ["waiting"]
    with pytest.raises(RequestTimeout):
        await asked
    assert [one.outcome for one in hub.requests] == ["given up"]
    gate.open()


async def test_nothing_is_left_when_all_was_answered(face: Face, hub: Hub) -> None:
    await face.connected("shop", "stock", lambda request: 1, client=hub)
    web = await face.connected("shop", "web", client=hub)
    for _ in range(10):
        await face.call(web.request, 1, to="stock")
    await until(lambda: hub.residue() == [])
    await face.close()
    assert await asyncio.to_thread(hub.residue) == []


async def test_what_is_left_is_named(face: Face, hub: Hub) -> None:
    gate = Gate()

    async def handle(request: object) -> None:
        await gate.wait()

    stock = await face.connected("shop", "stock", face.handler(handle), client=hub)
    web = await face.connected("shop", "web", client=hub)
    asked = asyncio.ensure_future(face.call(web.send_to_group, {"sku": 1}, to="stock", timeout=3))
    await until(lambda: gate.reached)
    [line] = hub.residue(0)
    assert line.startswith("a request web -> stock {\"sku\":1} on stream 'shop', entry ")
    assert f"pending with stock (dispatcher_{stock.instance}_0)" in line
    gate.open()
    await asked


async def test_traces_of_an_instance_that_was_cut_off_are_left(hub: Hub) -> None:
    face = Face("threads", __import__("redisipc"))
    web = await face.connected("shop", "web", client=hub)
    instance = web.instance
    hub.server.up = False
    with hub.server.lock:
        hub.server.break_all("gone")
    await face.close()
    left = await asyncio.to_thread(hub.residue, 0)
    assert f"the consumer 'consumer_{instance}_0' of group 'web' on 'shop'" in left
    assert any(f"shop:web:{instance}:consumers" in line for line in left)


async def test_the_story_names_each_step(face: Face, hub: Hub) -> None:
    stock = await face.connected("shop", "stock", lambda request: 7, client=hub)
    web = await face.connected("shop", "web", client=hub)
    await face.call(web.request, {"sku": 1}, to="stock")
    [asked] = hub.requests
    number = asked.id[:6]
    steps = [line.split(" s  ", 1)[1].split("  ") for line in hub.story().splitlines()]
    assert [[part.strip() for part in step if part] for step in steps] == [
        [f"web/{web.instance}", f'asks stock: {{"sku":1}} [{number}]'],
        [f"stock/{stock.instance}", f"gets the request [{number}]"],
        [f"stock/{stock.instance}", f"fulfils [{number}]: 7"],
        [f"web/{web.instance}", f"gets the response [{number}]"],
    ]


async def test_a_caller_s_request_is_listed(face: Face, hub: Hub) -> None:
    await face.connected("shop", "stock", lambda request: 7, client=hub)
    caller = face.module.Caller("shop", client=hub)
    await face.call(caller.request, 1, to="stock")
    [asked] = hub.requests
    assert (asked.source, asked.outcome) == (f"caller:{caller.instance}", "fulfilled")
    await face.call(caller.close)
    await until(lambda: hub.residue() == [])
