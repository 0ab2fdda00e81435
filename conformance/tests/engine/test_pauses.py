"""The pauses between attempts to connect, by the moments at which connections were refused."""

from __future__ import annotations

import pytest

from redisipc_conformance.steps.attempts_seen import pauses_between, share_alike


@pytest.mark.parametrize(
    ("moments", "pauses"),
    [
        ([], []),
        ([1.0], []),
        ([1.0, 1.5, 2.5], [0.5, 1.0]),
        ([1.0, 1.02, 1.5, 1.51, 1.53, 2.5], [0.5, 1.0]),
    ],
    ids=["none", "one", "apart", "connections-of-one-attempt"],
)
def test_connections_that_are_opened_together_are_one_attempt(moments: list[float], pauses: list[float]):
    assert pauses_between(moments) == pytest.approx(pauses)


@pytest.mark.parametrize(
    ("pauses", "share"),
    [
        ([0.6, 0.605, 0.61, 0.598], 1.0),
        ([0.6, 0.6, 0.2, 0.4, 0.6, 0.6], 4 / 6),
        ([0.31, 0.42, 0.58, 0.47], 0.25),
    ],
    ids=["constant", "constant-with-another-lane", "random"],
)
def test_pauses_that_are_equally_long_are_counted(pauses: list[float], share: float):
    assert share_alike(pauses) == pytest.approx(share)
