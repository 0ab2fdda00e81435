"""Several threads connect one Stream, or one Channel, at the same moment: one of them succeeds, and the others raise."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from redisipc import AlreadyConnected, Channel, Stream, event
from redisipc.runtime.threads import stream as stream_of_threads

THREADS = 8


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them have looked whether it is connected before one of them makes a session."""
    gate = threading.Barrier(THREADS)

    class Connector(stream_of_threads.Connector):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            gate.wait(10.0)

    monkeypatch.setattr(stream_of_threads, "Connector", Connector)


def told_by(connect: Callable[[], Any]) -> list[str]:
    """The name of what each thread's call raised."""
    told: list[str] = []

    def work() -> None:
        try:
            connect()
            told.append("")
        except Exception as error:
            told.append(type(error).__name__)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
    return sorted(told)


def instances(url: str, stream: str) -> int:
    with redis.Redis.from_url(url, decode_responses=True, protocol=2) as raw:
        return len([row for row in raw.client_list() if f":{stream}:" in row["name"] and row["name"].endswith(":read")])


def threads_but_the_doubles() -> int:
    return sum(not thread.name.startswith("redisipc-hub") for thread in threading.enumerate())


ONE = ["", *[AlreadyConnected.__name__] * (THREADS - 1)]


@pytest.mark.usefixtures("together")
def test_of_several_threads_that_connect_a_stream_one_succeeds(stream: str, url: str) -> None:
    before = threads_but_the_doubles()
    stock = Stream(stream, "stock", url=url)
    stock.on_request(lambda request: request.content)
    assert told_by(stock.connect) == ONE
    assert instances(url, stream) == 1
    assert stock.request(1, to="stock") == 1
    stock.disconnect()
    assert not stock.connected
    assert threads_but_the_doubles() == before


def test_of_several_threads_that_connect_a_channel_one_succeeds(
    stream: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stock(Channel):
        channel = "stock"

        @event
        def count(self) -> int:
            return 1

    Stock.stream = stream
    gate = threading.Barrier(THREADS)
    stands = Stock._stands
    monkeypatch.setattr(Stock, "_stands", lambda: [stands(), gate.wait(10.0)][0])
    assert told_by(lambda: Stock.connect(url=url)) == ONE
    assert instances(url, stream) == 1
    assert Stock.trigger_event("count", "stock").value == 1
    Stock.disconnect()
    monkeypatch.undo()
    Stock.connect(url=url)
    Stock.disconnect()
    assert not Stock.connected


def test_a_channel_that_is_dropped_while_it_is_connected_leaves(stream: str, url: str) -> None:
    before = threads_but_the_doubles()
    kinds = [type("Dropped", (Channel,), {"stream": stream, "channel": "dropped"})]
    kinds[0].connect(url=url)
    kinds.clear()
    with pytest.warns(ResourceWarning, match="was dropped while it was connected"):
        gc.collect()
    end = time.monotonic() + 5.0
    while threads_but_the_doubles() > before:
        assert time.monotonic() < end
        time.sleep(0.01)
