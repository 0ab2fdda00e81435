"""Pauses between attempts at what Redis refuses."""

from __future__ import annotations

import pytest

from redisipc.protocol.commands import Failure
from redisipc.protocol.pauses import Pauses


def lengths(kind: str, times: int, name: str = "read") -> list[float]:
    """How long each pause is where every attempt is refused."""
    pauses, now, found = Pauses(), 0.0, []
    for _ in range(times):
        pauses.forbidden(name, Failure(kind, f"{kind} no"), now)
        until = pauses.rights[name].until
        found.append(until - now)
        now = until
    return found


def test_what_the_user_may_not_do_is_tried_more_and_more_rarely() -> None:
    """RIPC-RECOV-27."""
    assert lengths("NOPERM", 7, "look") == pytest.approx([1, 2, 4, 8, 16, 30, 30])


@pytest.mark.parametrize("name", ["read", "own list", "answers"])
def test_what_somebody_waits_for_works_a_second_after_the_right_is_back(name: str) -> None:
    """RIPC-RECOV-27."""
    assert lengths("NOPERM", 7, name) == pytest.approx([1] * 7)


def test_a_key_in_the_streams_place_may_go_at_any_moment_and_is_looked_at_every_second() -> None:
    """RIPC-RECOV-27."""
    assert max(lengths("WRONGTYPE", 7)) <= 0.81
