"""The commands of an endpoint that has nothing to do: as few as the statements allow, and all that they ask for."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.protocol.commands import Command, Failure
from redisipc.protocol.entry import build
from redisipc.protocol.settings import BLOCK, BLOCK_WITH_FAILOVER
from redisipc.runtime.connection import REPLY_LIMIT

from ..support_core import Hand

_END = b"18446744073709551615-0"
_STEP = 0.05


class Resting(Hand):
    """Its blocking read returns nothing when its time is over, as at a Redis where nothing happens."""

    def rest(self, seconds: float) -> list[tuple[float, Command]]:
        """The commands that it sends in that time, with the moment of each."""
        sent: list[tuple[float, Command]] = []
        end = self.now + seconds
        read_at = -1.0
        read = None
        while self.now < end:
            if read is not None and self.now - read_at > read.block - _STEP:
                self.endpoint.read_done(read, None, self.now)
                read = None
            if read is None and (read := self.endpoint.next_read(self.now)) is not None:
                read_at = self.now
                sent.append((self.now, read.command))
            sent += [(self.now, command) for command in self.pass_time(_STEP)]
        if read is not None:
            self.endpoint.read_done(read, None, self.now)
        return sent


def gaps(sent: list[tuple[float, Command]], begin: float, end: float, *words: Any) -> list[float]:
    """Seconds between two commands that have all of these words."""
    times = [at for at, command in sent if all(word in command for word in words)]
    return [b - a for a, b in zip([begin, *times], [*times, end], strict=True)]


@pytest.mark.parametrize("block", [BLOCK, BLOCK_WITH_FAILOVER])
def test_an_endpoint_at_rest_sends_about_one_command_a_second(block: float) -> None:
    hand = Resting(block=block).up()
    hand.rest(60)
    assert len(hand.rest(1200)) / 1200 < 1.15


NOTICED = 6.0
"""Seconds within which an endpoint at rest notices that the connection for reading is dead."""
NOTICED_WRITING = 6.1 + _STEP
"""The same for the connection for writing: two looks that count are 3 s apart (RIPC-GROUP-14)."""


@pytest.mark.parametrize("block", [BLOCK, BLOCK_WITH_FAILOVER])
def test_each_connection_waits_for_a_reply_often_enough_to_notice_its_death(block: float) -> None:
    hand = Resting(block=block).up()
    begin = hand.now
    sent = hand.rest(300)
    written = [(at, command) for at, command in sent if "BLOCK" not in command]
    assert max(gaps(written, begin, hand.now)) + REPLY_LIMIT <= NOTICED_WRITING
    assert block + REPLY_LIMIT <= NOTICED


def suspect(owner: bytes) -> Any:
    """XPENDING lists an entry whose owner is silent; its idle time is too short for taking it over."""
    return lambda command: [[b"1-0", owner, 7100, 1]] if command[3] == "IDLE" and command[4] < 10**9 else []


def test_with_a_suspect_the_connection_that_writes_is_used_as_often() -> None:
    hand = Resting().up()
    hand.rest(20)
    hand.special["XPENDING"] = suspect(b"dispatcher_51b110")
    begin = hand.now
    sent = [(at, command) for at, command in hand.rest(120) if "BLOCK" not in command]
    assert max(gaps(sent, begin, hand.now)) + REPLY_LIMIT <= NOTICED_WRITING


def test_a_second_look_always_counts() -> None:
    """One that came earlier than 3 s after the first would not, and a third one comes too late (RIPC-GROUP-14, RIPC-GROUP-15)."""
    hand = Resting().up()
    hand.rest(20)
    hand.special["XPENDING"] = suspect(b"dispatcher_51b110")
    begin = hand.now
    looks = gaps(hand.rest(300), begin, hand.now, "XPENDING", 7000)
    assert min(looks[1:-1]) >= 3.05 - _STEP


def test_at_rest_each_duty_comes_as_often_as_its_statement_asks() -> None:
    hand = Resting().up()
    hand.rest(60)
    begin = hand.now
    sent = hand.rest(600)
    names = hand.endpoint.shared.names
    for most, words in (
        (10.0, ("EXPIRE", names.registration)),  # RIPC-LIFE-11
        (10.0, ("EXPIRE", names.announcement)),  # RIPC-VERS-2
        (25.0, ("XREADGROUP", names.consumer)),  # RIPC-GROUP-4, RIPC-LIFE-13
        (25.0, ("XREADGROUP", names.dispatcher, _END)),  # RIPC-LIFE-13: a read of ">" does not count up to Redis 7.0
        (25.0, ("XINFO", "CONSUMERS")),  # RIPC-GROUP-8
        (25.0, ("TIME",)),
    ):
        assert max(gaps(sent, begin, hand.now, *words)) <= most, words


def test_a_newcomer_looks_who_is_there_at_each_refresh() -> None:
    """Siblings often begin together. One without a handler rejects requests until it knows of those that have one."""
    hand = Resting().up()
    begin = hand.now
    assert max(gaps(hand.rest(28), begin, hand.now, "XINFO", "CONSUMERS")) <= 10.0


def test_beside_a_sibling_each_refresh_looks_who_is_there() -> None:
    hand = Resting()
    hand.special["XINFO CONSUMERS"] = [[b"name", b"consumer_51b110_0", b"pending", 0, b"idle", 10]]
    hand.special["LRANGE"] = [b"consumer_51b110_0"]
    hand.up()
    begin = hand.now
    assert max(gaps(hand.rest(100), begin, hand.now, "XINFO", "CONSUMERS")) <= 10.0


def test_whoever_learns_that_somebody_came_looks_at_once() -> None:
    hand = Resting().up()
    hand.rest(12)
    hand.endpoint.woken(hand.endpoint.shared.names.group_wakeup, hand.now)
    assert any(command[:2] == ("XINFO", "CONSUMERS") for _, command in hand.rest(1))


def suspected(hand: Hand) -> None:
    """From now on somebody else holds an entry, and shows no sign of life."""
    entry_id, since = hand.next_id(), hand.now

    def pending(command: Command) -> list[Any]:
        idle = int((hand.now - since) * 1000)
        shown = command[3] == "IDLE" and int(command[4]) <= idle
        return [[entry_id, b"dispatcher_dead00_0", idle, 1]] if shown else []

    hand.special["XPENDING"] = pending


def looks(sent: list[tuple[float, Command]]) -> list[bool]:
    """For each look at the pending list: whether a write of the same batch precedes it."""
    found: list[bool] = []
    for index, (at, command) in enumerate(sent):
        if command[0] == "XPENDING" and "IDLE" in command:
            before_at, before = sent[index - 1]
            found.append(before_at == at and before[0] == "XREADGROUP" and _END in before)
    return found


def test_a_look_that_follows_a_suspicion_has_a_write_before_it() -> None:
    """RIPC-GROUP-29: between two looks that count, Redis executed a write."""
    hand = Resting().up()
    assert not any(looks(hand.rest(60)))
    suspected(hand)
    hand.special["XRANGE"] = lambda command: [
        [command[2], list(build(b"r" * 21, b"peer01", b"pending", b"1", b"peer", b"web"))]
    ]
    sent = hand.rest(30)
    claim = next(index for index, (_, command) in enumerate(sent) if command[0] == "XCLAIM")
    assert looks(sent[:claim])[-1]


def test_without_a_blocking_read_each_look_has_a_write_before_it() -> None:
    hand = Hand().up()
    sent = [(hand.now, command) for command in hand.pass_time(20)]
    found = looks(sent)
    assert found
    assert all(found)


def test_a_read_that_redis_refuses_begins_the_hold() -> None:
    """RIPC-RECOV-17: at rest the blocking read is the write that tells whether Redis takes writes."""
    hand = Resting().up()
    hand.rest(30)
    suspected(hand)
    hand.rest(9.0)
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    refused_at = hand.now
    hand.endpoint.read_done(read, Failure("MISCONF", "MISCONF no writes"), hand.now)
    while not any(command[0] == "XRANGE" for _, command in hand.rest(0.5)):
        assert hand.now - refused_at < 20.0
    assert hand.now - refused_at >= 10.0
