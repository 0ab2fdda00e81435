"""From a request's content to the call of an event, or the text that rejects it."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc import Channel, ConfigurationError, Reject, event
from redisipc.channel.dispatch import content_of, dispatch


class Stock(Channel):
    @event("reserve")
    def reserve(self, sku: int, qty: int = 1) -> None: ...

    @event("free", params=["a"])
    def free(self) -> None: ...


def test_only_declared_params_are_passed_on() -> None:
    call = dispatch(Stock.events, {"event": "reserve", "params": {"sku": 1, "x": 2}, "meta": {"y": 3}})
    assert (call.event.name, call.params, call.arguments) == ("reserve", {"sku": 1}, {"sku": 1})


def test_a_method_without_parameters_gets_none() -> None:
    call = dispatch(Stock.events, {"event": "free", "params": {"a": 1}})
    assert (call.params, call.arguments) == ({"a": 1}, {})


@pytest.mark.parametrize("content", [{"event": "free"}, {"event": "free", "params": None}])
def test_missing_params_are_none(content: Any) -> None:
    assert dispatch(Stock.events, content).params == {}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("text", "Malformed event data. Expected Hash, got string"),
        (None, "Malformed event data. Expected Hash, got null"),
        (True, "Malformed event data. Expected Hash, got boolean"),
        (1.5, "Malformed event data. Expected Hash, got number"),
        ([1], "Malformed event data. Expected Hash, got array"),
        ({"event": "free", "params": [1]}, "invalid_params: params must be an object, got array"),
        ({"event": "steal"}, "Unsupported event. Given steal"),
        ({}, "Unsupported event. Given "),
        ({"event": 7}, "Unsupported event. Given 7"),
        ({"event": ["ä"]}, 'Unsupported event. Given ["ä"]'),
        ({"event": "reserve"}, "invalid_params: event 'reserve' lacks sku"),
    ],
)
def test_what_cannot_be_called_is_rejected(content: Any, text: str) -> None:
    with pytest.raises(Reject) as caught:
        dispatch(Stock.events, content)
    assert caught.value.content == text


def test_the_content_that_triggers_an_event() -> None:
    assert content_of("reserve", {"sku": 1}, None) == {"event": "reserve", "params": {"sku": 1}}
    assert content_of("free", None, None) == {"event": "free", "params": {}}


def test_a_timeout_of_the_calls_own_travels_beside_the_params() -> None:
    assert content_of("free", None, 0.25) == {"event": "free", "params": {}, "meta": {"timeout_ms": 250}}
    with pytest.raises(ConfigurationError, match="timeout"):
        content_of("free", None, float("inf"))


def test_a_timeout_under_a_millisecond_is_written_as_one() -> None:
    assert content_of("free", None, 0.0001)["meta"] == {"timeout_ms": 1}
    # What every reader of JSON has as a whole number.
    for limit in (1e15, 1e306, 10**300):
        assert content_of("free", None, limit)["meta"] == {"timeout_ms": 2**53 - 1}
