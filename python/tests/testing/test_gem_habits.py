"""The habits of the stand-in for the gem that show in Redis or in a content, each against what was recorded of the gem."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from redisipc import RequestTimeout, Stream
from redisipc.testing import Gem, Hub
from redisipc.testing.redis_model.data import Stream as Data

from ..fixtures.recorded import load, raw
from ..fixtures.test_content import SENT, gem_wrote, python_value
from ..fixtures.test_entries import ODD, flat, name_of

FLOATS = {"1e15", "1e16", "1e21", "1e-5", "1e-7", "5e-324"}
"""The same numbers in Python's form."""
NO_JSON = r'"\xff\xfe"', "Float::NAN", "Float::INFINITY", "-Float::INFINITY"
WRITTEN = [
    case
    for encoder, case in SENT
    if encoder == "plain" and case["ruby"] not in FLOATS and case["ruby"] not in NO_JSON and "text" in case
]


def data(hub: Hub) -> Data:
    found = hub.server.model(0).keys[b"shop"]
    assert isinstance(found, Data)
    return found


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: case["ruby"][:60])
def test_it_sends_what_the_gem_sent(hub: Hub, case: dict[str, Any]) -> None:
    # GEM-5 among them: a text that is JSON is sent unchanged.
    gem = hub.gem("web", stream="shop")
    gem.ask(python_value(case["ruby"]), "child")
    with hub.server.lock:
        [fields] = data(hub).bodies.values()
    assert fields[7] == gem_wrote(case)


@pytest.mark.parametrize("case", ODD, ids=name_of)
def test_an_odd_entry_ends_as_recorded(hub: Hub, case: dict[str, Any]) -> None:
    # GEM-1, GEM-2
    gem = hub.gem("web", stream="shop").answers(1)
    hub.peer("tester", stream="shop")._run("XADD", b"shop", "*", *flat(case))
    with hub.server.lock:
        hub.server.flush()
        stream = data(hub)
        [entry_id] = [id for id, fields in stream.bodies.items() if fields == flat(case)] or [b"gone"]
        now = {
            "in_stream": entry_id != b"gone",
            "pending": bool(stream.groups[b"web"].pending),
            "run": bool(gem.requests),
        }
    assert now == {name: case[name] for name in now}


def test_it_lets_the_stream_and_its_list_expire_as_recorded(hub: Hub) -> None:
    # GEM-9
    recorded = {
        tuple(raw(part) for part in line["command"][1:])
        for name in ("connect-and-disconnect", "request-fulfilled")
        for line in load(f"exchanges/{name}")["transcript"]
        if line["command"][0] == "expire"
    }
    seconds = {int(words[1]) for words in recorded}
    with Stream("shop", "web", client=hub):
        gem = hub.gem("stock")
        assert gem.ask(1, "nobody", timeout=0.05).result(5).rejected
        with hub.server.lock:
            model = hub.server.model(0)
            left = {round((at - model.wall()) / 1000) for key, at in model.expires.items() if b":web:" not in key}
    assert left == seconds


def test_it_deletes_consumers_that_were_idle_with_what_is_pending(hub: Hub) -> None:
    # GEM-6
    hub.peer("stock", stream="shop").never()
    hub.peer("web", stream="shop").ask(1, "stock", timeout=60)
    with hub.server.lock:
        hub.server.flush()
        assert len(data(hub).groups[b"stock"].pending) == 1
    hub.gem("stock")
    with hub.server.lock:
        assert len(data(hub).groups[b"stock"].pending) == 1
    hub.age(31)
    hub.gem("stock")
    with hub.server.lock:
        assert not data(hub).groups[b"stock"].pending


def test_it_runs_one_request_at_a_time(hub: Hub) -> None:
    # GEM-21
    gate, running, most = threading.Event(), [0], [0]

    def handle(content: Any) -> Any:
        running[0] += 1
        most[0] = max(most[0], running[0])
        gate.wait(5)
        running[0] -= 1
        return content

    gem = hub.gem("stock").answers(handle)
    with Stream("shop", "web", client=hub) as web:
        answers = [web.submit(number, to="stock") for number in range(3)]
        time.sleep(0.1)
        assert gem.requests == [0]
        gate.set()
        assert [answer.result() for answer in answers] == [0, 1, 2]
    assert most == [1]


def test_it_leaves_a_response_whose_instance_has_no_list(hub: Hub) -> None:
    # GEM-4
    gem = hub.gem("web", stream="shop")
    writer: Gem = hub.gem("stock", stream="shop")
    fields = ["id", "0" * 21, "instance_id", "abcdef", "status", "fulfilled", "content", "1"]
    writer._run("XADD", b"shop", "*", *fields, "source_group", "stock", "destination_group", "web")
    with hub.server.lock:
        hub.server.flush()
        assert len(data(hub).bodies) == 1
        assert not data(hub).groups[b"web"].pending
    gem.leave()


def test_a_handler_that_raises_answers_nothing_and_its_consumers_stay(hub: Hub) -> None:
    # GEM-3, GEM-33
    def fail(_content: Any) -> None:
        raise RuntimeError("boom")

    gem = hub.gem("stock").answers(fail)
    with Stream("shop", "web", client=hub) as web:
        with pytest.raises(RequestTimeout):
            web.request(1, to="stock", timeout=0.3)
        gem.leave()
        with hub.server.lock:
            assert len(data(hub).groups[b"stock"].consumers) == 2
    assert [type(error) for error in gem.errors] == [RuntimeError]
