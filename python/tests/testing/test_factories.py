"""Requests and responses that were never sent."""

from __future__ import annotations

import pytest

from redisipc import AlreadyAnswered, ContentError, Rejected, Request, RequestTimeout, Response
from redisipc.testing import make_request, make_response


def test_a_handler_is_called_with_a_request_that_was_made() -> None:
    def handle(request: Request) -> list[object]:
        return [request.content, request.source_group, request.starts, request.redelivered]

    assert handle(make_request({"sku": 1})) == [{"sku": 1}, "web", 1, False]
    assert handle(make_request(1, source="shop", starts=2)) == [1, "shop", 2, True]


def test_a_made_request_keeps_its_answer() -> None:
    request = make_request(1)
    assert (request.status, request.answer, request.answered) == (None, None, False)
    request.fulfill({"level": 7})
    assert (request.status, request.answer, request.answered) == ("fulfilled", {"level": 7}, True)
    with pytest.raises(AlreadyAnswered):
        request.reject("no")


def test_a_made_request_may_be_put_off_rejected_or_ignored() -> None:
    later, ignored = make_request(1).later(), make_request(1)
    assert later.postponed
    later.reject("no such sku")
    assert later.answered
    ignored.ignore()
    assert (ignored.ignored, ignored.status) == (True, None)


def test_a_made_request_can_be_cancelled() -> None:
    heard: list[int] = []
    request = make_request(1)
    request.on_cancel(lambda: heard.append(1))
    request.cancel()
    assert (request.cancelled, heard) == (True, [1])


def test_each_made_request_has_an_id_of_its_own() -> None:
    assert make_request().id != make_request().id
    assert make_request(id="a" * 21).id == "a" * 21


def test_a_content_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(ContentError):
        make_request(object())
    with pytest.raises(ContentError):
        make_response(object())


def test_a_made_response_is_one() -> None:
    fulfilled: Response = make_response((1, 2))
    assert (fulfilled.fulfilled, fulfilled.value, fulfilled.result()) == (True, [1, 2], [1, 2])
    rejected = make_response(reason={"code": 4})
    assert (rejected.rejected, rejected.reason) == (True, {"code": 4})
    with pytest.raises(Rejected):
        rejected.result()
    late = make_response(error=RequestTimeout("too late"))
    assert late.timed_out
    with pytest.raises(RequestTimeout, match="too late"):
        late.result()
