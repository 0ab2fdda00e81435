"""The entries of a dead member are taken over in two looks, and soon enough."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.protocol.commands import Command
from redisipc.protocol.entry import build

from ..support_core import Hand


def taken_over(hand: Hand, sign: float, latest: float, step: float = 0.1) -> None:
    """Time passes until the request of a dead member starts: 10 s after its last sign of life at least."""
    entry_id = hand.next_id()

    def pending(command: Command) -> list[Any]:
        idle = int((hand.now - sign) * 1000)
        if command[3] == "IDLE" and idle >= int(command[4]):
            return [[entry_id, b"dispatcher_dead00_0", idle, 1]]
        return []

    def claimed(command: Command) -> list[Any]:
        return [entry_id] if hand.now - sign >= int(command[4]) / 1000 else []

    hand.special["XPENDING"] = pending
    hand.special["XRANGE"] = [[entry_id, list(build(b"r" * 21, b"peer01", b"pending", b"1", b"peer", b"web"))]]
    hand.special["XCLAIM"] = claimed
    while not hand.started():
        hand.pass_time(step)
        assert hand.now <= latest + step
    assert hand.now - sign >= 10.0
    assert hand.started()[0].incoming.starts == 2


@pytest.mark.parametrize("phase", range(40))
def test_a_request_starts_within_15_s_after_its_owner_s_last_sign_of_life(phase: int) -> None:
    hand = Hand().up()
    hand.pass_time(phase * 0.37)
    taken_over(hand, hand.now, hand.now + 15.0)


@pytest.mark.parametrize("seed", range(60))
def test_the_look_at_the_end_of_the_hold_does_not_put_off_the_second_one(seed: int) -> None:
    """RIPC-GROUP-15: the last sign of life came 2 s before the member connected, so both limits end together."""
    hand = Hand()
    hand.endpoint.shared.random.seed(seed)
    hand.up()
    taken_over(hand, hand.now - 2.0, hand.now + 13.0, 0.01)
