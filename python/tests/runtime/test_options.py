"""Options: checks, the gem's names, and what the core gets."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any

import pytest

import redisipc.asyncio
from redisipc import ConfigurationError, Options
from redisipc.runtime.options import settings_of


def test_they_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Options().timeout = 1.0  # type: ignore[misc]


def test_the_gems_names_are_understood() -> None:
    options = Options().replace(
        ledger={"entry_timeout": 7, "cleanup_interval": 1},
        consumer={"pool_size": 3, "execution_interval": 0.001},
        dispatcher={"pool_size": 2},
        pool_size=10,
        max_pool_size=None,
    )
    assert options == Options(timeout=7, concurrency=3)
    assert Options().replace(entry_timeout=2).timeout == 2


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"timeuot": 1}, "did you mean 'timeout'"),
        ({"zzz": 1}, "there is no option 'zzz'"),
        ({"ledger": 5}, "ledger must be a dict"),
        ({"ledger": {"size": 5}}, "no option 'size' in ledger"),
        ({"timeout": 0}, "above 0"),
        ({"timeout": float("inf")}, "finite"),
        ({"connect_timeout": None}, "must be a number"),
        ({"concurrency": 0}, "at least 1"),
        ({"concurrency": 1.5}, "whole number"),
        ({"concurrency": True}, "whole number"),
        ({"max_queue": -1}, "at least 0"),
        ({"close_timeout": -1}, "not negative"),
        ({"janitor_age": "1"}, "number of seconds"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        Options().replace(**given)


def test_the_core_is_told_all_that_concerns_it() -> None:
    options = Options(
        2.0, concurrency=3, max_queue=4, max_outstanding=5, max_request_age=6.0, wakeups=False, janitor_age=7.0
    )
    settings = settings_of(options, "s", "g")
    assert (settings.stream, settings.group, settings.timeout, settings.concurrency) == ("s", "g", 2.0, 3)
    assert (settings.max_queue, settings.max_outstanding, settings.max_request_age) == (4, 5, 6.0)
    assert (settings.wakeups, settings.janitor_age) == (False, 7.0)


def test_every_option_is_described() -> None:
    for field in dataclasses.fields(Options):
        assert f"``{field.name}``" in (Options.__doc__ or "")


def stream_of(face: Any) -> Callable[..., Any]:
    return lambda **options: face.Stream("shop", "web", **options)


ODD: list[Any] = [
    object(), math.nan, math.inf, -1, -(10**30), "x", b"x", [], {}, 1 + 2j, type, lambda: 1, None, True, 10**30
]  # fmt: skip


def refusals(call: Callable[[Any], Any]) -> list[str]:
    """The texts with which it refuses odd values. Every other error is one of the test."""
    texts = []
    for value in ODD:
        try:
            call(value)
        except ConfigurationError as error:
            texts.append(str(error))
    return texts


@pytest.mark.parametrize(
    "make", [Options, stream_of(redisipc), stream_of(redisipc.asyncio)], ids=["Options", "threads", "asyncio"]
)
@pytest.mark.parametrize("name", [each.name for each in dataclasses.fields(Options)])
def test_each_option_takes_a_value_or_refuses_it_by_name(name: str, make: Callable[..., Any]) -> None:
    texts = refusals(lambda value: make(**{name: value}))
    assert len(texts) >= 8
    assert [text for text in texts if name not in text] == []


@pytest.mark.parametrize("name", ["stream", "group", "url", "redis_options", "logger"])
@pytest.mark.parametrize("kind", [redisipc.Stream, redisipc.asyncio.Stream], ids=["threads", "asyncio"])
def test_each_argument_takes_a_value_or_refuses_it_by_name(name: str, kind: Any) -> None:
    texts = refusals(lambda value: kind(**{"stream": "shop", "group": "web", name: value}))
    assert len(texts) >= 10
    assert [text for text in texts if not re.search(rf"\b{name}\b", text)] == []
