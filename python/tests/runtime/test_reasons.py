"""A requester learns of a rejection: a refusal with its code, a crash, and no more of it than is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.errors import ConfigurationError, HandlerError, HandlerFailed, Reject, Rejected
from redisipc.protocol.reasons import ReasonCode

from .faces import Face, until


async def test_a_refusal_has_its_code_message_and_data(face: Face, stream: str) -> None:
    def handle(request: Any) -> None:
        if request.content == "raise":
            raise Reject("no such sku", code="not_found", data={"sku": 7})
        request.reject("no such sku", code="not_found", data={"sku": 7})

    await face.connected(stream, "stock", handle)
    web = await face.connected(stream, "web")
    for way in ("raise", "call"):
        with pytest.raises(Rejected) as caught:
            await face.call(web.request, way, to="stock")
        error = caught.value
        assert not isinstance(error, HandlerFailed)
        assert (error.code, error.data) == ("not_found", {"sku": 7})
        assert error.content == {"error": {"code": "not_found", "message": "no such sku", "data": {"sku": 7}}}
        assert str(error) == f"group 'stock' rejected request {error.request_id}: no such sku (not_found)"
    response = await face.call(web.send_to_group, "call", to="stock")
    assert response.code == "not_found"


@pytest.mark.parametrize(
    ("expose", "shown", "hidden"),
    [("type", "ValueError", "hunter2"), ("none", "request ", "ValueError"), ("text", "password=hunter2", "Traceback")],
)
async def test_a_crash_tells_its_requester_what_is_allowed(
    face: Face, stream: str, expose: str, shown: str, hidden: str
) -> None:
    told: list[Any] = []

    def handle(request: Any) -> None:
        raise ValueError("password=hunter2")

    stock = face.stream(stream, "stock", handle, expose_errors=expose)
    stock.on_error(told.append)
    await face.call(stock.connect)
    web = await face.connected(stream, "web")
    with pytest.raises(HandlerFailed) as caught:
        await face.call(web.request, 1, to="stock")
    error = caught.value
    assert error.code == ReasonCode.HANDLER_FAILED == "handler_failed"
    assert error.content.startswith("handler_failed: ")
    assert shown in error.content
    assert hidden not in error.content
    assert expose == "text" or error.request_id in error.content
    report = await until(lambda: told and told[0])
    assert isinstance(report, HandlerError)
    assert "password=hunter2" in str(report)
    assert error.request_id in str(report)


async def test_five_megabytes_of_an_exception_stay_where_they_are(face: Face, stream: str) -> None:
    def handle(request: Any) -> None:
        raise ValueError("x" * 5_000_000)

    stock = face.stream(stream, "stock", handle, expose_errors="text")
    lengths: list[int] = []
    stock.on_error(lambda error: lengths.append(len(str(error))))
    await face.call(stock.connect)
    web = await face.connected(stream, "web")
    with pytest.raises(HandlerFailed) as caught:
        await face.call(web.request, 1, to="stock")
    assert caught.value.content.endswith("(5000000 characters)")
    assert len(caught.value.content) < 1100
    assert len(str(caught.value)) < 700
    assert (await until(lambda: lengths.copy()))[0] < 1300


async def test_a_result_that_is_no_json_has_the_word_for_it(face: Face, stream: str) -> None:
    await face.connected(stream, "stock", lambda request: {"when": object()})
    web = await face.connected(stream, "web")
    with pytest.raises(Rejected) as caught:
        await face.call(web.request, 1, to="stock")
    assert caught.value.code == "not_encodable"


@pytest.mark.parametrize(
    ("content", "about"),
    [("text", {"data": 1}), ({"a": 1}, {"code": "x"}), ("text", {"code": " "}), ("t", {"code": 7})],
)
def test_a_reject_that_cannot_be_said_is_refused(content: Any, about: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"code"):
        Reject(content, **about)
