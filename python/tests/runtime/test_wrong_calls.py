"""Wrong calls of everything public: each error is of the library's own kind, and says what was expected and what came."""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import datetime
import math
import pathlib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

import redisipc.asyncio
from redisipc import (
    Caller,
    Channel,
    ConfigurationError,
    ContentError,
    NotConnected,
    Options,
    Reject,
    RequestTimeout,
    Stream,
    event,
)
from redisipc.protocol.content import encode
from redisipc.testing import Hub, make_request, make_response

Call = Callable[[], Any]


@pytest.fixture(scope="module", autouse=True)
def _hub() -> Iterator[None]:
    with Hub("wrong-calls"):
        yield


def stream(group: str = "self") -> Stream:
    return Stream("shop", group, url="memory://wrong-calls")


def connected(work: Callable[[Stream], Any]) -> Call:
    """Do something with a connected Stream that answers itself."""

    def call() -> Any:
        with stream() as made:
            made.on_request(lambda request: request.content)
            return work(made)

    return call


def channel(**body: Any) -> Call:
    return lambda: type("Shop", (Channel,), {"stream": "shop", "channel": "web", **body})


def peer(work: Callable[[Any], Any]) -> Call:
    return lambda: work(Hub.named("wrong-calls").peer("child"))


def enter(made: Any) -> None:
    with made:
        pass


async def enter_async(made: Any) -> None:
    async with made:
        pass


def handler(work: Any) -> Call:
    return lambda: stream().on_request(work)


def options(**given: Any) -> Call:
    return lambda: stream().connect(redis_options=given)


class Thing:
    """Takes no argument."""


