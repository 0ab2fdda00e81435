"""Observers see each request and each handler, and whatever they do harms nobody."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import pytest

from redisipc import ConfigurationError, Observation, Options, Reject
from redisipc.protocol.events import Outgoing
from redisipc.runtime.caller_observing import CallObserving
from redisipc.runtime.observing import MOST_OBSERVED, Observing

from .faces import FACES, Face, until


class OwnError(BaseException):
    """Neither an Exception nor one that Python knows."""


def handle(request: Any) -> Any:
    if request.content == "refuse":
        raise Reject("no", code="not_found")
    if request.content == "crash":
        raise ValueError("as asked")
    if request.content == "ignore":
        request.ignore()
    return request.content


async def test_both_sides_of_a_request_are_seen_in_order(face: Face, stream: str) -> None:
    here: list[Observation] = []
    there: list[Observation] = []
    await face.connected(stream, "stock", handle, observers=[there.append])
    web = await face.connected(stream, "web", observers=[here.append])
    response = await face.call(web.send_to_group, 1, to="stock")
    await until(lambda: len(here) == 2 and len(there) == 2)
    assert [seen.kind for seen in here] == ["send_started", "send_ended"]
    assert [seen.kind for seen in there] == ["run_started", "run_ended"]
    assert {seen.request_id for seen in (*here, *there)} == {response.request_id}
    assert ({seen.group for seen in here}, {seen.group for seen in there}) == ({"stock"}, {"web"})
    assert (here[1].status, there[1].status) == ("fulfilled", "fulfilled")
    assert 0 < there[1].seconds <= here[1].seconds < 5
    assert here[0].at <= here[1].at


@pytest.mark.parametrize(
    ("content", "sent", "ran"),
    [
        ("refuse", ("rejected", "not_found"), ("rejected", "not_found")),
        ("crash", ("rejected", "handler_failed"), ("rejected", "handler_failed")),
        ("ignore", ("timeout", "not_held"), ("", None)),
    ],
)
async def test_the_end_has_a_status_and_a_code(face: Face, stream: str, content: str, sent: Any, ran: Any) -> None:
    seen: list[Observation] = []
    stock = await face.connected(stream, "stock", handle, observers=[seen.append])
    stock.on_error(lambda error: None)
    await face.call(stock.send_to_group, content, to="stock", timeout=0.5 if content == "ignore" else 5)
    await until(lambda: {"send_ended", "run_ended"} <= {one.kind for one in seen})
    ends = {one.kind: (one.status, one.code) for one in seen}
    assert (ends["send_ended"], ends["run_ended"]) == (sent, ran)


async def test_what_the_endpoint_rejects_by_itself_is_seen(face: Face, stream: str) -> None:
    seen: list[Observation] = []
    stock = await face.connected(stream, "stock", observers=[seen.append])
    stock.on_error(lambda error: None)
    assert (await face.call(stock.send_to_group, 1, to="stock")).code == "no_handler"
    refused = await until(lambda: [one for one in seen if one.kind == "refused"])
    assert (len(refused), refused[0].code, refused[0].group) == (1, "no_handler", "stock")
    assert not [one for one in seen if one.kind == "run_started"]


async def test_one_that_raises_is_reported_once_and_dropped(face: Face, stream: str) -> None:
    problems: list[Any] = []
    seen: list[Observation] = []

    def fail(observation: Observation) -> None:
        raise ValueError("as asked")

    stock = face.stream(stream, "stock", handle, observers=[fail, seen.append])
    stock.on_error(problems.append)
    await face.call(stock.connect)
    for number in range(5):
        assert await face.call(stock.request, number, to="stock") == number
    await until(lambda: len(seen) == 20)
    assert [problem.kind for problem in problems] == ["observer"]
    assert "fail raised ValueError: as asked" in str(problems[0])
    assert isinstance(problems[0].__cause__, ValueError)


async def test_a_caller_tells_its_observers_too(face: Face, stream: str, caplog: Any) -> None:
    seen: list[Observation] = []

    def fail(observation: Observation) -> None:
        raise ValueError("as asked")

    stock = await face.connected(stream, "stock", handle)
    stock.on_error(lambda error: None)
    caller = face.module.Caller(stream, observers=[fail, seen.append])
    for content in ("good", "refuse", "crash"):
        await face.call(caller.send_to_group, content, to="stock")
    assert (await face.call(caller.send_to_group, "x", to="nobody", timeout=0.2)).timed_out
    assert [one.kind for one in seen] == ["send_started", "send_ended"] * 4
    assert [(one.status, one.code) for one in seen if one.kind == "send_ended"] == [
        ("fulfilled", None),
        ("rejected", "not_found"),
        ("rejected", "handler_failed"),
        ("timeout", "no_such_group"),
    ]
    assert [one.group for one in seen] == ["stock"] * 6 + ["nobody"] * 2
    assert 0 < seen[1].seconds < 5
    failures = [line for line in caplog.messages if "fail raised ValueError: as asked" in line]
    assert len(failures) == 1
    assert f"Caller {stream!r}" in failures[0]
    await face.call(caller.close)


@pytest.mark.parametrize("kind", [GeneratorExit, asyncio.CancelledError, OwnError])
def test_whatever_an_observer_of_a_caller_raises_the_call_goes_on(kind: Any, caplog: Any) -> None:
    seen: list[Observation] = []

    def fail(observation: Observation) -> None:
        raise kind("as asked")

    observing = CallObserving([fail, seen.append], "the caller")
    for _ in range(2):
        observing.sent(Outgoing(b"1", b"", "stock", 0.0, 5.0))
    assert len(seen) == 2
    assert [f"fail raised {kind.__name__}: as asked" in line for line in caplog.messages] == [True]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_observer_of_a_caller_may_end_the_program(kind: Any) -> None:
    def leave(observation: Observation) -> None:
        raise kind

    with pytest.raises(kind):
        CallObserving([leave], "the caller").sent(Outgoing(b"1", b"", "stock", 0.0, 5.0))


async def test_a_call_that_is_cut_off_is_told_as_cancelled(face: Face, stream: str) -> None:
    if face.name == "threads":
        pytest.skip("a thread cannot be cancelled")
    seen: list[Observation] = []
    await face.connected(stream, "stock", lambda request: request.ignore())
    caller = face.module.Caller(stream, observers=[seen.append])
    asking = asyncio.ensure_future(caller.request(1, to="stock"))
    await until(lambda: seen)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert [(one.kind, one.status) for one in seen] == [("send_started", ""), ("send_ended", "cancelled")]
    await caller.close()


async def test_one_that_does_not_return_keeps_nobody(face: Face, stream: str) -> None:
    if face.name == "asyncio":
        pytest.skip("in one event loop it would stop everything, as any code does")
    end = threading.Event()
    stock = await face.connected(stream, "stock", handle, observers=[lambda seen: end.wait(10)])
    try:
        for number in range(20):
            assert await face.call(stock.request, number, to="stock") == number
    finally:
        end.set()


def test_what_waits_for_slow_observers_is_bounded_and_what_is_left_out_is_counted() -> None:
    class Sent:
        id, destination, sent_at = b"1", "stock", 0.0

    reports: list[Any] = []
    seen: list[Observation] = []
    observing = Observing([seen.append], reports.append, lambda: None)
    for _ in range(MOST_OBSERVED + 5):
        observing.sent(Sent())  # type: ignore[arg-type]
    observing.drain()
    observing.drained()
    assert (len(seen), reports) == (MOST_OBSERVED, [])
    observing.sent(Sent())  # type: ignore[arg-type]
    assert [str(report) for report in reports] == ["5 observations were left out: the observers are too slow for them"]


async def test_without_observers_nothing_of_it_is_loaded_or_called(face: Face, stream: str) -> None:
    calls: list[str] = []

    def note(frame: Any, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.endswith("observing.py"):
            calls.append(frame.f_code.co_name)

    stock = face.stream(stream, "stock", handle)
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        await face.call(stock.connect)
        assert await face.call(stock.request, 1, to="stock") == 1
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
    assert calls == []


@pytest.mark.parametrize("observers", [print, "abc", [3], None, {"a": 1}])
def test_what_are_no_observers_is_refused(observers: Any) -> None:
    with pytest.raises(ConfigurationError, match="observer"):
        Options(observers=observers)
    for module in FACES.values():
        with pytest.raises(ConfigurationError, match="observer"):
            module.Caller("s", observers=observers)


def test_an_async_observer_is_refused() -> None:
    async def note(seen: Observation) -> None: ...

    with pytest.raises(ConfigurationError, match="plain function"):
        Options(observers=[note])
