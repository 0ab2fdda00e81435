"""Asking and answering over a real Redis, the same on both faces."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
import redis

from redisipc import (
    AlreadyAnswered,
    ContentError,
    HandlerError,
    Reject,
    Rejected,
    RequestCancelled,
    RequestTimeout,
)

from .faces import Face, Gate, until

VALUES = [None, True, 0, -1.5, 2**70, "", "text", "123", "null", " {", "ümläut \u2028", [1, [2]], {"a": {"b": None}}]


@pytest.mark.parametrize("value", VALUES)
async def test_every_value_arrives_and_comes_back(face: Face, stream: str, value: Any) -> None:
    await face.connected(stream, "stock", lambda request: [request.content])
    web = await face.connected(stream, "web")
    assert await face.call(web.request, value, to="stock") == [value]


async def test_a_response_tells_how_it_ended(face: Face, stream: str) -> None:
    await face.connected(stream, "stock", lambda request: 7)
    web = await face.connected(stream, "web")
    response = await face.call(web.send_to_group, 1, to="stock")
    assert (response.fulfilled, response.rejected, response.status) == (True, False, "fulfilled")
    assert (response.value, response.reason, response.result()) == (7, None, 7)
    assert len(response.request_id) == 21
    assert 0 < response.elapsed < 5


async def test_nothing_is_left_in_redis(face: Face, stream: str, raw: redis.Redis) -> None:
    await face.connected(stream, "stock", lambda request: request.content)
    web = await face.connected(stream, "web")
    for number in range(20):
        await face.call(web.request, number, to="stock")
    await until(lambda: raw.xlen(stream) == 0)
    await until(lambda: all(group["pending"] == 0 for group in raw.xinfo_groups(stream)))


async def test_reject_rejects_with_its_content(face: Face, stream: str) -> None:
    def handle(request: Any) -> None:
        raise Reject({"code": "bad_sku"})

    await face.connected(stream, "stock", handle)
    web = await face.connected(stream, "web")
    response = await face.call(web.send_to_group, 1, to="stock")
    assert (response.rejected, response.reason, response.value) == (True, {"code": "bad_sku"}, None)
    with pytest.raises(Rejected) as caught:
        await face.call(web.request, 1, to="stock")
    assert caught.value.content == {"code": "bad_sku"}
    assert caught.value.group == "stock"


class Mute(Exception):
    def __str__(self) -> str:
        raise TypeError("it has no text")


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (ValueError("no such sku"), "handler_failed: ValueError: no such sku"),
        (KeyError(), "handler_failed: KeyError"),
        (RuntimeError("  "), "handler_failed: RuntimeError"),
        (Mute(), "handler_failed: Mute"),
    ],
)
async def test_an_exception_rejects_and_is_reported(face: Face, stream: str, raised: Exception, reason: str) -> None:
    errors: list[Any] = []

    def handle(request: Any) -> None:
        raise raised

    stock = face.stream(stream, "stock", handle, expose_errors="text")
    stock.on_error(errors.append)
    await face.call(stock.connect)
    web = await face.connected(stream, "web")
    assert (await face.call(web.send_to_group, 1, to="stock")).reason == reason
    error = await until(lambda: errors and errors[0])
    assert isinstance(error, HandlerError)
    assert error.__cause__ is raised


async def test_a_result_that_is_no_json_rejects(face: Face, stream: str) -> None:
    await face.connected(stream, "stock", lambda request: {"when": object()})
    web = await face.connected(stream, "web")
    response = await face.call(web.send_to_group, 1, to="stock")
    assert "object is not JSON" in response.reason
    assert "$.when" in response.reason


async def test_without_a_handler_requests_are_rejected(face: Face, stream: str) -> None:
    await face.connected(stream, "stock")
    web = await face.connected(stream, "web")
    assert "no_handler: " in (await face.call(web.send_to_group, 1, to="stock")).reason


async def test_a_timeout_is_a_rejected_response_that_says_why(face: Face, stream: str, raw: redis.Redis) -> None:
    web = await face.connected(stream, "web")
    start = time.monotonic()
    response = await face.call(web.send_to_group, 1, to="nobody", timeout=0.3)
    assert 0.3 <= time.monotonic() - start < 1.3
    assert response.rejected
    assert response.timed_out
    assert isinstance(response.reason, TimeoutError)
    assert "'nobody' within 0.3 s" in str(response.reason)
    with pytest.raises(RequestTimeout):
        await face.call(web.request, 1, to="nobody", timeout=0.05)
    await until(lambda: raw.xlen(stream) == 0)


async def test_the_option_timeout_is_the_default(face: Face, stream: str) -> None:
    web = await face.connected(stream, "web", timeout=0.2)
    start = time.monotonic()
    assert (await face.call(web.send_to_group, 1, to="nobody")).timed_out
    assert time.monotonic() - start < 1.2


async def test_a_handler_may_answer_itself_as_in_the_gem(face: Face, stream: str) -> None:
    stock = face.stream(stream, "stock")

    @stock.on_request
    def handle(request: Any) -> None:
        if request.content > 0:
            stock.fulfill_request(request, content="yes")
        else:
            stock.reject_request(request, content="no")

    await face.call(stock.connect)
    web = await face.connected(stream, "web")
    assert (await face.call(web.send_to_group, content=1, to="stock")).value == "yes"
    assert (await face.call(web.send_to_group, content=0, to="stock")).reason == "no"


async def test_an_answer_may_come_later(face: Face, stream: str) -> None:
    held: list[Any] = []
    await face.connected(stream, "stock", lambda request: held.append(request.later()), concurrency=1)
    web = await face.connected(stream, "web")
    futures = [web.submit(number, to="stock") for number in range(3)]
    await until(lambda: len(held) == 3)
    for request in reversed(held):
        request.fulfill(request.content * 2)
    assert [await face.outcome(future) for future in futures] == [0, 2, 4]
    with pytest.raises(AlreadyAnswered):
        held[0].reject("again")


async def test_an_ignored_request_times_out_and_is_gone(face: Face, stream: str, raw: redis.Redis) -> None:
    await face.connected(stream, "stock", lambda request: request.ignore())
    web = await face.connected(stream, "web")
    assert (await face.call(web.send_to_group, 1, to="stock", timeout=0.3)).timed_out
    assert raw.xlen(stream) == 0


async def test_the_time_left_of_a_plain_request_is_that_of_the_default(
    face: Face, stream: str, raw: redis.Redis
) -> None:
    stock = await face.connected(stream, "stock", lambda request: request.time_left)
    web = await face.connected(stream, "web", timeout=7.5)
    # The first look has the announcement read.
    await face.call(web.request, 1, to="stock")
    left = await until_known(face, web)
    assert 6 < left <= 7.5
    assert json.loads(raw.get(f"{stream}:web:{web.instance}:announce"))["timeout_ms"] == 7500
    # A deadline in the request counts more.
    assert await face.call(web.request, {"meta": {"timeout_ms": 2000}}, to="stock") <= 2
    # One that announces no timeout: it is not known. (The key stays: a member whose announcement is gone writes it again.)
    other = await face.connected(stream, "other")
    announcement = f"{stream}:other:{other.instance}:announce"
    # It announces itself once more as soon as it listens for wake-ups.
    await until(lambda: "wakeup" in json.loads(raw.get(announcement))["features"])
    raw.set(announcement, "{}", ex=60)
    assert [await face.call(other.request, 1, to="stock") for _ in range(3)] == [None] * 3
    assert stock.connected


async def until_known(face: Face, web: Any) -> float:
    for _ in range(50):
        left: float | None = await face.call(web.request, 1, to="stock")
        if left is not None:
            return left
    raise AssertionError("the time left never became known")


async def test_a_request_tells_about_itself(face: Face, stream: str) -> None:
    seen: list[Any] = []
    await face.connected(stream, "stock", seen.append)
    web = await face.connected(stream, "web")
    await face.call(web.request, {"meta": {"timeout_ms": 2000}}, to="stock")
    request = seen[0]
    assert (request.source_group, request.instance_id) == ("web", web.instance)
    assert (request.redelivered, request.starts, request.cancelled) == (False, 1, False)
    assert 0 <= request.age < 1
    assert 1 < request.time_left <= 2
    assert request.entry.id.decode() == request.id
    assert request.entry.destination_group == b"stock"
    assert request.answered


async def test_a_cancelled_request_is_deleted_and_its_handler_learns_it(
    face: Face, stream: str, raw: redis.Redis
) -> None:
    gate, told = Gate(), []

    async def handle(request: Any) -> None:
        request.on_cancel(lambda: told.append(request))
        await gate.wait()

    await face.connected(stream, "stock", face.handler(handle))
    web = await face.connected(stream, "web")
    future = web.submit(1, to="stock")
    await until(lambda: gate.reached)
    assert future.cancel()
    await until(lambda: raw.xlen(stream) == 0, 1)
    await until(lambda: told, 4.5)
    assert told[0].cancelled
    assert told[0].id == future.request_id
    gate.open()
    assert web.outstanding == 0


async def test_handlers_are_limited_and_the_rest_waits_its_turn(face: Face, stream: str) -> None:
    gate = Gate()

    async def handle(request: Any) -> Any:
        await gate.wait()
        return request.content

    await face.connected(stream, "stock", face.handler(handle), concurrency=2)
    web = await face.connected(stream, "web")
    futures = [web.submit(number, to="stock") for number in range(5)]
    await until(lambda: gate.reached == 2)
    await asyncio.sleep(0.1)
    assert gate.reached == 2
    gate.open()
    assert [await face.outcome(future) for future in futures] == [0, 1, 2, 3, 4]


async def test_more_than_may_wait_is_rejected_as_overloaded(face: Face, stream: str) -> None:
    gate = Gate()

    async def handle(request: Any) -> Any:
        await gate.wait()

    await face.connected(stream, "stock", face.handler(handle), concurrency=1, max_queue=1)
    web = await face.connected(stream, "web")
    futures = [web.submit(number, to="stock") for number in range(3)]
    with pytest.raises(Rejected, match="overloaded"):
        await face.outcome(futures[2])
    gate.open()
    await face.outcome(futures[0])
    await face.outcome(futures[1])


async def test_nested_requests_do_not_lock_each_other_out(face: Face, stream: str) -> None:
    """Both groups have one handler, which asks the other: answers flow while all handlers are busy."""
    endpoints: dict[str, Any] = {}

    def nesting(me: str, other: str) -> Any:
        if face.name == "threads":
            return lambda request: (
                0 if request.content == 0 else 1 + endpoints[me].request(request.content - 1, to=other)
            )

        async def handle(request: Any) -> int:
            return 0 if request.content == 0 else 1 + await endpoints[me].request(request.content - 1, to=other)

        return handle

    for me, other in (("a", "b"), ("b", "a")):
        endpoints[me] = await face.connected(stream, me, nesting(me, other), concurrency=4)
    web = await face.connected(stream, "web")
    assert await face.call(web.request, 6, to="a") == 6


async def test_a_group_may_ask_itself(face: Face, stream: str) -> None:
    me = await face.connected(stream, "me", lambda request: request.content + 1)
    assert await face.call(me.request, 1, to="me") == 2


async def test_two_instances_of_a_group_each_get_their_own_answers(face: Face, stream: str) -> None:
    await face.connected(stream, "stock", lambda request: request.content)
    ones = [await face.connected(stream, "web") for _ in range(2)]
    assert ones[0].instance != ones[1].instance
    for start in range(0, 60, 20):
        futures = [(start + n, ones[n % 2].submit(start + n, to="stock")) for n in range(20)]
        for number, future in futures:
            assert await face.outcome(future) == number


async def test_two_instances_of_a_group_share_its_requests(face: Face, stream: str) -> None:
    seen: list[str] = []
    gate = Gate()

    def running(name: str) -> Any:
        async def handle(request: Any) -> None:
            seen.append(name)
            await gate.wait()

        return face.handler(handle)

    for name in ("one", "two"):
        await face.connected(stream, "stock", running(name), concurrency=2)
    web = await face.connected(stream, "web")
    futures = [web.submit(n, to="stock") for n in range(4)]
    await until(lambda: len(seen) == 4)
    gate.open()
    for future in futures:
        await face.outcome(future)
    assert set(seen) == {"one", "two"}


async def test_a_content_of_many_megabytes_passes(face: Face, stream: str) -> None:
    await face.connected(stream, "stock", lambda request: request.content, timeout=20.0)
    web = await face.connected(stream, "web", timeout=20.0)
    content = "äöü" * 2_000_000
    assert await face.call(web.request, content, to="stock") == content


async def test_a_thousand_at_once_use_no_more_connections(face: Face, stream: str, raw: redis.Redis) -> None:
    await face.connected(stream, "stock", lambda request: request.content, concurrency=1000)
    web = await face.connected(stream, "web", timeout=30.0)
    futures = [web.submit(number, to="stock") for number in range(1000)]
    assert [await face.outcome(future) for future in futures] == list(range(1000))
    names = [client["name"] for client in raw.client_list() if web.instance in client["name"]]
    assert sorted(name.rsplit(":", 1)[1] for name in names) == ["read", "wakeups", "write"]


async def test_content_that_is_no_json_is_refused_with_its_path(face: Face, stream: str, raw: redis.Redis) -> None:
    web = await face.connected(stream, "web")
    with pytest.raises(ContentError) as caught:
        await face.call(web.request, {"a": [1, {2}]}, to="stock")
    assert caught.value.path == "$.a[1]"
    assert raw.xlen(stream) == 0


async def test_a_hurt_entry_is_reported_with_its_fields_and_disturbs_nothing(
    face: Face, stream: str, raw: redis.Redis
) -> None:
    errors: list[Any] = []
    stock = face.stream(stream, "stock", lambda request: "fine")
    stock.on_error(errors.append)
    await face.call(stock.connect)
    web = await face.connected(stream, "web")
    raw.xadd(stream, {"id": "1", "destination_group": "stock", "extra": b"\xff"})
    error = await until(lambda: errors and errors[0])
    assert error.kind == "malformed"
    assert error.fields == [(b"id", b"1"), (b"destination_group", b"stock"), (b"extra", b"\xff")]
    assert await face.call(web.request, 1, to="stock") == "fine"
    await until(lambda: raw.xlen(stream) == 0)


async def test_an_on_error_that_raises_disturbs_nothing(face: Face, stream: str, raw: redis.Redis) -> None:
    def report(error: Exception) -> None:
        raise RuntimeError("in on_error")

    stock = face.stream(stream, "stock", lambda request: "fine")
    stock.on_error(report)
    await face.call(stock.connect)
    web = await face.connected(stream, "web")
    raw.xadd(stream, {"destination_group": "stock"})
    assert await face.call(web.request, 1, to="stock") == "fine"


async def test_who_waits_when_it_is_closed_learns_it(face: Face, stream: str) -> None:
    web = await face.connected(stream, "web")
    future = web.submit(1, to="nobody")
    waiting = asyncio.ensure_future(face.call(web.send_to_group, 1, to="nobody"))
    await until(lambda: web.outstanding == 2)
    await face.call(web.disconnect, 0)
    response = await waiting
    assert isinstance(response.reason, RequestCancelled)
    assert "closed" in str(response.reason)
    with pytest.raises(RequestCancelled):
        await face.outcome(future)