CALLS: dict[str, tuple[Call, str]] = {
    # where to
    "to None": (connected(lambda s: s.request(1, to=None)), "destination group must be a string, got NoneType"),
    "to a Stream": (connected(lambda s: s.request(1, to=s)), "got Stream; give its group, a name"),
    "to a list": (connected(lambda s: s.request(1, to=["a"])), "got list; it is one name"),
    "to bytes": (connected(lambda s: s.request(1, to=b"a")), "got bytes; decode it"),
    "content and group exchanged": (connected(lambda s: s.request("self", {"a": 1})), "destination group must be a string"),
    "ping None": (connected(lambda s: s.ping(None)), "destination group must be a string, got NoneType"),
    # times
    "a timedelta": (lambda: Options(timeout=datetime.timedelta(1)), "got timedelta; give its total_seconds()"),
    "timeout of a call": (connected(lambda s: s.request(1, "self", timeout="5")), "timeout must be a number of seconds"),
    "timeout below 0": (connected(lambda s: s.submit(1, "self", timeout=-1)), "above 0, got -1"),
    "timeout of a ping": (connected(lambda s: s.ping("self", timeout=0)), "above 0, got 0"),
    "timeout of a wait": (connected(lambda s: s.wait_for_group("self", timeout="x")), "timeout must be a number"),
    "timeout of a result": (connected(lambda s: s.submit(1, "self").result("x")), "or None to wait to the end, got str"),
    "a result in nan seconds": (connected(lambda s: s.submit(1, "self").result(math.nan)), "to wait to the end, got nan"),
    "timeout of disconnect": (connected(lambda s: s.disconnect("x")), "timeout must be a finite number of seconds"),
    "an age of 0": (lambda: Options(max_request_age=0), "it would reject every request; None: no limit"),
    # functions
    "no function": (handler(None), "on_request takes a function, got NoneType"),
    "a handler without a parameter": (handler(lambda: 1), "a function of one argument, the Request; "),
    "a handler with two": (handler(lambda request, more: 1), "cannot be called so: missing a required argument: 'more'"),
    "a class as a handler": (handler(Thing), "Thing cannot be called so: too many positional arguments"),
    "on_error without a parameter": (lambda: stream().on_error(lambda: 1), "of one argument, the error"),
    "on_state without a parameter": (lambda: stream().on_state(lambda: 1), "of one argument, the Health"),
    "an observer without a parameter": (lambda: Options(observers=[lambda: 1]), "of one argument, the Observation"),
    "a callback that is none": (connected(lambda s: s.submit(1, "self").add_done_callback(None)), "takes a function, got"),
    "on_cancel": (lambda: make_request(1).on_cancel(None), "on_cancel takes a function without arguments, got NoneType"),  # type: ignore[arg-type]
    "fulfill_request": (connected(lambda s: s.fulfill_request(3)), "takes the Request that the handler was given, got int"),
    "reject_request": (connected(lambda s: s.reject_request(None)), "takes the Request that the handler was given"),
    "a code and an object": (lambda: Reject({"a": 1}, code="x"), "the content is the message, a string, got dict"),
    # where Redis is
    "the class of a client": (lambda: Stream("s", "g", client=redis.Redis).connect(), "not its class: client=Redis(...)"),
    "a pool as client": (lambda: Stream("s", "g", client=redis.ConnectionPool()).connect(), "got redis.connection.Connec"),
    "host": (options(host=3), "host in redis_options must be a string, got int"),
    "port": (options(host="x", port="y"), "port in redis_options must be a whole number, got 'y'"),
    "db": (options(db=-1), "db in redis_options must be a whole number, got -1"),
    "a number as a name": (lambda: stream().connect(redis_options={3: 3}), "the names in redis_options must be strings"),  # type: ignore[dict-item]
    "a word in the URL": (lambda: Stream("s", "g", url="redis://x?foo=1").connect(), "redis-py has no argument 'foo'"),
    "an option that nobody knows": (lambda: stream().connect(retries=3), "no option 'retries'; there are close_timeout, "),  # type: ignore[call-arg]
    "an option of the gem": (lambda: stream().connect(ledger={"entry_timout": 1}), "in ledger; there are cleanup_interval"),
    "redis_options too early": (lambda: Stream("s", "g", redis_options={}), "connect(redis_options={...}) takes it"),  # type: ignore[call-arg]
    "early_end of a Caller": (lambda: Caller("shop", early_end="x"), "early_end must be True or False, got 'x'"),  # type: ignore[arg-type]
    "max_outstanding of a Caller": (lambda: Caller("shop", max_outstanding=0), "a whole number of at least 1, got 0"),
    # events
    "event params of a number": (lambda: event("e", params=3), "params must be a list of names, such as"),  # type: ignore[call-overload]
    "event params with a number": (lambda: event("e", params=[3]), "names, strings, but 3 is in it"),  # type: ignore[list-item]
    "event params twice": (lambda: event("e", params=["x", "x"]), "params has 'x' twice; name each parameter once"),
    "event of a number": (lambda: event("e")(3), "event marks a method of a Channel, got int"),  # type: ignore[type-var]
    "event of a class": (lambda: event(Thing), "event marks a method of a Channel, got the class Thing"),
    "event of a property": (channel(a=property(event(lambda self: 1))), "Shop.a is a property; an event is a plain method"),
    "event without self": (channel(a=event("a")(lambda: 1)), "Shop.a takes no self; an event is a method"),
    "event name of a method": (lambda: trigger(print), "got builtin_function_or_method; give the event's name"),
    "event params of a list": (lambda: trigger("e", params=[1]), "params takes a dict of names and values, got list"),
    "event without a channel": (lambda: Channel.connect(), "Channel needs names: stream = "),
    # the test double
    "age": (lambda: Hub.named("wrong-calls").age("x"), "seconds must be a finite number of seconds"),  # type: ignore[arg-type]
    "advance": (lambda: asyncio.run(Hub.named("wrong-calls").advance(-1)), "seconds must be a finite number of seconds"),
    "a hub twice": (lambda: Hub("wrong-calls"), "there is a hub 'wrong-calls' already; Hub.named() gives it"),
    "the class of a hub": (lambda: Stream("s", "g", client=Hub).connect(), "not its class: client="),
    "listen": (lambda: Hub.named("wrong-calls").listen("x"), "port must be a whole number of at least 0, got 'x'"),  # type: ignore[arg-type]
    "residue": (lambda: Hub.named("wrong-calls").residue("x"), "within must be a finite number"),  # type: ignore[arg-type]
    "story": (lambda: Hub.named("wrong-calls").story(0), "last must be a whole number of at least 1, got 0"),
    "a fault at an unknown command": (lambda: Hub.named("wrong-calls").cut_before("XAD"), "did you mean XADD?"),
    "a group that nobody is of": (lambda: Hub.named("wrong-calls").kill("stok"), "no member of group 'stok' is connected"),
    "after of a peer": (peer(lambda p: p.answers(1, after="x")), "after must be a finite number of seconds"),
    "event of a peer": (peer(lambda p: p.answers(1, event=3)), "event must be a string, got int"),
    "a peer's function of two": (peer(lambda p: p.answers(lambda a, b: 1)), "cannot be called so: missing a required"),
    "a peer without a stream": (lambda: Hub("no-streams").peer("a").ask(1, "b"), "give stream=; its streams are none"),
    "two endings of a response": (lambda: make_response(1, reason="x"), "give a value, or a reason=, or an error="),
    # blocks
    "with around asyncio": (lambda: enter(redisipc.asyncio.Stream("s", "g")), "is of redisipc.asyncio: write `async with`"),
    "async with around threads": (lambda: asyncio.run(enter_async(stream())), "is for threads: write `with`"),
    "with around an asyncio Caller": (lambda: enter(redisipc.asyncio.Caller("s")), "write `async with`"),
    "a number as hub": (lambda: Hub(3), "a hub takes a name, a string, and a Profile"),  # type: ignore[arg-type]
    "a source that is none": (lambda: make_request(1, source=3), "source must be a string, got int"),  # type: ignore[arg-type]
    "an error that is none": (lambda: make_response(error="x"), "error takes a RequestError, such as"),  # type: ignore[arg-type]
}  # fmt: skip


