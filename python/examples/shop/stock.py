"""The service ``stock``: it knows how many there are of each article, and reserves them.

REDIS_URL=redis://localhost:6379 python -m examples.shop.stock
"""

from __future__ import annotations

import asyncio
from typing import TypedDict

from redisipc import Reject, Request
from redisipc.asyncio import Stream


class Reserve(TypedDict):
    """The request of ``web``."""

    sku: str
    count: int


class Stock:
    """The shelves. A reservation is noted under the id of its request: one that comes twice counts once."""

    def __init__(self, levels: dict[str, int]) -> None:
        self.levels = levels
        self._reserved: dict[str, int] = {}

    async def handle(self, request: Request) -> dict[str, int]:
        wish: Reserve = request.content
        if request.id not in self._reserved:
            left = self.levels.get(wish["sku"], 0) - wish["count"]
            if left < 0:
                raise Reject({"code": "sold_out", "sku": wish["sku"]})
            self.levels[wish["sku"]] = left
            self._reserved[request.id] = left
        return {"left": self._reserved[request.id]}


def service(stock: Stock) -> Stream:
    """The endpoint, not yet connected. Where Redis is, says the environment's REDIS_URL."""
    stream = Stream("shop", "stock")
    stream.on_request(stock.handle)
    return stream


if __name__ == "__main__":
    asyncio.run(service(Stock({"tea": 3, "milk": 0})).run())
