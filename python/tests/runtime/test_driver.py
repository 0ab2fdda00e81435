"""The driver: which bytes go where, whose replies they are, and what is reported when a connection fails."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from redisipc.protocol.commands import Failure
from redisipc.protocol.events import Closed, Start, State, StateChanged, Unblock
from redisipc.runtime.connection import REPLY_LIMIT

from .support import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_batch_opens_the_connection_and_leaves_in_one_write(bench: Bench) -> None:
    bench.batch(("MULTI",), ("DEL", "a"), ("EXEC",))
    bench.driver.pump(0.0)
    assert [connection.name for connection, _ in bench.host.opening] == ["write"]
    transport = bench.open()
    assert transport.sent == [b"*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n"]


def test_replies_are_counted_to_their_batch_and_errors_are_values(bench: Bench) -> None:
    batch = bench.batch(("A",), ("B",), ("C",))
    bench.driver.pump(0.0)
    bench.open()
    bench.driver.received(bench.driver.writer, b"+OK\r\n-OOM no memory\r\n*2\r\n:1\r", 1.0)
    assert bench.endpoint.told("batch_done") == []
    bench.driver.received(bench.driver.writer, b"\n-ERR inner\r\n", 1.5)
    replies = [b"OK", Failure("OOM", "OOM no memory"), [1, Failure("ERR", "ERR inner")]]
    assert bench.endpoint.told("batch_done") == [(batch, replies, 1.5)]


def test_the_next_batch_waits_for_the_one_in_flight(bench: Bench) -> None:
    bench.batch(("A",))
    bench.batch(("B",))
    bench.driver.pump(0.0)
    transport = bench.open()
    bench.driver.pump(0.0)
    assert len(transport.sent) == 1
    bench.driver.received(bench.driver.writer, b"+OK\r\n", 0.0)
    bench.driver.pump(0.0)
    assert len(transport.sent) == 2


def test_a_batch_without_commands_is_done_at_once(bench: Bench) -> None:
    batch = bench.batch()
    bench.driver.pump(2.0)
    assert bench.endpoint.told("batch_done") == [(batch, [], 2.0)]
    assert bench.host.opening == []


def test_a_connection_that_cannot_be_had_means_not_sent(bench: Bench) -> None:
    batch, read = bench.batch(("A",)), bench.read()
    bench.driver.pump(0.0)
    for connection, attempt in bench.host.opening:
        bench.driver.open_failed(connection, attempt, "refused", False, 1.0)
    assert bench.endpoint.told("batch_lost") == [(batch, False, "refused", 1.0, False)]
    assert bench.endpoint.told("read_lost") == [(read, "refused", 1.0, False)]


def test_a_connection_that_breaks_means_unknown(bench: Bench) -> None:
    batch = bench.batch(("A",))
    bench.driver.pump(0.0)
    transport = bench.open()
    bench.driver.lost(bench.driver.writer, "reset", 1.0)
    assert bench.endpoint.told("batch_lost") == [(batch, True, "reset", 1.0, False)]
    assert transport.closed


def test_a_send_that_raises_means_unknown(bench: Bench) -> None:
    bench.batch(("A",))
    bench.driver.pump(0.0)
    transport = bench.open()
    bench.driver.received(bench.driver.writer, b"+OK\r\n", 0.0)
    transport.broken = BrokenPipeError("gone")
    batch = bench.batch(("B",))
    bench.driver.pump(1.0)
    assert bench.endpoint.told("batch_lost") == [(batch, True, "gone", 1.0, False)]


def test_a_loss_is_told_without_the_number_of_the_error(bench: Bench) -> None:
    bench.batch(("A",))
    bench.driver.pump(0.0)
    bench.open()
    bench.driver.lost(bench.driver.writer, "[Errno 104] Connection reset by peer", 0.0)
    assert "Connection reset by peer" in bench.endpoint.told("batch_lost")[0]


def test_silence_counts_as_lost(bench: Bench) -> None:
    batch, read = bench.batch(("A",)), bench.read()
    bench.driver.pump(0.0)
    bench.open()
    bench.open()
    assert bench.driver.deadline() == REPLY_LIMIT
    bench.driver.tick(REPLY_LIMIT)
    assert bench.endpoint.told("batch_lost")[0][:2] == (batch, True)
    assert bench.endpoint.told("read_lost") == []
    bench.driver.tick(read.block + REPLY_LIMIT)
    assert bench.endpoint.told("read_lost")[0][0] is read


def test_a_connection_on_which_bytes_come_is_not_silent(bench: Bench) -> None:
    batch = bench.batch(("A",), ("B",))
    bench.driver.pump(0.0)
    bench.open()
    bench.driver.received(bench.driver.writer, b"+OK\r\n", 2.0)
    bench.driver.tick(REPLY_LIMIT)
    assert bench.endpoint.told("batch_lost") == []
    bench.driver.tick(2.0 + REPLY_LIMIT)
    assert bench.endpoint.told("batch_lost")[0][:2] == (batch, True)


def test_a_connection_that_bytes_leave_is_not_silent(bench: Bench) -> None:
    batch = bench.batch(("A",))
    bench.driver.pump(0.0)
    transport = bench.open()
    bench.driver.received(bench.driver.writer, b"+OK\r\n", 0.0)
    batch = bench.batch(("B",))
    transport.left = 1000
    bench.driver.pump(0.0)
    transport.left = 500
    bench.driver.tick(REPLY_LIMIT)
    transport.left = 100
    bench.driver.tick(2 * REPLY_LIMIT - 0.1)
    assert bench.endpoint.told("batch_lost") == []
    bench.driver.tick(3 * REPLY_LIMIT)
    assert bench.endpoint.told("batch_lost")[0][:2] == (batch, True)


def test_a_higher_epoch_drops_the_connection_first(bench: Bench) -> None:
    bench.batch(("A",))
    bench.driver.pump(0.0)
    old = bench.open()
    bench.driver.received(bench.driver.writer, b"+OK\r\n", 0.0)
    bench.batch(("B",), epoch=1)
    bench.driver.pump(0.0)
    assert old.closed
    assert len(old.sent) == 1
    assert bench.open().sent == [b"*1\r\n$1\r\nB\r\n"]


def test_a_connection_that_comes_too_late_is_closed(bench: Bench) -> None:
    bench.batch(("A",))
    bench.driver.pump(0.0)
    connection, attempt = bench.host.opening[0]
    bench.driver.open_failed(connection, attempt, "timeout", False, 1.0)
    assert bench.open().closed
    assert connection.transport is None


def test_a_reply_that_nobody_asked_for_ends_the_connection(bench: Bench) -> None:
    bench.batch(("A",))
    bench.driver.pump(0.0)
    transport = bench.open()
    bench.driver.received(bench.driver.writer, b"+OK\r\n+OK\r\n", 0.0)
    assert transport.closed


def test_bytes_that_are_no_resp_end_the_connection(bench: Bench) -> None:
    batch = bench.batch(("A",))
    bench.driver.pump(0.0)
    transport = bench.open()
    bench.driver.received(bench.driver.writer, b"HTTP/1.1 400\r\n\r\n", 0.0)
    assert transport.closed
    assert bench.endpoint.told("batch_lost")[0][:2] == (batch, True)


def test_unblock_asks_the_server_by_client_id(bench: Bench) -> None:
    bench.batch(("A",))
    read = bench.read()
    bench.driver.pump(0.0)
    writer, reader = bench.open(), bench.open()
    bench.driver.received(bench.driver.writer, b"+OK\r\n", 0.0)
    bench.driver.received(bench.driver.reader, b":77\r\n", 0.0)
    bench.endpoint.queue.append(Unblock())
    bench.driver.pump(0.0)
    assert writer.sent[-1].endswith(b"UNBLOCK\r\n$2\r\n77\r\n")
    bench.driver.received(bench.driver.reader, b"*-1\r\n", 1.0)
    assert bench.endpoint.told("read_done") == [(read, None, 1.0)]
    assert not reader.closed


def test_unblock_asks_again_where_redis_has_not_come_to_the_read(bench: Bench) -> None:
    bench.batch(("A",))
    bench.read()
    bench.driver.pump(0.0)
    writer = bench.open()
    bench.open()
    bench.driver.received(bench.driver.writer, b"+OK\r\n", 0.0)
    bench.driver.received(bench.driver.reader, b":7\r\n", 0.0)
    bench.endpoint.queue.append(Unblock())
    bench.driver.pump(0.0)
    unblock = b"*3\r\n$6\r\nCLIENT\r\n$7\r\nUNBLOCK\r\n$1\r\n7\r\n"
    assert writer.sent[1:] == [unblock]
    bench.driver.received(bench.driver.writer, b":0\r\n", 0.0)
    assert writer.sent[1:] == [unblock, unblock]
    bench.driver.received(bench.driver.writer, b":1\r\n", 0.0)
    bench.driver.received(bench.driver.reader, b"*-1\r\n", 0.0)
    assert writer.sent[1:] == [unblock, unblock]


def test_unblock_breaks_the_read_where_it_may_not_ask(bench: Bench) -> None:
    bench.batch(("A",))
    read = bench.read()
    bench.driver.pump(0.0)
    bench.open()
    reader = bench.open()
    bench.driver.received(bench.driver.reader, b"-NOPERM no client\r\n", 0.0)
    bench.endpoint.queue.append(Unblock())
    bench.driver.pump(0.0)
    assert reader.closed
    assert bench.endpoint.told("read_lost")[0][0] is read


def test_closed_drops_all_lanes(bench: Bench) -> None:
    bench.batch(("A",))
    bench.read()
    bench.driver.pump(0.0)
    transports = [bench.open(), bench.open()]
    bench.endpoint.queue.append(Closed())
    bench.driver.pump(0.0)
    assert all(transport.closed for transport in transports)
    assert bench.host.events[-1] == ("closed",)


class TestWakeups:
    """The connection that listens for wake-ups."""

    def open(self) -> Bench:
        bench = Bench(wakeups=True)
        bench.endpoint.queue.append(StateChanged(State.UP))
        bench.driver.pump(0.0)
        self.transport = bench.open()
        return bench

    def test_it_subscribes_once_up_and_tells_the_core(self) -> None:
        bench = self.open()
        assert self.transport.sent == [b"*3\r\n$9\r\nSUBSCRIBE\r\n$4\r\nmine\r\n$4\r\nours\r\n"]
        connection = bench.driver.wakeups.connection
        bench.driver.received(connection, b"*3\r\n$9\r\nsubscribe\r\n$4\r\nmine\r\n:1\r\n", 1.0)
        bench.driver.received(connection, b"*3\r\n$7\r\nmessage\r\n$4\r\nmine\r\n$0\r\n\r\n", 2.0)
        assert bench.endpoint.told("listening") == [(True, 1.0)]
        assert bench.endpoint.told("woken") == [(b"mine", 2.0)]

    def test_without_the_right_it_is_given_up_for_good(self) -> None:
        bench = self.open()
        bench.driver.received(bench.driver.wakeups.connection, b"-NOPERM no channels\r\n", 1.0)
        bench.driver.tick(1000.0)
        assert self.transport.closed
        assert bench.host.opening == []
        assert bench.endpoint.told("listening") == [(False, 1.0)]

    def test_lost_it_is_opened_again_later(self) -> None:
        bench = self.open()
        bench.driver.lost(bench.driver.wakeups.connection, "reset", 1.0)
        bench.driver.tick(1.5)
        assert bench.host.opening == []
        bench.driver.tick(3.5)
        assert len(bench.host.opening) == 1

    def test_after_silence_it_asks_and_then_gives_up(self) -> None:
        bench = self.open()
        connection = bench.driver.wakeups.connection
        bench.driver.received(connection, b"*3\r\n$9\r\nsubscribe\r\n$4\r\nmine\r\n:1\r\n", 0.0)
        bench.driver.tick(31.0)
        assert self.transport.sent[-1] == b"*1\r\n$4\r\nPING\r\n"
        bench.driver.received(connection, b"*2\r\n$4\r\npong\r\n$0\r\n\r\n", 31.1)
        assert not self.transport.closed
        bench.driver.tick(62.0)
        bench.driver.tick(68.0)
        assert self.transport.closed

    def test_a_reconnect_subscribes_anew(self) -> None:
        bench = self.open()
        bench.endpoint.queue += [StateChanged(State.DOWN), StateChanged(State.UP)]
        bench.driver.pump(5.0)
        assert self.transport.closed
        assert bench.endpoint.told("listening") == [(False, 5.0)]
        assert len(bench.host.opening) == 1


def test_a_handshake_that_fails_is_given_more_time_and_each_good_one_takes_a_part_of_it_back() -> None:
    bench = Bench()
    connection = bench.driver.writer
    given = []
    for _ in range(8):
        bench.batch(("PING",))
        bench.driver.pump(0.0)
        connection, attempt = bench.host.opening.pop(0)
        given.append(connection.patience)
        bench.driver.open_failed(connection, attempt, "no answer", False, connection.patience)
    assert given[:3] == [1.0, 1.5, 2.25]
    assert given[-1] == 5.0
    for less in (5.0 / 1.5, 5.0 / 1.5**2):
        bench.batch(("PING",))
        bench.driver.pump(0.0)
        bench.open()
        assert connection.patience == pytest.approx(less)
        bench.driver.lost(connection, "cut", 0.0)


def test_an_attempt_that_fails_at_once_gives_the_next_one_no_more_time() -> None:
    """While nothing listens, each attempt is refused. The first server that hangs then would cost the longest limit."""
    bench = Bench()
    for number in range(20):
        bench.batch(("PING",))
        bench.driver.pump(0.2 * number)
        connection, attempt = bench.host.opening.pop(0)
        assert connection.patience == 1.0
        bench.driver.open_failed(connection, attempt, "refused", False, 0.2 * number + 0.01)


@pytest.mark.parametrize("makes_room", [True, False])
def test_beside_siblings_the_next_read_waits_for_handlers_that_run_at_once(bench: Bench, makes_room: bool) -> None:
    endpoint: Any = bench.endpoint
    endpoint.outstanding, endpoint.inflight, endpoint.wiring = 0, 5, SimpleNamespace(makes_room=makes_room)
    endpoint.queue = [Start(SimpleNamespace())]  # type: ignore[arg-type]
    bench.read()
    bench.driver.pump(0.0, reading=False)
    assert bench.driver.held is makes_room
    assert len(bench.host.opening) == (0 if makes_room else 1)
    bench.driver.read_on(0.0)
    assert [connection.name for connection, _ in bench.host.opening] == ["read"]
