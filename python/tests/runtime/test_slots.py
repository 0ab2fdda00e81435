"""Which node of a cluster holds the stream, from what the nodes say."""

from __future__ import annotations

from typing import Any

from redis.crc import key_slot

from redisipc.runtime.slots import Map

A, B, C = ("10.0.0.1", 1), ("10.0.0.2", 2), ("10.0.0.3", 3)
SLOT = key_slot(b"{s}")


def said(holder: tuple[str, int], other: tuple[str, int]) -> list[Any]:
    """A reply to CLUSTER SLOTS: ``holder`` has our slot, ``other`` the rest."""
    one, two = ([host.encode(), port, b"id"] for host, port in (holder, other))
    return [[0, SLOT - 1, two], [SLOT, SLOT, one, two], [SLOT + 1, 16383, two]]


def known() -> Map:
    slots = Map("{s}")
    slots.begin(A, [A, B, C])
    return slots


def test_who_held_the_slot_and_may_hang_is_asked_last() -> None:
    assert known().to_ask() == [B, C, A]


def test_the_holder_is_taken_from_the_first_that_says_it() -> None:
    slots = known()
    assert slots.learn(B, said(C, B), None)
    assert slots.node == C
    assert slots.to_ask() == [B, C]


def test_a_reply_without_our_slot_tells_nothing() -> None:
    slots = known()
    assert not slots.learn(B, [[0, SLOT - 1, [b"10.0.0.2", 2, b"id"]]], None)
    assert not slots.learn(B, "CLUSTERDOWN", None)
    assert slots.node == A


def test_a_node_without_a_name_is_reached_as_the_one_that_was_asked() -> None:
    slots = known()
    assert slots.learn(B, said(("", 9), B), None)
    assert slots.node == ("10.0.0.2", 9)


def test_addresses_are_mapped_as_the_client_says() -> None:
    slots = known()
    assert slots.learn(B, said(C, B), lambda place: ("localhost", place[1]))
    assert slots.node == ("localhost", 3)
