"""The floor: two plain streams and bare redis-py, without groups, routing, codec or ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from ..asking import Ask, one_by_one

TEXT = True
"""It gets the payload as text, since a floor has no codec."""


def serve(url: str, name: str, ready: Any, **_options: Any) -> None:
    with redis.Redis.from_url(url) as client:
        last: Any = "$"
        ready()
        while True:
            for _, rows in client.xread({f"{name}:ask": last}, block=1000) or ():
                for id, fields in rows:
                    client.xadd(f"{name}:answer", fields, maxlen=1000)
                    last = id


@contextmanager
def ask(url: str, name: str, **_options: Any) -> Iterator[Ask]:
    with redis.Redis.from_url(url) as client:
        last: Any = "0"

        def once(payload: str) -> None:
            nonlocal last
            client.xadd(f"{name}:ask", {"content": payload}, maxlen=1000)
            [(_, rows)] = client.xread({f"{name}:answer": last}, block=4000)
            last = rows[-1][0]

        yield one_by_one(once)
