"""Arguments that nobody knows, that are missing or misplaced, of everything public: the error names the argument."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import redisipc.asyncio
import redisipc.testing
from redisipc import Caller, Channel, ConfigurationError, Options, Reject, Stream, event
from redisipc.calls import explained
from redisipc.testing import Hub, make_request, make_response

ONLY_RECEIVED = {"Diagnosis", "Health", "Observation", "Peer", "ReasonCode", "Stats", "Asked"}
"""Values that users get and do not make."""


def _public() -> Iterator[tuple[str, Any]]:
    """Everything that can be called by a user: constructors, functions, and methods by their class."""
    for face in (redisipc, redisipc.asyncio, redisipc.testing):
        for name in face.__all__:
            made = getattr(face, name)
            is_error = isinstance(made, type) and issubclass(made, BaseException) and made is not Reject
            if (
                name.startswith("_")
                or (name in ONLY_RECEIVED and face is not redisipc.testing)
                or name == "Asked"
                or is_error
            ):
                continue
            where = f"{face.__name__}.{name}"
            if not isinstance(made, type):
                yield where, made
                continue
            if made.__name__ in ("Stream", "Caller", "Options", "Reject", "Hub"):
                yield where, made
            for attribute in dir(made):
                static = inspect.getattr_static(made, attribute)
                function = getattr(static, "__func__", static)
                if attribute.startswith("_") or not inspect.isfunction(function):
                    continue
                if function.__module__.startswith("redisipc"):
                    yield f"{where}.{attribute}", (made, attribute, isinstance(static, classmethod))


PUBLIC = dict(_public())


def _takes_options(what: Any) -> bool:
    function = getattr(what[0], what[1]) if isinstance(what, tuple) else what
    return any(one.kind is one.VAR_KEYWORD for one in inspect.signature(function).parameters.values())


def _called(what: Any, *arguments: Any, **named: Any) -> Any:
    if isinstance(what, tuple):
        owner, name, of_class = what
        target = owner if of_class else owner.__new__(owner)
        what = getattr(target, name)
    result = what(*arguments, **named)
    return asyncio.run(result) if inspect.iscoroutine(result) else result


@pytest.mark.parametrize("where", [where for where in PUBLIC if not _takes_options(PUBLIC[where])])
def test_an_unknown_argument_is_named(where: str) -> None:
    with pytest.raises(ConfigurationError, match="frobnicate"):
        _called(PUBLIC[where], frobnicate=1)


@pytest.mark.parametrize("where", PUBLIC)
def test_arguments_that_are_too_many_are_refused_by_our_own_error(where: str) -> None:
    with pytest.raises(ConfigurationError, match="as well"):
        _called(PUBLIC[where], *[None] * 30)


def test_the_walk_finds_what_users_call() -> None:
    assert len(PUBLIC) > 120
    assert {
        "redisipc.Stream",
        "redisipc.asyncio.Stream.request",
        "redisipc.Channel.connect",
        "redisipc.testing.Hub.pause",
    } <= set(PUBLIC)


hub = Hub("arguments")


class Shop(Channel):
    """A channel."""

    stream = "shop"
    channel = "shop"


WRONG: dict[str, tuple[Callable[..., Any], str]] = {
    "no names": (lambda: Stream(), "Stream needs 'stream' and 'group'; write Stream(stream, group)"),  # type: ignore[call-arg]
    "no group": (lambda: redisipc.asyncio.Stream("a"), "Stream needs 'group'; write Stream(stream, group)"),  # type: ignore[call-arg]
    "a URL by position": (lambda: Stream("redis://x", "a", "b"), "takes stream, group by position, but got a str as well; "),  # type: ignore[call-arg, misc]
    "twice": (lambda: Stream("a", "b", stream="c"), "Stream got 'stream' twice, by position and by name; give it once"),  # type: ignore[misc]
    "an option of Stream": (lambda: Caller("a", concurrency=3), "Caller has no argument 'concurrency'; it takes stream, url"),  # type: ignore[call-arg]
    "near": (lambda: Caller.from_url("redis://x", "a", timout=3), "Caller has no argument 'timout'; did you mean 'timeout'?"),  # type: ignore[call-arg]
    "Options": (lambda: Options(concurency=3), "Options has no argument 'concurency'; did you mean 'concurrency'?"),  # type: ignore[call-arg]
    "Reject": (lambda: Reject("a", "b"), "Reject takes content by position, but got a str as well; give it by name"),  # type: ignore[misc]
    "connect": (lambda: Stream("a", "b").connect("redis://x"), "connect takes nothing by position, but got a str as well"),  # type: ignore[misc]
    "request": (lambda: Stream("a", "b").request(1, too="b"), "Stream.request has no argument 'too'; did you mean 'to'?"),  # type: ignore[call-arg]
    "no destination": (lambda: Stream("a", "b").submit(1), "Stream.submit needs 'to'; write submit(content, to)"),  # type: ignore[call-arg]
    "no target": (lambda: Shop.trigger_event("x"), "Shop.trigger_event needs 'target'; write trigger_event(name, target)"),  # type: ignore[call-arg]
    "event": (lambda: event(param=["a"]), "event has no argument 'param'; did you mean 'params'?"),  # type: ignore[call-overload]
    "make_request": (lambda: make_request(sorce="x"), "make_request has no argument 'sorce'; did you mean 'source'?"),  # type: ignore[call-arg]
    "make_response": (lambda: make_response(1, 2), "make_response takes value by position, but got a int as well"),  # type: ignore[misc]
    "a peer": (lambda: hub.peer("a").answers(1, afer=2), "Peer.answers has no argument 'afer'; did you mean 'after'?"),  # type: ignore[call-arg]
    "a gem": (lambda: hub.gem("a").rejects(), "Gem.rejects needs 'reason'; write rejects(reason)"),  # type: ignore[call-arg]
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_the_message_says_what_fits(name: str) -> None:
    call, text = WRONG[name]
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert text in str(caught.value)


def test_a_type_error_from_inside_stays_what_it_is() -> None:
    @explained
    class Thing:
        def work(self, value: int) -> None:
            raise TypeError(f"mine: {value}")

        async def later(self, value: int) -> None:
            raise TypeError(f"mine: {value}")

    with pytest.raises(TypeError, match="mine: 3"):
        Thing().work(3)
    with pytest.raises(TypeError, match="mine: 4"):
        asyncio.run(Thing().later(4))
