"""A handler gets the parts of a request, whatever its requester wrote."""

from __future__ import annotations

import math

import pytest

from redisipc.protocol.events import Incoming
from redisipc.runtime.hooks import Hook
from redisipc.runtime.received import Received
from redisipc.runtime.request import Request


class Nobody:
    group = "stock"
    takes_async = False

    def answer(self, received: Received, status: str, text: bytes) -> None: ...

    def forget(self, received: Received) -> None: ...

    def call_now(self, hook: Hook) -> None: ...

    def timeout_of(self, incoming: Incoming) -> float | None:
        return None


@pytest.mark.parametrize(
    ("written", "left"),
    [("1" + "0" * 400, math.inf), ("-1" + "0" * 400, -math.inf), ("1e400", math.inf), ("0", 0.0), ("true", None)],
)
def test_a_time_limit_of_any_size_is_a_number(written: str, left: float | None) -> None:
    content = f'{{"event":"e","params":{{}},"meta":{{"timeout_ms":{written}}}}}'.encode()
    request = Request(Received(Nobody(), Incoming(b"1-0", b"a" * 21, b"abcdef", b"web", content, 0.0)))
    found = request.time_left
    if left is None or math.isinf(left):
        assert found == left
    else:
        assert found is not None
        assert found <= left
