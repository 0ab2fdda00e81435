"""Channels over a real Redis, the same on both faces."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
import types
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

import redisipc
import redisipc.asyncio
from redisipc import AlreadyConnected, ConfigurationError, NotConnected, event
from tests.runtime.faces import until


class Face:
    """One of the two faces: makes channel classes and waits for what they do."""

    def __init__(self, module: Any, stream: str, url: str) -> None:
        self.module, self.stream_name, self.url = module, stream, url
        self.made: list[Any] = []

    async def call(self, function: Any, *arguments: Any, **options: Any) -> Any:
        if self.module is redisipc:
            return await asyncio.to_thread(function, *arguments, **options)
        value = function(*arguments, **options)
        return await value if inspect.isawaitable(value) else value

    def channel(self, name: str, **body: Any) -> Any:
        made = type(name.title(), (self.module.Channel,), {"stream": self.stream_name, "channel": name, **body})
        self.made.append(made)
        return made

    async def connected(self, name: str, **body: Any) -> Any:
        made = self.channel(name, **body)
        await self.call(made.connect, url=self.url)
        return made


@pytest_asyncio.fixture(params=["threads", "asyncio"])
async def face(request: Any, stream: str, url: str) -> AsyncIterator[Face]:
    face = Face({"threads": redisipc, "asyncio": redisipc.asyncio}[request.param], stream, url)
    yield face
    for channel in face.made:
        await face.call(channel.disconnect, 0.2)


@event("start_job", params=["id"])
def start_job(self: Any) -> dict[str, Any]:
    return {"id": self.params["id"], "who": self.source_group}


@event("where")
def where(self: Any) -> list[Any]:
    return [self.stream_name, self.group_name, self.instance_id, self.entry.content["event"], self.entry.source_group]


@event
def fail(self: Any) -> None:
    raise RuntimeError("I told you!")


@event
def answer_itself(self: Any) -> None:
    self.entry.reject({"not": "today"})


async def test_an_event_is_triggered_and_answered(face: Face) -> None:
    await face.connected("worker", start_job=start_job)
    web = await face.connected("web")
    response = await face.call(web.trigger_event, "start_job", target="worker", params={"id": 1, "other": 2})
    assert response.status == "fulfilled"
    assert response.value == {"id": 1, "who": "web"}


async def test_an_event_sees_where_it_runs(face: Face) -> None:
    worker = await face.connected("worker", where=where)
    web = await face.connected("web")
    response = await face.call(web.trigger_event, "where", target="worker")
    assert response.value == [face.stream_name, "worker", worker.instance, "where", "web"]


async def test_exceptions_and_unknown_events_reject(face: Face) -> None:
    await face.connected("buggy", fail=fail, answer_itself=answer_itself)
    web = await face.connected("web")
    assert (await face.call(web.trigger_event, "fail", target="buggy")).reason.startswith("handler_failed: ")
    assert (await face.call(web.trigger_event, "nope", target="buggy")).reason == "Unsupported event. Given nope"
    assert (await face.call(web.trigger_event, "answer_itself", target="buggy")).reason == {"not": "today"}


@pytest.mark.parametrize(
    ("name", "params", "kind", "text"),
    [
        ("nope", {}, "unsupported_event", "Unsupported event. Given nope"),
        ("where", {}, "invalid_params", "lacks sku"),
    ],
)
async def test_what_a_channel_refuses_is_reported_where_it_is_refused_once_a_second(
    face: Face, name: str, params: Any, kind: str, text: str
) -> None:
    told: list[Any] = []

    @event
    def where(self: Any, sku: int) -> int:
        return sku

    stock = face.channel("stock", where=where)
    stock.on_error(told.append)
    await face.call(stock.connect, url=face.url)
    web = await face.connected("web")
    for _ in range(3):
        response = await face.call(web.trigger_event, name, target="stock", params=params)
        assert (response.code, text in response.reason) == (kind, True)
    await until(lambda: told)
    assert [error.kind for error in told] == [kind]
    assert text in str(told[0])
    assert "from 'web'" in str(told[0])


async def test_on_error_is_inherited(face: Face) -> None:
    errors: list[Any] = []
    base = face.channel("base", fail=fail)
    base.on_error(errors.append)
    child = type("Child", (base,), {"channel": "child"})
    face.made.append(child)
    await face.call(child.connect, url=face.url)
    web = await face.connected("web")
    await face.call(web.trigger_event, "fail", target="child")
    await asyncio.sleep(0.05)
    assert [error.kind for error in errors] == ["handler"]


async def test_a_subclass_is_connected_on_its_own(face: Face) -> None:
    base = await face.connected("base", where=where)
    child = type("Child", (base,), {"channel": "child"})
    assert base.connected
    assert not child.connected


async def test_a_timeout_of_the_call(face: Face) -> None:
    web = await face.connected("web")
    assert (await face.call(web.trigger_event, "x", target="nobody", timeout=0.1)).timed_out


@event
def left(self: Any) -> float | None:
    return self.entry.time_left


async def test_an_event_knows_how_much_time_is_left_where_the_call_said_so(face: Face) -> None:
    await face.connected("worker", left=left)
    web = await face.connected("web")
    response = await face.call(web.trigger_event, "left", target="worker", timeout=3)
    assert 2 < response.value <= 3
    assert (await face.call(web.trigger_event, "left", target="worker")).value is None


async def test_a_future_of_an_event_can_be_cancelled(face: Face) -> None:
    web = await face.connected("web")
    assert web.submit_event("x", target="nobody").cancel()


async def test_connected_twice_and_not_at_all(face: Face) -> None:
    web = face.channel("web")
    with pytest.raises(NotConnected, match=r"Web\.connect"):
        await face.call(web.trigger_event, "x", target="y")
    await face.call(web.connect, url=face.url)
    with pytest.raises(AlreadyConnected, match=r"Web\.disconnect"):
        await face.call(web.connect, url=face.url)
    await face.call(web.disconnect)
    assert not web.connected
    await face.call(web.connect, url=face.url)
    assert web.connected


async def test_its_functions_see_the_context_of_their_registration(face: Face) -> None:
    tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant")
    seen: set[tuple[str, str]] = set()
    stock = face.channel("stock", fail=fail)
    tenant.set("registration")
    stock.on_error(lambda error: seen.add(("on_error", tenant.get())))
    stock.on_state(lambda health: seen.add(("on_state", tenant.get())))
    tenant.set("connect")
    await face.call(stock.connect, url=face.url)
    await face.call(stock.trigger_event, "fail", target="stock")
    await until(lambda: len(seen) == 2)
    assert seen == {("on_error", "registration"), ("on_state", "registration")}


def test_a_channel_connects_again_in_the_next_event_loop(stream: str, url: str) -> None:
    stock = type("Stock", (redisipc.asyncio.Channel,), {"stream": stream, "channel": "stock", "where": where})

    async def use() -> Any:
        await stock.connect(url=url)
        with pytest.raises(AlreadyConnected):
            await stock.connect(url=url)
        return (await stock.trigger_event("where", target="stock")).value[2]

    with warnings.catch_warnings():
        # Each loop but the last ends with the channel connected.
        warnings.simplefilter("ignore", ResourceWarning)
        instances = [asyncio.run(use()) for _ in range(2)]
        bare = asyncio.new_event_loop()
        instances.append(bare.run_until_complete(use()))
        bare.close()
        gc.collect()
        instances.append(asyncio.run(use()))
        gc.collect()
    assert len(set(instances)) == 4
    assert not stock.connected


async def test_a_channel_of_the_parent_process_is_connected_anew(face: Face) -> None:
    stock = await face.connected("stock", where=where)
    endpoint: Any = stock._endpoint
    # What a forked child sees, and its parent does not.
    sessions = endpoint._sessions
    endpoint._sessions = {name: types.SimpleNamespace(forked=True) for name in sessions}
    try:
        await face.call(stock.connect, url=face.url)
        assert stock.connected
        await face.call(stock.disconnect)
    finally:
        endpoint._sessions = sessions
    await face.call(endpoint.disconnect)


async def test_a_channel_without_names_is_refused(face: Face) -> None:
    with pytest.raises(ConfigurationError, match="needs names"):
        await face.call(type("Nameless", (face.module.Channel,), {}).connect)


async def test_a_failed_connect_leaves_it_as_it_was(face: Face) -> None:
    web = face.channel("web")
    with pytest.raises(redisipc.ConnectionLost):
        await face.call(web.connect, url="redis://127.0.0.1:1", connect_timeout=0.1)
    await face.call(web.connect, url=face.url)
    assert web.connected


async def test_async_events(face: Face) -> None:
    if face.module is redisipc:
        pytest.skip("plain functions only")

    async def slow(self: Any, n: int) -> int:
        await asyncio.sleep(0.01)
        return n + 1

    await face.connected("worker", slow=event(slow))
    web = await face.connected("web")
    assert (await web.trigger_event("slow", target="worker", params={"n": 1})).value == 2
