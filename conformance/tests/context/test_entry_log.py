"""The entries are kept in Redis' order, whoever tells of them first."""

from __future__ import annotations

import itertools
import random

import pytest

from redisipc_conformance.context.entry_log import EntryLog
from redisipc_conformance.context.objects import Written


def entry_log() -> EntryLog:
    return EntryLog(lambda moment: moment, lambda: None)


def written(entry: str, id: str = "x", key: str = "s") -> Written:
    return Written(key, entry, [(b"id", id.encode())], 0.0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_entries_stand_in_the_order_of_their_ids(order: tuple[int, ...]) -> None:
    entries = [written("9-0"), written("10-2"), written("10-10"), written("100-0")]
    log = entry_log()
    for at in order:
        log.add(entries[at])
    assert log.entries == entries


def test_what_came_after_an_entry_is_known_whenever_it_became_known() -> None:
    log = entry_log()
    answer, request, earlier = written("1700-1"), written("1700-0"), written("1699-5")
    for each in (answer, earlier, request):
        log.add(each)
    assert log.after(request) == [answer]


def test_entries_of_another_stream_and_fences_come_after_nothing() -> None:
    log = entry_log()
    request = log.add(written("5-0"))
    log.add(written("6-0", key="other"))
    log.add(written("7-0", id="fence"))
    log.fences.add("fence")
    assert log.after(request) == []


def test_a_thousand_entries_in_any_order_are_sorted() -> None:
    chance = random.Random(1)
    numbers = [(chance.randrange(10**6), chance.randrange(3)) for _ in range(1000)]
    log = entry_log()
    for milliseconds, sequence in set(numbers):
        log.add(written(f"{milliseconds}-{sequence}"))
    assert [entry.place for entry in log.entries] == sorted(set(numbers))
