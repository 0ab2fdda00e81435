"""Commands that are handed to a hub as they are do what they do as bytes: the library sends them in either form."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.protocol import commands
from redisipc.protocol.commands import Command
from redisipc.runtime.resp import MISSING
from redisipc.runtime.wire import RESP2, Wire
from redisipc.testing import Hub
from redisipc.testing.handed import HANDED, Handed

SHOP = b"shop"
WEB, STOCK = b"web", b"stock"


def request(content: bytes = b"1") -> Command:
    return commands.add_entry(SHOP, b"a" * 21, b"78de6e", b"pending", content, WEB, STOCK)


READ_NOW = commands.read_now(SHOP, STOCK, b"dispatcher_694de8_0", 128)
READ = commands.read_new(SHOP, STOCK, b"dispatcher_694de8_0", 128, 5.0)
GROUPS: list[Command] = [("XGROUP", "CREATE", SHOP, name, "$", "MKSTREAM") for name in (WEB, STOCK)]
ROWS: dict[str, list[list[Command]]] = {
    "a request and its answer": [
        commands.atomic([request(), commands.read_now(SHOP, WEB, b"dispatcher_78de6e_0", 128)]),
        [READ_NOW],
        commands.atomic([commands.acknowledge(SHOP, STOCK, [b"1001-0"]), commands.delete(SHOP, [b"1001-0"])]),
    ],
    "a read that waits, and what is sent behind it": [[READ, request(), ("PING",)], [request(b"2")]],
    "a read in a transaction does not wait": [commands.atomic([READ])],
    "a read of no group": [[("XREADGROUP", "GROUP", b"none", b"c", "STREAMS", SHOP, ">"), READ_NOW]],
    "an error in a transaction": [commands.atomic([("XADD", SHOP, "NOMKSTREAM", "*", b"odd"), READ_NOW])],
    "a stream that is not there": [[("XADD", b"other", "NOMKSTREAM", "*", b"a", b"b")]],
    "MULTI in MULTI": [[("MULTI",), ("MULTI",), request(), ("EXEC",)]],
    "EXEC alone": [[("EXEC",)], [("DISCARD",)]],
    "a transaction in two parts": [[("MULTI",), request()], [("EXEC",), ("PING",)]],
    "a command that nobody knows": [[("MULTI",), ("NOTHING", 1), ("EXEC",)], [("NOTHING",)]],
    "numbers and texts": [[("SET", "k", 7, "EX", 30), ("GET", "k"), ("LPUSH", "l", b"a", "b", 3), ("LRANGE", "l", 0, -1)]],
    "another database": [[("SELECT", 3), *GROUPS], [request(), READ_NOW]],
    "of the connection": [[("CLIENT", "SETNAME", "redisipc:shop:stock"), ("CLIENT", "GETNAME"), ("SUBSCRIBE", "c")]],
    "a claim": [[request(), READ_NOW, commands.keep(SHOP, STOCK, b"consumer_694de8_0", [b"1001-0"])]],
}  # fmt: skip


class Client:
    """Speaks to a hub over one wire."""

    def __init__(self, hub: Hub, wire: Wire) -> None:
        self._wire = wire
        self._parser = wire.parser()
        self._connection = hub.server.connect("redisipc:shop:stock:694de8:write", self._take, self._take_end)
        self.replies: list[Any] = []

    def _take(self, data: Any) -> None:
        self._parser.feed(data)
        while (reply := self._parser.gets()) is not MISSING:
            self.replies.append(reply)

    def _take_end(self, reason: str) -> None:
        self.replies.append(f"end: {reason}")

    def send(self, commands: list[Command]) -> None:
        self._connection.received(self._wire.pack(list(commands)))


def played(batches: list[list[Command]], wire: Wire, full: bool = False) -> tuple[list[Any], list[Any], str, list[str]]:
    """The replies to one client, those to another one that reads, the story, and the outcomes."""
    with Hub() as hub:
        hub.server.clock.wall = lambda: 1001  # type: ignore[method-assign]
        hub.server.clock.now = lambda: hub.server.journal.begun
        writer, reader = Client(hub, wire), Client(hub, wire)
        writer.send(GROUPS)
        reader.send([commands.read_new(SHOP, WEB, b"dispatcher_78de6e_0", 128, 0.0)])
        if full:
            hub.server.settings["maxmemory"] = "1"
            hub.server.settle()
        for batch in batches:
            writer.send(batch)
        return writer.replies, reader.replies, hub.story(), [asked.outcome for asked in hub.requests]


@pytest.mark.parametrize("full", [False, True], ids=["", "no memory"])
@pytest.mark.parametrize("name", ROWS)
def test_it_is_the_same_as_bytes_and_as_it_is(name: str, full: bool) -> None:
    as_bytes = played(ROWS[name], RESP2, full)
    assert played(ROWS[name], HANDED, full) == as_bytes
    assert len(as_bytes[0]) > len(GROUPS)


def test_what_is_left_comes_before_what_is_fed_later() -> None:
    parser = Handed()
    parser.feed([1, None, [2]])
    assert parser.gets() == 1
    parser.feed([3])
    assert [parser.gets() for _ in range(4)] == [None, [2], 3, MISSING]
