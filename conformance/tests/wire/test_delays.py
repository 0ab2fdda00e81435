"""The runner knows when the replies to its own commands came late."""

from __future__ import annotations

import asyncio
import time

import pytest

from redisipc_conformance.wire.delays import LATE, Delays


def test_spans_that_overlap_count_once() -> None:
    delays, began = Delays(), time.monotonic() - 100
    delays.add(began, began + 2)
    delays.add(began + 1, began + 3)
    delays.add(began + 0.5, began + 4)
    delays.add(began + 10, began + 11)
    assert delays.since(began - 1) == pytest.approx(5)
    assert delays.since(began + 3) == pytest.approx(2)
    assert delays.since(began + 20) == 0
    assert delays.longest(began - 1) == pytest.approx(4)
    assert delays.longest(began + 5) == pytest.approx(1)


def test_replies_in_time_do_not_count() -> None:
    delays, began = Delays(), time.monotonic() - 10
    for place in range(20):
        delays.add(began + place * LATE, began + (place + 0.9) * LATE)
    assert delays.since(began) == 0


async def test_a_command_without_a_reply_so_far_counts() -> None:
    delays = Delays()
    began = time.monotonic()
    with delays.waiting():
        assert delays.since(began) == 0
        await asyncio.sleep(LATE * 2)
        with delays.waiting():
            assert delays.since(began) >= LATE * 2
    assert LATE * 2 <= delays.since(began) <= time.monotonic() - began
