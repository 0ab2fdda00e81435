"""What a dead member leaves is taken over in two looks, and soon enough."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.protocol.commands import Command
from redisipc.protocol.entry import build

from ..support_core import Hand


@pytest.mark.parametrize("phase", range(40))
def test_a_request_starts_within_15_s_after_its_owner_s_last_sign_of_life(phase: int) -> None:
    hand = Hand().up()
    hand.pass_time(phase * 0.37)
    sign = hand.now
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
        hand.pass_time(0.1)
        assert hand.now - sign <= 15.0
    assert hand.now - sign >= 10.0
    assert hand.started()[0].incoming.starts == 2
