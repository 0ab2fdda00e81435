"""Which methods are events, under which names, with which params."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc import Channel, ConfigurationError, event
from redisipc.asyncio import Channel as AsyncChannel


class Stock(Channel):
    stream = "shop"
    channel = "stock"

    @event("reserve")
    def reserve(self, sku: int, qty: int = 1) -> int:
        return sku * qty

    @event
    def ping(self) -> str:
        return "pong"

    @event("notifications::create", params=["title", "message"])
    def create(self) -> dict[str, Any]:
        return self.params

    def helper(self) -> None: ...


def test_names_are_given_or_the_methods() -> None:
    assert set(Stock.events) == {"reserve", "ping", "notifications::create"}


def test_params_are_given_or_the_methods() -> None:
    assert Stock.events["reserve"].params == ("sku", "qty")
    assert Stock.events["reserve"].required == ("sku",)
    assert Stock.events["ping"].params == ()
    assert Stock.events["notifications::create"].params == ("title", "message")
    assert Stock.events["notifications::create"].accepted == frozenset()


def test_a_method_stays_a_method() -> None:
    assert Stock().reserve(2, qty=3) == 6


def test_channel_and_group_are_one_name() -> None:
    class ByGroup(Channel):
        stream = "shop"
        group = "x"

    assert (ByGroup.channel, Stock.group) == ("x", "stock")


def test_subclasses_inherit_and_override() -> None:
    class Special(Stock):
        channel = "special"

        def ping(self) -> str:
            return "special pong"

        @event("reserve", params=["sku"])
        def other(self, sku: int) -> int:
            return sku

    assert (Special.stream, Special.group) == ("shop", "special")
    assert set(Special.events) == set(Stock.events)
    assert Special.events["reserve"].method == "other"
    assert Stock.events["reserve"].method == "reserve"
    assert getattr(Special(), Special.events["ping"].method)() == "special pong"


def test_with_open_ended_arguments_params_must_be_said() -> None:
    with pytest.raises(ConfigurationError, match="say which params"):

        class Open(Channel):
            @event
            def any(self, **more: Any) -> None: ...

    class Closed(Channel):
        @event(params=["a", "b"])
        def some(self, a: int, **more: Any) -> None: ...

    assert Closed.events["some"].accepted == {"a", "b"}


@pytest.mark.parametrize("name", ["", "  ", 7])
def test_names_that_are_none(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        event(name)


def test_params_that_are_one_string() -> None:
    with pytest.raises(ConfigurationError, match="list of names"):
        event("x", params="sku")


def test_a_parameter_that_is_not_declared() -> None:
    with pytest.raises(ConfigurationError, match="qty"):

        class Wrong(Channel):
            @event("x", params=["sku"])
            def method(self, sku: int, qty: int) -> None: ...


def test_parameters_by_position() -> None:
    with pytest.raises(ConfigurationError, match="by name"):

        class Wrong(Channel):
            @event
            def method(self, *skus: int) -> None: ...


def test_one_name_twice() -> None:
    with pytest.raises(ConfigurationError, match="twice"):

        class Wrong(Channel):
            @event("x")
            def one(self) -> None: ...

            @event("x")
            def two(self) -> None: ...


def test_channel_and_group_that_differ() -> None:
    with pytest.raises(ConfigurationError, match="two words"):

        class Wrong(Channel):
            channel = "a"
            group = "b"


def test_async_events_need_the_asyncio_face() -> None:
    with pytest.raises(ConfigurationError, match=r"redisipc\.asyncio"):

        class Wrong(Channel):
            @event
            async def method(self) -> None: ...

    class Right(AsyncChannel):
        @event
        async def method(self) -> None: ...

    assert set(Right.events) == {"method"}


@pytest.mark.parametrize("kind", [Channel, AsyncChannel])
def test_a_channel_is_a_class_and_not_an_object_of_one(kind: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"Channel takes no arguments: a channel is a class\. Write class Stock"
    ):
        kind("stock")