def trigger(name: Any, **more: Any) -> Any:
    kind = channel(e=event("e")(lambda self: 1))()
    kind.connect(url="memory://wrong-calls")
    try:
        return kind.trigger_event(name, target="web", **more)
    finally:
        kind.disconnect()


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_says_what_was_expected_and_what_came(name: str) -> None:
    call, text = CALLS[name]
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert text in str(caught.value)
    assert len(str(caught.value)) < 500


def test_the_answer_of_threads_cannot_be_awaited() -> None:
    """The one wrong call that types let pass: an answer is any JSON value, so it is typed Any. No JSON value can be awaited."""

    async def awaits(made: Stream) -> Any:
        return await made.request(1, to="self")

    with pytest.raises(TypeError, match="int can't be used in 'await' expression"):
        connected(lambda made: asyncio.run(awaits(made)))()


async def nothing() -> None: ...


CONTENTS: dict[str, tuple[Callable[[], Any], str]] = {
    "coroutine": (nothing, "coroutine is not JSON; await it, and send its result"),
    "generator": (lambda: (part for part in ()), "send list(value)"),
    "range": (lambda: range(3), "send list(value)"),
    "keys": (lambda: {}.keys(), "send list(value)"),
    "deque": (collections.deque, "send list(value)"),
    "exception": (lambda: ValueError("x"), "ValueError is not JSON; send str(value)"),
    "path": (lambda: pathlib.Path("x"), "send str(value)"),
    "function": (lambda: print, "call it, and send what it returns"),
    "lambda": (lambda: lambda: 1, "call it, and send what it returns"),
    "class": (lambda: Thing, "send its name"),
    "any object": (Thing, "Thing is not JSON; send what it holds, as a dict or a list"),
    "tuple key": (lambda: {(1, 2): 3}, "the key (1, 2) is not a string but tuple; use str(key)"),
    "uuid key": (lambda: {uuid.UUID(int=0): 3}, "is not a string but UUID; use str(key)"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_wrong_content_says_what_to_send(name: str) -> None:
    make, text = CONTENTS[name]
    value = make()
    with pytest.raises(ContentError) as caught:
        encode([value])
    assert text in str(caught.value)
    assert caught.value.path.startswith("$[0]")
    if asyncio.iscoroutine(value):
        value.close()


def test_content_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ContentError, match="or it contains itself"):
        encode(loop)


def test_a_result_may_be_waited_for_however_long() -> None:
    def ask(made: Stream) -> list[Any]:
        asked: list[Any] = [made.submit(number, "self") for number in range(2)]
        with pytest.raises(concurrent.futures.TimeoutError):
            made.submit(1, "nobody").result(-(10**400))
        return [asked[0].result(10**400), asked[1].result(math.inf), asked[1].exception(10**400)]

    assert connected(ask)() == [0, 1, None]


def test_what_needs_a_connection_says_so() -> None:
    for call in (
        lambda: stream().request(1, to="x"),
        lambda: stream().ping("x"),
        lambda: stream().wait_for_group("x"),
        lambda: channel()().trigger_event("e", target="x"),
    ):
        with pytest.raises(NotConnected, match=r"is not connected; call .*connect\(\) first"):
            call()


def test_a_wait_that_ends_names_group_stream_and_what_to_do() -> None:
    with pytest.raises(RequestTimeout, match="start its program; it must use the stream 'shop'"):
        connected(lambda made: made.wait_for_group("stok", timeout=0.1))()
