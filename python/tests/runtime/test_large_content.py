"""While a large content is read or written, nothing else waits for it: no lock is held, and the I/O thread does not do it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from redisipc import Observation, Reject
from redisipc.protocol import json_fast
from redisipc.runtime.observing import Observing
from redisipc.runtime.weight import MOST_HELD_BYTES

from .faces import Face, until

SLOW = {"slow": True}
"""A content that is read and written for as long as a test wants."""


class Doorman:
    """Holds whoever reads or writes ``SLOW``, one after the other, until the test lets it pass."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held: list[str] = []
        self._passes = threading.Semaphore(0)
        for name, is_slow in (("dumps", lambda value: "slow" in repr(value)), ("loads", lambda raw: b"slow" in raw)):
            monkeypatch.setattr(json_fast, name, self._guard(name, getattr(json_fast, name), is_slow))

    def _guard(self, name: str, work: Any, is_slow: Any) -> Any:
        def guarded(given: Any) -> Any:
            if is_slow(given):
                self.held.append(name)
                assert self._passes.acquire(timeout=30)
            return work(given)

        return guarded

    async def holds(self, number: int) -> None:
        await until(lambda: len(self.held) >= number)

    def let_pass(self, number: int = 1) -> None:
        self._passes.release(number)


def handle(request: Any) -> Any:
    if request.content == SLOW:
        return request.content
    if request.content == "refuse":
        raise Reject("as asked", code="too_slow", data=SLOW)
    if request.content == "fulfill":
        request.fulfill(SLOW)
    return request.content


@pytest.fixture
def doorman(face: Face, monkeypatch: pytest.MonkeyPatch) -> Any:
    if face.name == "asyncio":
        pytest.skip("an event loop reads and writes contents itself, and stands still meanwhile")
    doorman = Doorman(monkeypatch)
    yield doorman
    doorman.let_pass(100)


@pytest.mark.parametrize(
    ("content", "places"),
    [
        (SLOW, ["dumps", "loads", "dumps", "loads"]),
        ("refuse", ["dumps", "loads"]),
        ("fulfill", ["dumps", "loads"]),
    ],
    ids=["request and answer", "a rejection", "fulfill()"],
)
async def test_others_ask_and_answer_meanwhile(
    face: Face, stream: str, doorman: Doorman, content: Any, places: list[str]
) -> None:
    stock = await face.connected(stream, "stock", handle)
    web = await face.connected(stream, "web")
    caller = face.module.Caller(stream)
    asking = asyncio.ensure_future(face.call(web.send_to_group, content, to="stock", timeout=60))
    for number in range(1, len(places) + 1):
        await doorman.holds(number)
        for endpoint in (stock, web, caller):
            assert await face.call(endpoint.request, number, to="stock", timeout=20) == number
        doorman.let_pass()
    assert (await asking).status == ("rejected" if content == "refuse" else "fulfilled")
    assert doorman.held == places
    await face.call(caller.close)


async def test_nobody_waits_for_an_observer_to_learn_the_code(face: Face, stream: str, doorman: Doorman) -> None:
    seen: list[Observation] = []
    stock = await face.connected(stream, "stock", handle, observers=[seen.append])
    web = await face.connected(stream, "web", observers=[seen.append])
    asking = asyncio.ensure_future(face.call(web.send_to_group, "refuse", to="stock", timeout=60))
    await doorman.holds(1)
    doorman.let_pass()
    # The observers of both sides, and the caller.
    await doorman.holds(4)
    for endpoint in (stock, web):
        assert await face.call(endpoint.request, 1, to="stock", timeout=20) == 1
    doorman.let_pass(3)
    assert (await asking).code == "too_slow"
    ends = await until(lambda: [(one.kind, one.code) for one in seen if one.code is not None][1:] and seen)
    codes = {(one.kind, one.code) for one in ends if one.status == "rejected"}
    assert codes == {("run_ended", "too_slow"), ("send_ended", "too_slow")}


def test_rejections_that_wait_for_slow_observers_are_bounded_in_bytes() -> None:
    class Sent:
        id, destination, sent_at = b"1", "stock", 0.0

    class Rejected:
        status, diagnosis, content = "rejected", None, b"x" * (1 << 20)

    reports: list[Any] = []
    seen: list[Observation] = []
    observing = Observing([seen.append], reports.append, lambda: None)
    # The names are counted, too.
    most = MOST_HELD_BYTES // (1 << 20)
    for _ in range(most + 5):
        observing.ended(Sent(), Rejected())  # type: ignore[arg-type]
    observing.drain()
    observing.drained()
    assert len(seen) == most
    observing.ended(Sent(), Rejected())  # type: ignore[arg-type]
    assert [str(report) for report in reports] == ["5 observations were left out: the observers are too slow for them"]
