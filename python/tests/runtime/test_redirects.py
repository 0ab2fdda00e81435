"""Redirections of a cluster, by hand: the core gets one reply for each command, whichever node gave it."""

from __future__ import annotations

import pytest

from redisipc.protocol.commands import Command, Failure
from redisipc.runtime.driver import Driver
from redisipc.runtime.redirects import HOPS, Redirection, redirection, units
from redisipc.runtime.resp import pack

from .support import Bench

MULTI: list[Command] = [("MULTI",), ("XADD", "s"), ("XACK", "s"), ("EXEC",)]


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.driver = Driver(bench.endpoint, bench.host, False, cluster=True)  # type: ignore[arg-type]
    return bench


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("MOVED 866 10.0.0.1:7001", Redirection(("10.0.0.1", 7001), False)),
        ("ASK 866 10.0.0.1:7001", Redirection(("10.0.0.1", 7001), True)),
        ("MOVED 866 :7001", Redirection(("", 7001), False)),
        ("MOVED 866 ::1:7001", Redirection(("::1", 7001), False)),
        ("MOVED 866 somewhere", None),
        ("OOM no memory", None),
    ],
)
def test_what_a_reply_says(text: str, found: Redirection | None) -> None:
    assert redirection(Failure(text.partition(" ")[0], text)) == found
    assert redirection(text.encode()) is None


def test_a_multi_goes_as_a_whole() -> None:
    commands: list[Command] = [("A",), *MULTI, ("B",)]
    assert units(commands) == [range(0, 1), range(1, 5), range(5, 6)]


def test_after_moved_only_what_was_not_executed_goes_to_the_node_that_is_named(bench: Bench) -> None:
    batch = bench.batch(("A",), ("B",))
    bench.driver.pump(0.0)
    old = bench.open()
    bench.driver.received(bench.driver.writer, b"+OK\r\n-MOVED 866 10.0.0.1:7001\r\n", 0.0)
    assert old.closed
    assert bench.endpoint.told("batch_done") == []
    assert bench.host.opening[0][0].place == ("10.0.0.1", 7001)
    new = bench.open()
    assert new.sent == [pack([("B",)])]
    bench.driver.received(bench.driver.writer, b":7\r\n", 1.0)
    assert bench.endpoint.told("batch_done") == [(batch, [b"OK", 7], 1.0)]
    bench.batch(("C",))
    bench.driver.pump(1.0)
    assert new.sent[1:] == [pack([("C",)])], "it stays there"


def test_after_ask_it_asks_there_once(bench: Bench) -> None:
    batch = bench.batch(("A",), *MULTI)
    bench.driver.pump(0.0)
    home = bench.open()
    bench.driver.received(
        bench.driver.writer, b"+OK\r\n+OK\r\n-ASK 1 h:1\r\n-ASK 1 h:1\r\n-EXECABORT because of errors\r\n", 0.0
    )
    assert bench.host.opening[0][0] is bench.driver.redirects.connection
    there = bench.open()
    assert there.sent == [pack([("ASKING",), *MULTI])]
    bench.driver.received(
        bench.driver.redirects.connection, b"+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$3\r\n1-0\r\n:1\r\n", 1.0
    )
    replies = [b"OK", b"OK", b"QUEUED", b"QUEUED", [b"1-0", 1]]
    assert bench.endpoint.told("batch_done") == [(batch, replies, 1.0)]
    bench.batch(("C",))
    bench.driver.pump(1.0)
    assert home.sent[1:] == [pack([("C",)])], "the next one goes home"


def test_a_read_is_asked_for_where_the_slot_goes_and_the_next_one_at_home(bench: Bench) -> None:
    read = bench.read()
    bench.driver.pump(0.0)
    bench.open()
    bench.driver.received(bench.driver.reader, b":5\r\n-ASK 1 h:1\r\n", 0.0)
    there = bench.open()
    assert there.sent == [pack([("CLIENT", "ID")]), pack([("ASKING",), ("XREADGROUP",)])]
    bench.driver.received(bench.driver.reader, b":6\r\n+OK\r\n*-1\r\n", 1.0)
    assert bench.endpoint.told("read_done") == [(read, None, 1.0)]
    bench.read()
    bench.driver.pump(1.0)
    assert there.closed
    assert bench.host.opening[0][0].place is None


def test_a_read_follows_moved(bench: Bench) -> None:
    read = bench.read()
    bench.driver.pump(0.0)
    bench.open()
    bench.driver.received(bench.driver.reader, b":5\r\n-MOVED 1 h:1\r\n", 0.0)
    assert bench.host.opening[0][0].place == ("h", 1)
    there = bench.open()
    assert there.sent[1:] == [pack([("XREADGROUP",)])]
    bench.driver.received(bench.driver.reader, b":6\r\n*-1\r\n", 1.0)
    assert bench.endpoint.told("read_done") == [(read, None, 1.0)]


def test_nodes_that_disagree_are_an_outage(bench: Bench) -> None:
    batch = bench.batch(("A",))
    bench.driver.pump(0.0)
    bench.open()
    for hop in range(HOPS):
        bench.driver.received(bench.driver.writer, b"-MOVED 1 h:%d\r\n" % hop, 0.0)
        bench.open()
    bench.driver.received(bench.driver.writer, b"-MOVED 1 h:9\r\n", 0.0)
    assert bench.endpoint.told("batch_done") == [(batch, [Failure("MOVED", "MOVED 1 h:9")], 0.0)]


def test_a_node_that_breaks_off_leaves_the_batch_unknown(bench: Bench) -> None:
    batch = bench.batch(("A",), ("B",))
    bench.driver.pump(0.0)
    bench.open()
    bench.driver.received(bench.driver.writer, b"+OK\r\n-ASK 1 h:1\r\n", 0.0)
    connection, attempt = bench.host.opening.pop(0)
    bench.driver.open_failed(connection, attempt, "refused", False, 1.0)
    assert bench.endpoint.told("batch_lost") == [(batch, True, "refused", 1.0, False)]


def test_without_a_cluster_the_core_sees_it(bench: Bench) -> None:
    bench = Bench()
    batch = bench.batch(("A",))
    bench.driver.pump(0.0)
    bench.open()
    bench.driver.received(bench.driver.writer, b"-MOVED 1 h:1\r\n", 0.0)
    assert bench.endpoint.told("batch_done") == [(batch, [Failure("MOVED", "MOVED 1 h:1")], 0.0)]
