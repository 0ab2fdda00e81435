"""The library, threads: each request at once is a thread that calls ``request``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redisipc import Stream

from ..asking import Ask, echo, in_threads


def serve(
    url: str, name: str, ready: Any, group: str = "b", work: float = 0.0, wait: float = 0.0, **options: Any
) -> None:
    with Stream.from_url(url, name, group, **options) as stream:
        stream.on_request(echo(work, wait))
        ready()
        threading.Event().wait()


@contextmanager
def ask(url: str, name: str, group: str = "a", to: str = "b", **options: Any) -> Iterator[Ask]:
    with Stream.from_url(url, name, group, timeout=30.0, **options) as stream:
        yield in_threads(lambda payload: stream.request(payload, to=to))
