"""Counting the ways through a graph of states."""

from __future__ import annotations

import pytest

from .schedules import Cycle, Schedules


def graph(*moves: tuple[list[int], int]) -> Schedules:
    schedules = Schedules()
    for _ in moves:
        schedules.add()
    for state, (leads_to, ends) in enumerate(moves):
        schedules.moves(state, leads_to, ends)
    return schedules


def test_every_way_to_an_end_counts_once() -> None:
    # Two ways lead to state 3, from which two moves end; one move ends in state 2.
    assert graph(([1, 2], 0), ([3], 0), ([3], 1), ([], 2)).count() == 5


def test_a_state_with_no_end_ahead_has_no_way() -> None:
    assert graph(([1], 0), ([], 0)).count() == 0


def test_a_state_that_leads_back_to_itself_is_told() -> None:
    with pytest.raises(Cycle, match="reached from itself"):
        graph(([1], 0), ([2], 1), ([1], 0)).count()
