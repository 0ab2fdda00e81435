"""Calls that type checkers must refuse: each line with a comment that says "wrong", and no other. It is never run."""

from __future__ import annotations

import redis

import redisipc
import redisipc.asyncio as aio
from redisipc import EntryError, Observation, Options, RedisIPCError, Request
from redisipc.testing import make_request, make_response

stream = redisipc.Stream("a", "b")
channel = redisipc.Channel
caller = redisipc.Caller("a")
waiting = aio.Stream("a", "b")


async def coroutine(request: Request) -> int:
    return 7


async def told(error: RedisIPCError) -> None:
    return None


async def noted(seen: Observation) -> None:
    return None


def no_request() -> int:
    return 7


def only_some(error: EntryError) -> None:
    return None


def a_set(request: Request) -> set[int]:
    return {7}


redisipc.Stream("a", "b", timout=3)  # wrong: misspelt
aio.Stream("a", "b", timout=3)  # wrong
redisipc.Stream("a", "b", timeout="3")  # wrong: text
redisipc.Stream("a", "b", concurrency=1.5)  # wrong
redisipc.Stream("a", "b", wakeups=None)  # wrong
redisipc.Stream("a", "b", ledger={"entry_timout": 5})  # wrong
redisipc.Stream("a", "b", options={"timeout": 3})  # wrong
redisipc.Stream("a", "b", "redis://localhost")  # wrong: by position
redisipc.Stream("a")  # wrong
redisipc.Stream.from_url("redis://localhost", "a", "b", max_que=3)  # wrong
stream.connect(timout=3)  # wrong
stream.run(conection=3)  # wrong
waiting.connect(urls="redis://localhost")  # wrong
Options(timout=3)  # wrong
Options().replace(timout=3)  # wrong
channel.connect(timout=3)  # wrong
aio.Channel.connect(option=Options())  # wrong
redisipc.Caller("a", timout=3)  # wrong
aio.Caller("a", concurrency=3)  # wrong: a caller runs no handlers
redisipc.Caller.from_url("redis://localhost", "a", max_outstandin=3)  # wrong
redisipc.Stream("a", "b", client=7)  # wrong. It is not a client
redisipc.Stream("a", "b", client="redis://localhost")  # wrong: a URL is url=
redisipc.Stream("a", "b", client=redis.Redis)  # wrong: the class itself
redisipc.Stream("a", "b", client=redis.ConnectionPool())  # wrong: a pool.
stream.connect(client=7)  # wrong
waiting.connect(client=7)  # wrong
redisipc.Caller("a", client=7)  # wrong
aio.Caller("a", client=7)  # wrong
redisipc.Stream("a", "b", observers=[noted])  # wrong: nobody awaits it.
aio.Stream("a", "b", observers=[noted])  # wrong
redisipc.Caller("a", observers=[noted])  # wrong
Options(observers=[noted])  # wrong

stream.on_request(coroutine)  # wrong: threads cannot await it
stream.on_error(told)  # wrong
channel.on_error(told)  # wrong
stream.on_request(no_request)  # wrong
stream.on_error(only_some)  # wrong: it is given other errors, too
stream.on_request(a_set)  # wrong: no JSON
waiting.on_request(a_set)  # wrong
waiting.on_request(no_request)  # wrong
stream.on_request(7)  # wrong

stream.request({"sku": 1})  # wrong: nobody is asked
stream.request({"sku": 1}, to=b"stock")  # wrong
stream.request({"sku": 1}, to="stock", timeout="2 s")  # wrong
stream.send_to_group({"sku": 1}, group="stock")  # wrong
caller.submit({"sku": 1}, to="stock")  # wrong: a caller has no futures
text: str = stream.send_to_group({"sku": 1}, to="stock")  # wrong: a Response
number: int = waiting.request({"sku": 1}, to="stock")  # wrong: not awaited
future: redisipc.RequestFuture[int] = waiting.submit(1, to="stock")  # wrong: the other twin's
of_text: str = redisipc.RequestFuture[int].result(stream.submit(1, to="stock"))  # wrong
stream.stream = "c"  # wrong: it is fixed

make_request({"sku": 1}, starts="2")  # wrong: text
make_request(contents=1)  # wrong
make_request().answer = 7  # wrong: the handler gives it
make_response(error=ValueError("late"))  # wrong: no error of a request
made: redisipc.Request = make_response(7)  # wrong: a Response


async def awaits_threads() -> None:
    # Not refused: `await stream.request(...)`. An answer is Any; test_wrong_calls.py shows what Python says of it.
    await stream.submit(1, to="stock")  # wrong: the future of threads
    await stream.send_to_group(1, to="stock")  # wrong
