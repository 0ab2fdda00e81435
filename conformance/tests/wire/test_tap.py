"""The tap on a real Redis: what passes, what is recorded, and each fault."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from redisipc_conformance.server import start
from redisipc_conformance.wire import resp
from redisipc_conformance.wire.address import Address
from redisipc_conformance.wire.client import Client, ConnectionLost
from redisipc_conformance.wire.fault import Deed, Fault
from redisipc_conformance.wire.pattern import Pattern
from redisipc_conformance.wire.pipe import Pace, Pipe
from redisipc_conformance.wire.tap import Exchange, Tap

LOST = (ConnectionLost, OSError)


class Rig:
    """A tap with a client behind it."""

    def __init__(self, address: Address) -> None:
        self.settled: list[Exchange] = []
        self.changes = 0
        self.tap = Tap(address, self.settled.append, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    async def open(self) -> None:
        await self.tap.start()
        self.client = Client(Address.parse(self.tap.url))

    def arm(self, command: str, do: Deed, **more: Any) -> Fault:
        fault = Fault(Pattern.of(command), do, **more)
        self.tap.arm(fault)
        return fault

    def sent(self) -> list[str]:
        return [e.args[0].decode() for e in self.tap.exchanges]

    async def until_sent(self, name: str) -> None:
        while name not in self.sent():
            await asyncio.sleep(0.001)


@pytest.fixture
async def rig(address: Address) -> AsyncIterator[Rig]:
    made = Rig(address)
    await made.open()
    yield made
    await made.client.close()
    await made.tap.close()


async def test_commands_and_replies_are_recorded_with_their_times(rig: Rig, key: str) -> None:
    before = time.monotonic()
    assert await rig.client("SET", key, "x", "EX", 60) == b"OK"
    exchange = rig.tap.exchanges[-1]
    assert exchange.args == [b"SET", key.encode(), b"x", b"EX", b"60"]
    assert exchange.done
    assert exchange.result == b"OK"
    assert before <= exchange.sent <= (exchange.replied or 0) <= time.monotonic()


async def test_a_large_value_passes_unchanged(rig: Rig, client: Client, key: str) -> None:
    value = bytes(range(256)) * 8192
    await rig.client("SET", key, value, "EX", 60)
    assert await rig.client("GET", key) == value
    assert await client("GET", key) == value


async def test_the_members_of_a_multi_have_their_own_results(rig: Rig, key: str) -> None:
    await rig.client.batch([("MULTI",), ("RPUSH", key, "a", "b"), ("EXPIRE", key, 60), ("EXEC",)])
    push, execute = rig.tap.exchanges[1], rig.tap.exchanges[-1]
    assert push.result == 2
    assert [member.name for member in execute.members] == [b"RPUSH", b"EXPIRE"]
    assert push.multi == execute.multi is not None


async def test_an_error_reply_is_not_done(rig: Rig, key: str) -> None:
    reply = await rig.client.reply("LPUSH", key)
    assert isinstance(reply, resp.ErrorReply)
    assert rig.tap.exchanges[-1].answered
    assert not rig.tap.exchanges[-1].done


async def test_drop_reply_runs_the_command_and_cuts(rig: Rig, client: Client, key: str) -> None:
    fault = rig.arm("SET", "drop-reply")
    with pytest.raises(LOST):
        await rig.client("SET", key, "x", "EX", 60)
    assert fault.struck == 1
    assert await client("GET", key) == b"x"
    assert rig.tap.exchanges[-1].done
    assert await rig.client("GET", key) == b"x", "only once: a new connection works"


async def test_cut_before_never_reaches_redis(rig: Rig, client: Client, key: str) -> None:
    rig.arm("SET", "cut-before")
    with pytest.raises(LOST):
        await rig.client("SET", key, "x")
    assert await client("GET", key) is None
    assert "never arrived" in rig.tap.exchanges[-1].fate


async def test_a_held_command_and_what_follows_it_wait(rig: Rig, client: Client, key: str) -> None:
    fault = rig.arm("SET", "hold")
    work = asyncio.ensure_future(rig.client.batch([("SET", key, "x", "EX", 60), ("GET", key)]))
    await rig.until_sent("SET")
    assert await client("GET", key) is None
    fault.lift()
    assert await work == [b"OK", b"x"]


async def test_a_held_reply_keeps_the_later_ones_back(rig: Rig, client: Client, key: str) -> None:
    fault = rig.arm("SET", "hold-reply")
    work = asyncio.ensure_future(rig.client.batch([("SET", key, "x", "EX", 60), ("GET", key)]))
    while await client("GET", key) is None:
        await asyncio.sleep(0.001)
    assert not work.done()
    fault.lift()
    assert await work == [b"OK", b"x"]


async def test_a_fault_that_is_lifted_before_the_reply_came_holds_nothing(rig: Rig, client: Client, key: str) -> None:
    fault = rig.arm("BLPOP", "hold-reply")
    work = asyncio.ensure_future(rig.client("BLPOP", key, 10))
    while not fault.struck:
        await asyncio.sleep(0.001)
    fault.lift()
    await client("RPUSH", key, "x")
    assert await asyncio.wait_for(work, 10) == [key.encode(), b"x"]


async def test_a_delayed_reply_comes_later(rig: Rig, key: str) -> None:
    rig.arm("GET", "delay", seconds=0.05)
    began = time.monotonic()
    await rig.client("GET", key)
    assert time.monotonic() - began >= 0.05


async def test_a_made_up_reply_may_come_later(rig: Rig, client: Client, key: str) -> None:
    rig.arm("GET", "reply", seconds=0.05)
    await client("SET", key, "x")
    began = time.monotonic()
    assert await rig.client("GET", key) is None
    assert time.monotonic() - began >= 0.05
    assert await rig.client("GET", key) == b"x"


async def test_an_error_is_answered_and_redis_never_sees_it(rig: Rig, client: Client, key: str) -> None:
    rig.arm("SET", "error", text="OOM no more")
    reply = await rig.client.reply("SET", key, "x")
    assert isinstance(reply, resp.ErrorReply)
    assert reply.kind == "OOM"
    assert await client("EXISTS", key) == 0


async def test_an_error_inside_a_multi_refuses_all_of_it(rig: Rig, client: Client, key: str) -> None:
    rig.arm("SET", "error", text="OOM no more")
    replies = await rig.client.batch([("MULTI",), ("SET", key, "x"), ("INCR", key + "2"), ("EXEC",)])
    assert [str(reply).split()[0] for reply in (replies[1], replies[3])] == ["OOM", "EXECABORT"]
    assert await client("EXISTS", key, key + "2") == 0
    assert await rig.client("PING") == b"PONG", "the connection is not left inside the MULTI"


@pytest.mark.parametrize("resp3", [False, True])
async def test_an_error_inside_exec_refuses_one_command_alone(rig: Rig, client: Client, key: str, resp3: bool) -> None:
    rig.arm("SET", "error", text="OOM no more", alone=True)
    if resp3:
        await rig.client("HELLO", "3")
    commands = [("MULTI",), ("RPUSH", key, "a"), ("SET", key, "x"), ("LRANGE", key, 0, -1), ("EXEC",)]
    *queued, end = await rig.client.batch(commands)
    assert queued == [b"OK", b"QUEUED", b"QUEUED", b"QUEUED"]
    assert end == [1, resp.ErrorReply("OOM no more"), [b"a"]]
    refused, push = rig.tap.exchanges[-3], rig.tap.exchanges[-4]
    assert (push.name, push.done) == (b"RPUSH", True)
    assert (refused.name, refused.answered, refused.done) == (b"SET", True, False)
    assert await rig.client("LLEN", key) == 1, "the connection is in order"
    await client("DEL", key)


async def test_outside_a_multi_the_error_alone_is_an_error_like_any_other(rig: Rig, client: Client, key: str) -> None:
    rig.arm("SET", "error", text="OOM no more", alone=True)
    assert await rig.client.reply("SET", key, "x") == resp.ErrorReply("OOM no more")
    assert await client("EXISTS", key) == 0


async def test_a_made_up_reply_instead_of_exec(rig: Rig, client: Client, key: str) -> None:
    rig.arm("EXEC", "error", text="CLUSTERDOWN")
    replies = await rig.client.batch([("MULTI",), ("SET", key, "x"), ("EXEC",), ("PING",)])
    assert str(replies[2]) == "CLUSTERDOWN"
    assert replies[3] == b"PONG"
    assert await client("EXISTS", key) == 0


async def test_made_up_replies_keep_their_place_in_a_pipeline(rig: Rig, key: str) -> None:
    rig.arm("GET", "reply", reply=[1, None], times=0)
    replies = await rig.client.batch([("PING",), ("GET", key), ("PING",), ("GET", key)])
    assert replies == [b"PONG", [1, None], b"PONG", [1, None]]


async def test_a_lost_reply_never_comes_and_the_connection_stays(rig: Rig, client: Client, key: str) -> None:
    rig.arm("SET", "lose")
    work = asyncio.ensure_future(rig.client("SET", key, "x", "EX", 60))
    while await client("GET", key) is None:
        await asyncio.sleep(0.001)
    assert not work.done()
    work.cancel()


async def test_skip_and_times_choose_which_are_hit(rig: Rig, key: str) -> None:
    fault = rig.arm("GET", "error", skip=1, times=2, text="ERR no")
    replies = [await rig.client.reply("GET", key) for _ in range(4)]
    assert [isinstance(reply, resp.ErrorReply) for reply in replies] == [False, True, True, False]
    assert fault.struck == 2


async def test_only_an_exec_whose_multi_holds_the_pattern_is_hit(rig: Rig, key: str) -> None:
    rig.arm("EXEC", "error", text="ERR hit", multi_has=Pattern.of("XADD"))
    first = await rig.client.batch([("MULTI",), ("GET", key), ("EXEC",)])
    second = await rig.client.batch([("MULTI",), ("XADD", key, "*", "a", "b"), ("EXEC",)])
    assert first[-1] == [None]
    assert str(second[-1]) == "ERR hit"


async def test_a_silent_tap_passes_nothing_until_it_is_resumed(rig: Rig) -> None:
    await rig.client("PING")
    rig.tap.silence()
    work = asyncio.ensure_future(rig.client("PING"))
    done, _ = await asyncio.wait([work], timeout=0.05)
    assert not done
    rig.tap.resume()
    assert await work == b"PONG"


async def test_cut_breaks_and_refusing_keeps_away(rig: Rig) -> None:
    await rig.client("PING")
    rig.tap.refusing = True
    rig.tap.cut()
    with pytest.raises(LOST):
        await rig.client("PING")
    rig.tap.refusing = False
    assert await rig.client("PING") == b"PONG"


async def test_an_attempt_in_vain_is_told_at_once(rig: Rig) -> None:
    rig.tap.refusing = True
    with pytest.raises(LOST):
        await rig.client("PING")
    assert (len(rig.tap.refused), rig.changes) == (1, 1)


async def test_messages_of_a_resp2_subscription_are_no_replies(rig: Rig, client: Client, key: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", Address.parse(rig.tap.url).port)
    writer.write(resp.encode_command(["SUBSCRIBE", key]))
    assert b"subscribe" in await reader.readuntil(b":1\r\n")
    await client("PUBLISH", key, "hello")
    assert await reader.readuntil(b"hello\r\n")
    writer.write(resp.encode_command(["PING"]))
    assert b"pong" in await reader.readuntil(b"\r\n$0\r\n\r\n")
    assert rig.tap.exchanges[-1].done
    writer.close()
    await writer.wait_closed()


async def test_cut_within_a_command_leaves_half_of_it_at_redis(rig: Rig, client: Client, key: str) -> None:
    fault = rig.arm("SET", "cut-within")
    with pytest.raises(LOST):
        await rig.client("SET", key, "x" * 1000)
    assert fault.struck == 1
    assert await client("EXISTS", key) == 0


async def test_a_reply_that_is_cut_within_was_executed(rig: Rig, client: Client, key: str) -> None:
    await client("SET", key, "x" * 1000, "EX", 60)
    rig.arm("GETDEL", "reply-within")
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.tap.port)
    writer.write(resp.encode_command(["GETDEL", key]))
    whole = len(resp.encode_reply("x" * 1000))
    assert 0 < len(await reader.read()) < whole
    assert await client("EXISTS", key) == 0
    writer.close()


async def test_a_forgotten_connection_hangs_and_a_new_one_works(rig: Rig, client: Client, key: str) -> None:
    await rig.client("PING")
    old = asyncio.ensure_future(rig.client("BLPOP", key, 0))
    await rig.until_sent("BLPOP")
    assert rig.tap.forget() == 1
    await client("RPUSH", key, "x")
    done, _ = await asyncio.wait([old], timeout=0.05)
    assert not done
    assert await client("LLEN", key) == 0, "Redis still serves the connection of which nobody told it that it is dead"
    assert rig.tap.exchanges[-1].done
    other = Client(Address.parse(rig.tap.url))
    assert await other("PING") == b"PONG"
    await other.close()
    rig.tap.end_forgotten()
    with pytest.raises(LOST):
        await old


async def test_a_connection_that_is_closed_at_the_endpoint_alone_is_still_served(
    rig: Rig, client: Client, key: str
) -> None:
    await rig.client("PING")
    old = asyncio.ensure_future(rig.client("BLPOP", key, 0))
    await rig.until_sent("BLPOP")
    assert rig.tap.forget(told=True) == 1
    with pytest.raises(LOST):
        await old
    await client("RPUSH", key, "x")
    assert await client("LLEN", key) == 0, "Redis does not know that the endpoint has left"
    rig.tap.end_forgotten()


async def test_redis_does_not_hear_of_who_leaves_in_a_silence(rig: Rig, client: Client) -> None:
    await rig.client("CLIENT", "SETNAME", "leaver")
    rig.tap.silence()
    await rig.client.close()
    await asyncio.sleep(0.05)
    assert b"name=leaver" in await client("CLIENT", "LIST")
    rig.tap.resume()
    while b"name=leaver" in await client("CLIENT", "LIST"):
        await asyncio.sleep(0.001)


async def test_a_slow_link_takes_its_time_and_loses_nothing(rig: Rig, client: Client, key: str) -> None:
    value = bytes(range(256)) * 40
    await client("SET", key, value, "EX", 60)
    rig.tap.pace.rate = 50_000
    began = time.monotonic()
    assert await rig.client("GET", key) == value
    assert time.monotonic() - began >= 0.15
    rig.tap.pace.rate = 0
    rig.tap.pace.delay = 0.05
    began = time.monotonic()
    assert await rig.client("PING") == b"PONG"
    assert time.monotonic() - began >= 0.1


async def test_a_busy_runner_does_not_make_a_slow_link_slower() -> None:
    passed = bytearray()
    pipe = Pipe(Pace(rate=10_000), lambda: SimpleNamespace(write=passed.extend))  # type: ignore[arg-type,return-value]
    pipe.write(bytes(100_000))
    await asyncio.sleep(0.05)
    before = len(passed)
    time.sleep(0.3)
    await asyncio.sleep(0.001)
    pipe.close()
    assert len(passed) - before >= 2_500


async def test_what_a_slow_link_does_not_take_waits_in_the_buffers_of_the_sender(rig: Rig, key: str) -> None:
    assert await rig.client("PING") == b"PONG"
    rig.tap.slow_down(6_000_000)
    began = time.monotonic()
    sending = asyncio.ensure_future(rig.client("SET", key, bytes(12_000_000), "EX", 60))
    wire = rig.client._wire
    assert wire is not None
    assert wire.transport is not None
    left = []
    for _ in range(4):
        await asyncio.sleep(0.2)
        left.append(wire.transport.get_write_buffer_size())
    assert left == sorted(left, reverse=True)
    assert left[0] > left[-1] > 0
    assert await sending == b"OK"
    assert time.monotonic() - began >= 1.5
    assert await rig.client("DEL", key) == 1


async def test_only_the_connection_whose_last_command_is_named_is_cut(rig: Rig, client: Client, key: str) -> None:
    other = Client(Address.parse(rig.tap.url))
    await other("PING")
    reading = asyncio.ensure_future(rig.client("BLPOP", key, 0))
    await rig.until_sent("BLPOP")
    assert rig.tap.cut("reset", only=b"BLPOP") == 1
    with pytest.raises(LOST):
        await reading
    assert await other("PING") == b"PONG"
    assert rig.tap.opened == len(rig.tap.opened_at) == 2
    await other.close()


async def test_a_tap_that_keeps_nothing_still_tells(address: Address, key: str) -> None:
    settled: list[Exchange] = []
    tap = Tap(address, settled.append, lambda: None, keep=False)
    await tap.start()
    client = Client(Address.parse(tap.url))
    await client("PING")
    assert [exchange.name for exchange in settled] == [b"PING"]
    assert tap.exchanges == []
    await client.close()
    await tap.close()


async def test_a_replica_follows_through_a_tap(rig: Rig, client: Client, key: str) -> None:
    await client("SET", key, bytes(range(256)), "EX", 60)
    with start("") as server:
        replica = Client(Address.parse(server.url))
        await replica("REPLICAOF", "127.0.0.1", rig.tap.port)
        while await replica("GET", key) != bytes(range(256)):
            await asyncio.sleep(0.01)
        await client("INCR", key + "-later")
        while await replica("GET", key + "-later") != b"1":
            await asyncio.sleep(0.01)
        await replica.close()
    await client("DEL", key + "-later")
