"""The answers of a history about a span of time, beside those of a look at each trouble."""

from __future__ import annotations

import random

import pytest

from .history import History, Process, Spans, Trouble


def touching(troubles: list[Trouble], start: float, end: float) -> list[Trouble]:
    """The slow way: each trouble is looked at."""
    return sorted(trouble for trouble in troubles if trouble.start < end and start < trouble.end)


def some(draw: random.Random, number: int) -> list[Trouble]:
    """Troubles that overlap, touch each other, take no time, or last for long."""
    starts = [draw.randrange(100) for _ in range(number)]
    kinds = ("paused", "down", "cut off")
    return [Trouble(start, start + draw.choice((0, 1, 2, 60)), draw.choice(kinds)) for start in starts]


@pytest.mark.parametrize("seed", range(20))
def test_a_span_shows_the_troubles_that_touch_it(seed: int) -> None:
    draw = random.Random(seed)
    process = Process(0, "stock", 0.0, up_at=0.0, troubles=some(draw, 20))
    history = History(0, redis=some(draw, 20))
    for _ in range(200):
        start = draw.randrange(100)
        end = start + draw.choice((0, 1, 5, 50))
        found = touching(process.troubles, start, end)
        assert sorted(process.troubles_in(start, end)) == found
        assert process.was_well(start, end) is not bool(found)
        assert history.redis_fault(start, end) is bool(touching(history.redis, start, end))
        paused = [t for t in touching(history.redis, start, end) if t.kind == "paused"]
        assert history.redis_fault(start, end, "paused") is bool(paused)
        # A list of troubles may grow, and another one may take its place.
        process.troubles += some(draw, 1)
        history.redis = [*history.redis, *some(draw, 1)]


def test_a_short_span_of_a_long_history_takes_few_looks() -> None:
    class Counted(list[float]):
        looks = 0

        def __getitem__(self, index: object) -> float:  # type: ignore[override]
            Counted.looks += 1
            return super().__getitem__(index)  # type: ignore[index, return-value, no-any-return]

    spans = Spans([Trouble(number, number + 1.5, "down") for number in range(10_000)])
    list(spans.touching(0.0, 1.0))
    spans._latest = Counted(spans._latest)
    for number in range(1000):
        assert len(list(spans.touching(9000.25, 9000.75))) == 2, number
    assert Counted.looks <= 3 * 1000
