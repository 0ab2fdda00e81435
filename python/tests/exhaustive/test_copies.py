"""Copies and fingerprints of what a core is made of, and that a resumed core is the one that was saved."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .configuration import Configuration
from .configurations import CONFIGURATIONS
from .copies import Uncopyable, copy
from .fingerprints import fingerprint
from .search import Search


class Part:
    __slots__ = ("items", "peer")

    def __init__(self) -> None:
        self.items: list[int] = [1]
        self.peer: object = None


class Whole:
    def __init__(self) -> None:
        self.parts = {b"a": Part(), b"b": Part()}
        self.queue = deque([1, 2])
        self.seen = {b"x"}
        self.numbers = itertools.count(3)
        for part in self.parts.values():
            part.peer = self

    def act(self) -> None:
        self.queue.append(next(self.numbers))


def counter() -> tuple[Callable[[], int], Callable[[], int], Part]:
    """Two closures that share two variables, each reached through the other one's, too."""
    part, count = Part(), 0

    def more() -> int:
        nonlocal count
        count += 1
        part.items.append(count)
        return count

    def look() -> int:
        return count + len(part.items)

    part.peer = look
    return more, look, part


def test_a_copy_shares_nothing_that_changes() -> None:
    one = Whole()
    other = copy(one)
    assert fingerprint(other) == fingerprint(one)
    one.act()
    one.parts[b"a"].items.append(2)
    one.seen.add(b"y")
    assert list(other.queue) == [1, 2]
    assert other.parts[b"a"].items == [1]
    assert other.seen == {b"x"}
    assert next(other.numbers) == 3
    assert fingerprint(other) != fingerprint(one)


def test_what_refers_to_each_other_does_so_in_the_copy() -> None:
    other = copy(Whole())
    assert other.parts[b"a"].peer is other
    assert other.parts[b"a"] is not other.parts[b"b"]


def test_closures_share_their_variables_in_the_copy_and_none_with_the_original() -> None:
    more, look, part = counter()
    more()
    again, looked, twin = copy((more, look, part))
    assert again() == 2
    assert looked() == 2 + 3
    assert twin.peer is looked
    assert look() == 1 + 2
    assert more() == 2


def test_a_method_belongs_to_the_copy_of_its_object() -> None:
    whole = Whole()
    act = copy([whole, whole.act])
    act[1]()
    assert list(act[0].queue) == [1, 2, 3]
    assert list(whole.queue) == [1, 2]


def talk(told: list[int]) -> Iterator[int]:
    for number in (1, 2, 3):
        told.append(number)
        yield number


def test_a_generator_has_no_copy_and_a_fingerprint_of_where_it_is() -> None:
    first, second = talk([]), talk([])
    with pytest.raises(Uncopyable):
        copy([first])
    next(first)
    assert fingerprint(first) != fingerprint(second)
    next(second)
    assert fingerprint(first) == fingerprint(second)


def test_a_type_that_nobody_thought_of_is_refused() -> None:
    with pytest.raises(TypeError, match="no way to copy a map"):
        copy(map(str, []))
    with pytest.raises(TypeError, match="no way to fingerprint a map"):
        fingerprint(map(str, []))


@pytest.mark.parametrize("name", ["clock", "dead-consumer"])
def test_a_state_that_was_kept_is_the_one_that_its_calls_lead_to(name: str) -> None:
    search = Search(CONFIGURATIONS[name])
    search.run(None, seconds=60.0)
    assert sum(len(memory.kept()) for memory in search.world.memories) > 50
    for memory in search.world.memories:
        kept = memory.kept()
        for number in sorted(kept)[:: max(1, len(kept) // 20)]:
            assert fingerprint(memory.replayed(number)) == fingerprint(kept[number])


def test_two_explorations_of_one_configuration_are_the_same() -> None:
    def counts(configuration: Configuration) -> tuple[Any, ...]:
        result = Search(configuration).run(None, seconds=60.0)
        return result.states, result.transitions, result.ends, result.depth, result.broken

    assert counts(CONFIGURATIONS["consumer-deleted"]) == counts(CONFIGURATIONS["consumer-deleted"])
