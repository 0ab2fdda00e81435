"""Who meets whom in a short run of the matrix."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

INTEROP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(INTEROP))

from matrix.implementations import Implementation  # noqa: E402
from matrix.run import quick_pairs  # noqa: E402

THREADS = Implementation("python-threads", "python", ("a",))
ASYNCIO = Implementation("python-asyncio", "python", ("b",))
NODE = Implementation("node", "node", ("c",))


@pytest.mark.parametrize(
    ("there", "pairs"),
    [
        ([THREADS, ASYNCIO, NODE], [(THREADS, NODE), (ASYNCIO, NODE)]),
        ([THREADS, ASYNCIO], [(THREADS, ASYNCIO)]),
        ([THREADS], []),
    ],
    ids=["two languages", "one language", "one implementation"],
)
def test_a_short_run_plays_whatever_is_at_hand(
    there: list[Implementation], pairs: list[tuple[Implementation, Implementation]]
) -> None:
    assert quick_pairs(there) == pairs
