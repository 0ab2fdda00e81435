"""Both services together, and each with the other one played by the test."""

from __future__ import annotations

import asyncio

import httpx

from redisipc import Stream
from redisipc.testing import make_request
from redisipc.testing.plugin import Ipc

from .stock import Stock


async def test_a_reservation_goes_through_both_services(web: httpx.AsyncClient, stock: Stock) -> None:
    answer = await web.post("/reserve/tea?count=2")
    assert (answer.status_code, answer.json()) == (200, {"left": 1})
    assert stock.levels == {"tea": 1}


async def test_what_is_sold_out_is_a_conflict(web: httpx.AsyncClient, stock: Stock) -> None:
    answer = await web.post("/reserve/milk")
    assert (answer.status_code, answer.json()["detail"]) == (409, {"code": "sold_out", "sku": "milk"})


async def test_a_reservation_that_comes_twice_counts_once(stock: Stock) -> None:
    request = make_request({"sku": "tea", "count": 1}, id="a" * 21)
    assert await stock.handle(request) == await stock.handle(request) == {"left": 2}


async def test_web_alone_says_that_stock_is_away(web: httpx.AsyncClient, ipc: Ipc) -> None:
    ipc.hub.peer("stock").never()
    asked = asyncio.ensure_future(web.post("/reserve/tea"))
    await ipc.hub.advance(3)  # the timeout is 2 seconds
    answer = await asked
    assert (answer.status_code, answer.json()["detail"]) == (504, "stock does not answer")


async def test_web_alone_hands_on_what_stock_says(web: httpx.AsyncClient, ipc: Ipc) -> None:
    stock = ipc.hub.peer("stock").rejects({"code": "sold_out"})
    answer = await web.post("/reserve/tea")
    assert (answer.status_code, stock.requests) == (409, [{"sku": "tea", "count": 1}])
    assert [asked.outcome for asked in ipc.hub.requests] == ["rejected"]


def test_stock_is_asked_by_a_program_with_threads(ipc: Ipc) -> None:
    """The environment names the Redis, so that each kind of program finds it."""
    stock = Stream("shop", "stock")
    stock.on_request(lambda request: request.content["count"])
    with stock, Stream("shop", "till") as till:
        assert till.request({"sku": "tea", "count": 1}, to="stock") == 1
