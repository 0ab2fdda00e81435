"""Calls that type checkers must accept. It is never run."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, TypedDict

import redis
import redis.asyncio

import redisipc
import redisipc.asyncio as aio
from redisipc import Options, Reject, Request, Response
from redisipc.testing import Hub, make_request, make_response


class Level(TypedDict):
    """An answer with a shape of its own."""

    level: int


class OwnStream(redisipc.Stream):
    """A subclass of the user."""

    def extra(self) -> int:
        return 1


class Stock(redisipc.Channel):
    """A channel for threads."""

    stream = "shop"
    channel = "stock"

    @redisipc.event
    def level(self, sku: int) -> int:
        return sku


class Later(aio.Channel):
    """A channel for asyncio."""

    stream = "shop"
    channel = "later"

    @redisipc.event("late", params=["sku"])
    async def level(self, sku: int) -> int:
        return sku


stream = redisipc.Stream("a", "b", timeout=3, concurrency=4, max_request_age=None, url="redis://localhost")
from_gem = redisipc.Stream("a", "b", ledger={"entry_timeout": 5}, consumer={"pool_size": 3}, max_pool_size=None)
changed: Options = Options(timeout=2.0).replace(timeout=3)


@stream.on_request
def plain(request: Request) -> Level:
    if request.content is None:
        raise Reject("nothing")
    return {"level": 7}


@stream.on_request
def untyped(request):  # type: ignore[no-untyped-def]
    return 7


@stream.on_error
def troubled(error: redisipc.RedisIPCError) -> None:
    logging.error("%s", error.kind)


stream.on_request(lambda request: [request.id, None, {"a": (1, 2.5)}])
stream.on_request(lambda request: request.content)
same: int = plain(Request.__new__(Request))["level"]
joined: OwnStream = OwnStream.from_url("redis://localhost", "a", "b", early_end=False).connect(wakeups=False)
with OwnStream("a", "b") as entered:
    entered.extra()
stream.run(redis_options={"health_check_interval": 1}, close_timeout=1.5)
answer: Any = stream.request({"sku": 1}, to="stock", timeout=2)
shape: Level = stream.request({"sku": 1}, to="stock")
level: int = stream.request({"sku": 1}, to="stock")["level"] + 1
maybe: list[dict[str, int]] | None = stream.request({"sku": 1}, to="stock")
for client in (redis.Redis(), redis.RedisCluster(), Hub()):
    redisipc.Stream("a", "b", client=client)
aio.Stream("a", "b", client=redis.asyncio.Redis())
aio.Stream("a", "b", client=redis.asyncio.RedisCluster())
redisipc.Caller("a", client=redis.Redis(), observers=[print, lambda seen: None])
seen: list[redisipc.Observation] = []
aio.Caller("a", client=None, observers=[seen.append])
response: Response = stream.send_to_group("x", "stock", 0.5)
future: redisipc.RequestFuture[int] = stream.submit([1], to="stock")
number: int = future.result(timeout=1)


def tell(done: redisipc.RequestFuture[int]) -> None:
    print(done.request_id, done.result())


future.add_done_callback(tell)
future.add_done_callback(lambda done: print(done.request_id))
bare: redisipc.RequestFuture = stream.submit(None, to="stock")
Stock.connect(options=changed, timeout=2, logger=logging.getLogger())
caller = redisipc.Caller("a", timeout=1, max_outstanding=2)
with redisipc.Caller.from_url("redis://localhost", "a", early_end=False) as other:
    other.close()
made: Request = make_request({"sku": 1}, source="web", age=0.5, timeout=None)
kept: str | None = make_request().status
checked: int = plain(make_request({"level": 7}))["level"]
answered: Response = make_response({"level": 7})
refused: Response = make_response(error=redisipc.RequestTimeout("too late"))
rejection: Response = make_response(reason={"code": "not_found"}, id="1", elapsed=0.2)


async def main() -> None:
    async with aio.Stream("a", "b", max_queue=0) as waiting:

        @waiting.on_request
        async def slow(request: Request) -> int:
            await asyncio.sleep(1)
            return 7

        @waiting.on_request
        def quick(request: Request) -> str:
            return "now"

        @waiting.on_error
        async def report(error: redisipc.RedisIPCError) -> None:
            await asyncio.sleep(0)

        task: aio.RequestFuture[int] = waiting.submit(1, to="stock")
        amount: int = await task
        print(amount, await waiting.request(1, to="stock", timeout=1))
    await Later.connect(janitor_age=90_000)
    await aio.Stream.from_url("redis://localhost", "a", "b").run()
