"""The other floor: two lists."""

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
        ready()
        while True:
            row = client.brpop([f"{name}:ask"], timeout=1)
            if row is not None:
                client.lpush(f"{name}:answer", row[1])


@contextmanager
def ask(url: str, name: str, **_options: Any) -> Iterator[Ask]:
    with redis.Redis.from_url(url) as client:

        def once(payload: str) -> None:
            client.lpush(f"{name}:ask", payload)
            assert client.brpop([f"{name}:answer"], timeout=4) is not None

        yield one_by_one(once)
