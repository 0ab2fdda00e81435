"""The other side, played by the test."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from redisipc import HandlerFailed, Reject, Rejected, RequestTimeout
from redisipc.testing import Hub

from ..runtime.faces import Face, until

KINDS = ["peer", "gem"]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_it_answers_with_what_it_was_told(face: Face, hub: Hub, kind: str) -> None:
    child = getattr(hub, kind)("child").answers({"level": 7})
    web = await face.connected("shop", "web", client=hub)
    assert await face.call(web.request, {"sku": 1}, to="child") == {"level": 7}
    assert child.requests == [{"sku": 1}]
    child.leave()
    await until(lambda: kind == "gem" or hub.residue() == [])


async def test_it_answers_with_what_a_function_returns(face: Face, hub: Hub, kind: str) -> None:
    web = await face.connected("shop", "web", client=hub)
    getattr(hub, kind)("child").answers(lambda content: content * 2)
    assert [await face.call(web.request, number, to="child") for number in range(10)] == list(range(0, 20, 2))


async def test_it_rejects(face: Face, hub: Hub, kind: str) -> None:
    getattr(hub, kind)("child").rejects({"code": "no_such_sku"})
    web = await face.connected("shop", "web", client=hub)
    with pytest.raises(Rejected) as caught:
        await face.call(web.request, 1, to="child")
    assert caught.value.content == {"code": "no_such_sku"}


async def test_it_never_answers(face: Face, hub: Hub, kind: str) -> None:
    getattr(hub, kind)("child").never()
    web = await face.connected("shop", "web", client=hub)
    with pytest.raises(RequestTimeout):
        await face.call(web.request, 1, to="child", timeout=0.2)
    await until(lambda: hub.residue() == [])


async def test_it_takes_its_time(face: Face, hub: Hub, kind: str) -> None:
    getattr(hub, kind)("child").answers(7, after=0.1)
    web = await face.connected("shop", "web", client=hub)
    start = time.monotonic()
    assert await face.call(web.request, 1, to="child") == 7
    assert time.monotonic() - start >= 0.1


async def test_what_is_said_last_counts_and_an_event_counts_alone(face: Face, hub: Hub, kind: str) -> None:
    child = getattr(hub, kind)("child").answers(1)
    web = await face.connected("shop", "web", client=hub)
    assert await face.call(web.request, 0, to="child") == 1
    child.answers(2).answers(lambda params: params["sku"], event="level")
    assert await face.call(web.request, 0, to="child") == 2
    assert await face.call(web.request, {"event": "level", "params": {"sku": 9}}, to="child") == 9


async def test_it_is_on_all_streams_or_on_one(face: Face, hub: Hub, kind: str) -> None:
    getattr(hub, kind)("child").answers("all")
    getattr(hub, kind)("other", stream="shop").answers("one")
    shop = await face.connected("shop", "web", client=hub)
    bank = await face.connected("bank", "web", client=hub)
    assert await face.call(shop.request, 0, to="child") == "all"
    assert await face.call(bank.request, 0, to="child") == "all"
    assert await face.call(shop.request, 0, to="other") == "one"
    with pytest.raises(RequestTimeout):
        await face.call(bank.request, 0, to="other", timeout=0.2)


async def test_a_function_that_raises_rejects_but_not_a_gem_s(face: Face, hub: Hub, kind: str) -> None:
    def boom(content: Any) -> None:
        raise ValueError("boom")

    child = getattr(hub, kind)("child").answers(boom)
    web = await face.connected("shop", "web", client=hub)
    # GEM-3
    with pytest.raises(RequestTimeout if kind == "gem" else Rejected):
        await face.call(web.request, 1, to="child", timeout=0.3)
    assert [str(error) for error in child.errors] == ["boom"]


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (KeyError("sku"), HandlerFailed, "handler_failed: KeyError; request "),
        (Reject("sold out", code="sold_out"), Rejected, "sold out"),
        (None, Rejected, "not_encodable: "),
    ],
)
async def test_a_peer_rejects_as_an_endpoint_does(
    face: Face, hub: Hub, raised: Exception | None, kind: type[Rejected], said: str
) -> None:
    def fail(content: Any) -> Any:
        if raised is None:
            return object()
        raise raised

    hub.peer("stock").answers(fail)
    web = await face.connected("shop", "web", client=hub)
    with pytest.raises(kind) as caught:
        await face.call(web.request, 1, to="stock")
    assert type(caught.value) is kind
    assert said in str(caught.value)


async def test_a_function_may_be_async(face: Face, hub: Hub) -> None:
    async def double(content: int) -> int:
        await asyncio.sleep(0)
        return content * 2

    hub.peer("stock").answers(double)
    web = await face.connected("shop", "web", client=hub)
    assert await face.call(web.request, 4, to="stock") == 8


async def test_a_text_of_a_gem_that_is_json_arrives_as_json(face: Face, hub: Hub, kind: str) -> None:
    getattr(hub, kind)("child").answers("123")
    web = await face.connected("shop", "web", client=hub)
    # GEM-5
    assert await face.call(web.request, 1, to="child") == (123 if kind == "gem" else "123")


async def test_it_asks(face: Face, hub: Hub, kind: str) -> None:
    await face.connected("shop", "stock", lambda request: [request.source_group, request.content], client=hub)
    parent = getattr(hub, kind)("parent")
    response = await asyncio.wrap_future(parent.ask({"sku": 1}, "stock"))
    assert response.result() == ["parent", {"sku": 1}]
    late = await asyncio.wrap_future(parent.ask(1, "nobody", timeout=0.1))
    assert late.timed_out
    parent.leave()
    await until(lambda: kind == "gem" or hub.residue() == [])


async def test_a_caller_needs_nobody_but_peers(face: Face, hub: Hub, kind: str) -> None:
    child = getattr(hub, kind)("child").answers(lambda content: content * 2)
    getattr(hub, kind)("other").never()
    caller = face.module.Caller("shop", client=hub)
    assert await face.call(caller.request, 4, to="child") == 8
    assert child.requests == [4]
    assert [asked.outcome for asked in hub.requests] == ["fulfilled"]
    hub.flush()
    assert await face.call(caller.request, 5, to="child") == 10
    await face.call(caller.close)
