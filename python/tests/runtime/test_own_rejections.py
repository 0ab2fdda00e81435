"""An endpoint also reports to its own side what it rejects by itself: once a second for each code, on_error or the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from redisipc import HandlerError, ReportedError, event

from .faces import Face, Gate, until

TIMES = 3


async def stream_that(face: Face, stream: str, handler: Any = None, **options: Any) -> Any:
    return await face.connected(stream, "stock", handler, **options)


async def overloaded(face: Face, stream: str, gate: Gate) -> tuple[Any, Any, int]:
    async def wait(request: Any) -> None:
        await gate.wait()

    made = await stream_that(face, stream, face.handler(wait), concurrency=1, max_queue=0)
    return made, 1, 1


async def no_handler(face: Face, stream: str, gate: Gate) -> tuple[Any, Any, int]:
    return await stream_that(face, stream), 1, 0


async def too_old(face: Face, stream: str, gate: Gate) -> tuple[Any, Any, int]:
    return await stream_that(face, stream, lambda request: 1, max_request_age=1e-9), 1, 0


async def not_encodable(face: Face, stream: str, gate: Gate) -> tuple[Any, Any, int]:
    return await stream_that(face, stream, lambda request: object()), 1, 0


async def channel(face: Face, stream: str) -> Any:
    @event("reserve")
    def reserve(self: Any, sku: int) -> int:
        return sku

    kind = type("Stock", (face.module.Channel,), {"stream": stream, "channel": "stock", "reserve": reserve})
    face.made.append(kind)
    await face.call(kind.connect)
    return kind


async def unsupported_event(face: Face, stream: str, gate: Gate) -> tuple[Any, Any, int]:
    return await channel(face, stream), {"event": "nonsense", "params": {}}, 0


async def missing_parameter(face: Face, stream: str, gate: Gate) -> tuple[Any, Any, int]:
    return await channel(face, stream), {"event": "reserve", "params": {}}, 0


async def malformed_parameters(face: Face, stream: str, gate: Gate) -> tuple[Any, Any, int]:
    return await channel(face, stream), {"event": "reserve", "params": 3}, 0


async def malformed_event(face: Face, stream: str, gate: Gate) -> tuple[Any, Any, int]:
    return await channel(face, stream), "no object", 0


CASES: dict[str, tuple[Callable[..., Any], str]] = {
    "overloaded": (overloaded, "requests wait in this instance"),
    "no_handler": (no_handler, "no instance of this group has a handler"),
    "too_old": (too_old, "the limit is"),
    "not_encodable": (not_encodable, "the handler's result cannot be sent"),
    "unsupported_event": (unsupported_event, "Unsupported event. Given nonsense"),
    "invalid_params": (missing_parameter, "lacks sku"),
    "invalid_params, no object": (malformed_parameters, "params must be an object"),
    "invalid_params, no event": (malformed_event, "Malformed event data"),
}


@pytest.mark.parametrize("told", ["on_error", "log"])
@pytest.mark.parametrize("name", CASES)
async def test_a_rejection_of_its_own_is_told_once_a_second(
    face: Face, stream: str, name: str, told: str, caplog: Any
) -> None:
    make, words = CASES[name]
    code, gate, problems = name.partition(",")[0], Gate(), list[Any]()
    caplog.set_level(logging.ERROR, "redisipc")
    stock, content, occupied = await make(face, stream, gate)
    if told == "on_error":
        stock.on_error(problems.append)
    web = await face.connected(stream, "web")
    start = time.monotonic()
    held = [web.submit(1, to="stock") for _ in range(occupied)]
    await until(lambda: gate.reached == occupied)
    for _ in range(TIMES):
        response = await face.call(web.send_to_group, content, to="stock")
        while name == "too_old" and response.code is None:
            # It was read in the millisecond in which it was written.
            response = await face.call(web.send_to_group, content, to="stock")
        assert response.code == code, response.reason

    def reports() -> list[str]:
        texts = problems if told == "on_error" else [record.getMessage() for record in caplog.records]
        return [str(text) for text in texts if words in str(text)]

    lines = await until(reports)
    assert len(lines) <= 1 + int(time.monotonic() - start)
    assert "web" in lines[0]
    if told == "on_error":
        assert {type(problem) for problem in problems} <= {ReportedError, HandlerError}
        assert {problem.kind for problem in problems} == {code}
        assert problems[0].entry_id
    gate.open()
    for future in held:
        await face.outcome(future)


async def test_what_still_runs_when_the_time_to_close_is_over_is_told(face: Face, stream: str) -> None:
    gate, problems = Gate(), list[Any]()

    async def wait(request: Any) -> None:
        await gate.wait()

    stock = await face.connected(stream, "stock", face.handler(wait))
    stock.on_error(problems.append)
    web = await face.connected(stream, "web")
    future = web.submit(1, to="stock")
    await until(lambda: gate.reached)
    await face.call(stock.disconnect, 0)
    gate.open()
    with pytest.raises(Exception, match=r"closing: ") as caught:
        await face.outcome(future)
    assert getattr(caught.value, "code", None) == "closing"
    report = await until(lambda: problems and problems[0])
    assert (report.kind, type(report)) == ("closing", ReportedError)
