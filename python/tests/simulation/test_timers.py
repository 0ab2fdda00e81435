"""The way that is taken after each call says the same as the table of the timers, in the middle of faults."""

from __future__ import annotations

import pytest

from redisipc.protocol.settings import NEVER
from redisipc.protocol.timers import Timer, Timers

from .run import play

SEEDS = (2, 34, *range(3, 12))
"""At least two are played, and so many more until each timer was the next one."""
RARE = {Timer.LOOK}
"""It is due in few schedules: those in which Redis takes no writes while an endpoint recovers and a send ends."""


def test_the_next_moment_is_the_earliest_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = Timers.next
    seen: set[Timer] = set()

    def compared(self: Timers, writing: bool, reading: bool) -> float | None:
        due = quick(self, writing, reading)
        table = self.table(writing, reading)
        assert list(table) == list(Timer)
        first = min(table.values())
        assert due == (None if first == NEVER else first)
        seen.update(timer for timer, at in table.items() if at == first != NEVER)
        return due

    monkeypatch.setattr(Timers, "next", compared)
    wanted = set(Timer) - RARE
    for count, seed in enumerate(SEEDS, 1):
        play(seed, asks=300)
        if count >= 2 and seen >= wanted:
            break
    assert seen >= wanted
